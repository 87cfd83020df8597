// Parameters from PyTorch and back, by name: the safetensors file that safetensors.torch.save_file(net.state_dict(),
// path) writes, and load_file reads. https://github.com/huggingface/safetensors
//
//   const Sequential net{Conv2D(16, {.name = "conv1"}), BatchNorm({.name = "bn1"}), relu, GlobalPool(),
//                        Dense(10, {.name = "fc"})};
//   ...
//   load_pytorch("digits.safetensors", net, model.store());  // conv1.weight, bn1.running_var, fc.bias, ...
//   model.fit(data);
//   save_pytorch("tuned.safetensors", net, model.store());
//
// A layer's scope within the net is the name of its module, with "/" for ".": "layer1/conv1" is layer1.conv1; where
// they are called otherwise, `PyTorchNames` says so. Names and layouts of the tensors are translated:
//
//   Dense, Conv1D, Conv2D, Conv3D,    kernel [in, out], [height, width, in, out], ... is weight [out, in],
//   Conv2DTranspose                   [out, in, height, width], ...; of ConvTranspose2d [in, out, height, width]
//   DepthwiseConv2D                   weight of a Conv2d with as many groups as channels
//   BatchNorm, LayerNorm, GroupNorm,  scale and offset are weight and bias, running_variance is running_var;
//   RMSNorm                           num_batches_tracked is neither read nor written
//   Embedding, PositionEmbedding      embeddings are the weight of an Embedding
//   SimpleRNN, LSTM, GRU,             weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, and those that end in
//   _reverse; Bidirectional                     one layer a module, the GRU's gates in PyTorch's order. Where one bias
//   is kept it
//                                     is the sum of two, written as itself and zeros
//   MultiHeadAttention                in_proj_weight, in_proj_bias, out_proj
//   TransformerBlock                  self_attn, linear1, linear2, norm1, norm2, as of a TransformerEncoderLayer; with
//   a
//                                     memory multihead_attn and norm3, as of a TransformerDecoderLayer
//
// Numbers are taken as they are. What the net makes of them is the program's: PyTorch flattens images with channels
// first, its LayerNorm's epsilon is 1e-5 by default, and an LSTM is fed [batch, time, features] with batch_first.
// Thread safety: of the store.
#pragma once

#include <oxbow/ops/layers/layer.h>
#include <oxbow/runtime/store.h>

#include <map>
#include <string>
#include <vector>

namespace oxbow {

struct PyTorchNames {
  /// What a layer's module is called, by the layer's scope within the net, where it is not called the same; and so for
  /// all that is in it: {{"conv", "0"}, {"conv_1", "2"}} for the layers of an nn.Sequential.
  std::map<std::string, std::string> modules = {};
  /// Modules of the file that are not read, with all that is in them: the head of a net whose body is taken.
  std::vector<std::string> ignored = {};
};

/// Sets the variables of `net`, which was called, in `store`. Throws `Error`, changing nothing, that names the file:
/// for a tensor that is missing, that no layer takes, or is of another type, and for a layer that PyTorch has no module
/// for
/// (`SeparableConv2D`, `GRU` with the reset gate before the product).
void load_pytorch(const std::string& path, const Layer& net, Store& store, const PyTorchNames& names = {});

/// Writes them, atomically. Throws `Error` for such a layer, and when the file cannot be written.
void save_pytorch(const std::string& path, const Layer& net, const Store& store, const PyTorchNames& names = {});

}  // namespace oxbow
