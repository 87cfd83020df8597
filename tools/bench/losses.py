"""Whether training is PyTorch's: from equal weights and batches, each of 200 losses in double is to agree within 1e-5.

    python tools/bench/losses.py build/bin/bench_losses [gpt|lstm|resnet20|unet ...]

Needs PyTorch, and nothing else. Fails where a loss differs by more.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F

DTYPES = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64}


def load(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + place for place in entry["data_offsets"])
            piece = torch.frombuffer(bytearray(data[begin:end]), dtype=DTYPES[entry["dtype"]])
            tensors[name] = piece.reshape(entry["shape"])
    return tensors


class Variables:
    """The nets below ask for layers in the order in which Oxbow's were made: conv, conv_1, conv_2, ..."""

    def __init__(self, tensors):
        self.all = {name: t.clone().requires_grad_(t.is_floating_point() and "running" not in name)
                    for name, t in tensors.items()}
        self.begin()

    def begin(self):
        self.calls = {}

    def layer(self, name):
        number = self.calls[name] = self.calls.get(name, -1) + 1
        return self.under(name + (f"_{number}" if number else ""))

    def under(self, scope):
        return {name[len(scope) + 1:]: v for name, v in self.all.items() if name.startswith(scope + "/")}


def dense(x, v, name=""):
    return x @ v[name + "kernel"] + v[name + "bias"]


def layer_norm(x, v, name=""):
    return F.layer_norm(x, x.shape[-1:], v[name + "scale"], v[name + "offset"])


def same(x, size, stride):
    """Keras's padding: what is odd goes to the far side."""
    pads = []
    for length in (x.shape[3], x.shape[2]):
        total = max((-(-length // stride) - 1) * stride + size - length, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def conv(x, variables, stride=1):
    v = variables.layer("conv")
    kernel = v["kernel"].permute(3, 2, 0, 1)
    return F.conv2d(same(x, kernel.shape[2], stride), kernel, v.get("bias"), stride)


def batch_norm(x, variables):
    v = variables.layer("batch_norm")
    return F.batch_norm(x, None, None, v["scale"], v["offset"], training=True)


def resnet20(x, v):
    h = F.relu(batch_norm(conv(x.permute(0, 3, 1, 2), v), v))
    for filters in (16, 32, 64):
        for block in range(3):
            stride = 2 if block == 0 and filters > 16 else 1
            shortcut = batch_norm(conv(h, v, stride), v) if stride > 1 else h
            two = F.relu(batch_norm(conv(h, v, stride), v))
            h = F.relu(batch_norm(conv(two, v), v) + shortcut)
    return dense(h.mean((2, 3)), v.layer("dense"))


def two_convs(x, v):
    for _ in range(2):
        x = F.relu(batch_norm(conv(x, v), v))
    return x


def u(x, v, depth):
    here = two_convs(x, v)
    if depth == 0:
        return here
    below = u(F.max_pool2d(here, 2), v, depth - 1)
    up = v.layer("conv_transpose")
    above = F.conv_transpose2d(below, up["kernel"].permute(3, 2, 0, 1), up["bias"], 2)
    return two_convs(torch.cat([here, above], 1), v)


def unet(x, v):
    return conv(u(x.permute(0, 3, 1, 2), v, 2), v).permute(0, 2, 3, 1)


def gpt(x, v):
    h = v.layer("embedding")["embeddings"][x] + v.layer("position_embedding")["embeddings"]
    for _ in range(2):
        block = v.layer("transformer_block")
        normed = layer_norm(h, block, "attention_norm/")
        q, k, value = (dense(normed, block, f"attention/{part}/").unflatten(2, (4, 16)).transpose(1, 2)
                       for part in ("query", "key", "value"))
        seen = F.scaled_dot_product_attention(q, k, value, is_causal=True).transpose(1, 2).flatten(2)
        h = h + dense(seen, block, "attention/output/")
        h = h + dense(F.gelu(dense(layer_norm(h, block, "dense_norm/"), block, "dense/")), block, "dense_1/")
    return dense(layer_norm(h, v.layer("layer_norm")), v.layer("dense"))


def lstm(x, v):
    cell, x = v.layer("lstm"), v.layer("embedding")["embeddings"][x]
    h = c = torch.zeros(x.shape[0], 64, dtype=torch.float64)
    outputs = []
    for t in range(x.shape[1]):
        i, f, n, o = (x[:, t] @ cell["kernel"] + h @ cell["recurrent_kernel"] + cell["bias"]).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(n)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return dense(torch.stack(outputs, 1), v.layer("dense"))


NETS = {"gpt": (gpt, 3e-3), "lstm": (lstm, 3e-3), "resnet20": (resnet20, 1e-3), "unet": (unet, 1e-3)}


def largest_difference(program, name):
    with tempfile.TemporaryDirectory() as folder:
        printed = subprocess.run([program, name, folder], check=True, capture_output=True, text=True).stdout
        tensors = load(pathlib.Path(folder) / f"{name}.safetensors")
    ours = [float(line) for line in printed.split()]
    data = [(tensors.pop(f"x/{i}"), tensors.pop(f"label/{i}")) for i in range(5)]
    net, rate = NETS[name]
    variables = Variables(tensors)
    adam = torch.optim.Adam([v for v in variables.all.values() if v.requires_grad], lr=rate)
    worst = 0.0
    for step, our in enumerate(ours):
        x, label = data[step % 5]
        variables.begin()
        adam.zero_grad()
        loss = F.cross_entropy(net(x, variables).flatten(0, -2), label.flatten())
        loss.backward()
        adam.step()
        worst = max(worst, abs(our - loss.item()) / abs(loss.item()))
    print(f"{name}: {len(ours)} losses from {ours[0]:.4f} to {ours[-1]:.4f}, within {worst:.1e} of PyTorch's")
    return worst


def main():
    program, names = sys.argv[1], sys.argv[2:] or list(NETS)
    sys.exit(max([largest_difference(program, name) for name in names]) > 1e-5)


if __name__ == "__main__":
    main()
