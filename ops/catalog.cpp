#include <oxbow/graph/passes/fused/fused.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/cond.h>
#include <oxbow/ops/control/guarded.h>
#include <oxbow/ops/control/repeat.h>
#include <oxbow/ops/control/require_finite.h>
#include <oxbow/ops/control/stop_gradient.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/conv.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/conv/pool.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/linalg/matmul.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/loss.h>
#include <oxbow/ops/loss/binary_cross_entropy.h>
#include <oxbow/ops/loss/loss.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/norm/softmax.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/ops/pointwise/compare.h>
#include <oxbow/ops/pointwise/masked.h>
#include <oxbow/ops/pointwise/trigonometry.h>
#include <oxbow/ops/pointwise/unary.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/random/dropout.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/argmax.h>
#include <oxbow/ops/reduction/chunks.h>
#include <oxbow/ops/reduction/norm.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/reduction/top_k.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shape/by_value.h>
#include <oxbow/ops/shape/concat.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/one_hot.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/transpose.h>

namespace oxbow {
namespace {

using namespace ops;

// One line a family.
Catalog all() {
  Catalog c = Catalog::leaves();
  c.add<Fused>();
  c.add<StopGradient>().add<Cond>().add<Guarded>().add<Merge>().add<Repeat>();
  c.add<Add>().add<Subtract>().add<Multiply>().add<Divide>().add<Pow>().add<Maximum>().add<Minimum>();
  c.add<Equal>().add<NotEqual>().add<Less>().add<LessEqual>().add<LogicalAnd>().add<LogicalOr>().add<LogicalNot>();
  c.add<Where>().add<Cast>().add<Negate>().add<Square>().add<Reciprocal>().add<Exp>().add<Log>().add<Sqrt>();
  c.add<CosPi>().add<SinPi>().add<RequireFinite>();
  c.add<Rsqrt>().add<Abs>().add<Sign>().add<Tanh>().add<Sigmoid>().add<Relu>().add<Erf>().add<Gelu>();
  c.add<Softplus>().add<MaskedMultiply>().add<MaskedDivide>();
  c.add<TanhGradient>().add<SigmoidGradient>().add<ReluGradient>().add<GeluGradient>();
  c.add<Softmax>().add<LogSoftmax>();
  c.add<CrossEntropy>().add<CrossEntropyGradient>().add<BinaryCrossEntropy>().add<BinaryCrossEntropyGradient>();
  c.add<Norm>();
  c.add<BatchMoments>().add<ChunkMoments>().add<MergeMoments>();
  c.add<Dropout>();
  c.add<Sum>().add<Max>().add<Min>().add<SumTo>().add<CountLike>();
  c.add<ReduceChunks<Fold::sum>>().add<ReduceChunks<Fold::max>>().add<ReduceChunks<Fold::min>>();
  c.add<ReduceColumns<Fold::sum>>().add<ReduceColumns<Fold::max>>().add<ReduceColumns<Fold::min>>();
  c.add<ArgMax>().add<OneHot>().add<Gather>().add<ScatterAdd>().add<IndexAdd>();
  c.add<Reshape>().add<ReshapeLike>().add<Transpose>().add<BroadcastTo>().add<BroadcastLike>();
  c.add<ShapeOf>().add<ReshapeTo>().add<ExpandTo>().add<SliceBy>().add<SliceByGradient>();
  c.add<Tile>().add<TileGradient>().add<Pad>().add<Arange>().add<Iota>().add<OneHotOf>().add<TopK>().add<TopKOf>();
  c.add<Slice>().add<SliceGradient>().add<SliceAdd>().add<Concat>().add<ConcatGradient>();
  c.add<MatMul>().add<Contract>().add<Product>().add<Pack>();
  c.add<Conv2d>().add<Conv2dInput>().add<Conv2dWeights>();
  c.add<ConvForward>().add<ConvAdjoint>().add<ConvStrips>().add<ConvWeightChunks>();
  c.add<MaxPool>().add<MaxPoolGradient>().add<MaxPoolPick>();
  return c;
}

}  // namespace

const Catalog& catalog() {
  static const Catalog c = all();
  return c;
}

}  // namespace oxbow
