#include "host/cuda/lower_codebook.hpp"

#include <stdexcept>

namespace vaecuda::cuda {
namespace {

kernels::CodebookShape shape_of(const CodebookParameters& codebook) {
  return {codebook.groups, codebook.size, codebook.width};
}

/// \throws std::logic_error outside of a training step
kernels::CodebookBatch batch_of(const CodebookBatch& op, const OpLaunches& at) {
  if (!at.inputs().parameters.training()) throw std::logic_error("a codebook moves in a training step only");
  kernels::CodebookBatch batch;
  batch.latent = at.in(op.latent);
  batch.codes = at.in(op.codes);
  batch.counts = at.single(op.counts);
  batch.perplexity = at.single(op.perplexity);
  batch.perplexity_stride = op.perplexity.stride;
  batch.shape = shape_of(op.codebook);
  batch.batch = op.latent.rows;
  batch.state = at.state();
  return batch;
}

}  // namespace

kernels::VectorQuantizeArgs args_of(const VectorQuantize& op, const OpLaunches& at) {
  kernels::VectorQuantizeArgs args;
  args.latent = at.in(op.latent);
  args.codebook = at.parameter(op.codebook.codes);
  args.shape = shape_of(op.codebook);
  args.z = at.out(op.z);
  args.codes = at.single(op.codes);
  args.codes_stride = op.codes.stride;
  args.distances = at.single(op.distances);
  args.distances_stride = op.distances.stride;
  args.error = at.row_sums(op.error);
  args.error_stride = op.error.stride;
  args.batch = op.z.rows;
  args.fault = at.fault();
  return args;
}

kernels::VectorQuantizeBackwardArgs args_of(const VectorQuantizeBackward& op, const OpLaunches& at) {
  kernels::VectorQuantizeBackwardArgs args;
  args.latent = at.in(op.latent);
  args.z = at.in(op.z);
  args.dz = at.in(op.dz);
  args.dlatent = at.out(op.dlatent);
  args.commitment = op.commitment;
  args.batch = op.z.rows;
  args.columns = op.z.cols;
  return args;
}

kernels::CodebookGradientArgs args_of(const CodebookGradient& op, const OpLaunches& at) {
  kernels::CodebookGradientArgs args;
  args.batch = batch_of(op.batch, at);
  args.codebook = at.parameter(op.batch.codebook.codes);
  args.gradient = at.memory().gradients() + op.batch.codebook.codes;
  args.scale = op.scale;
  return args;
}

kernels::CodebookAverageArgs args_of(const CodebookAverage& op, const OpLaunches& at) {
  const std::int64_t codes = op.batch.codebook.codes;
  kernels::CodebookAverageArgs args;
  args.batch = batch_of(op.batch, at);
  args.codebook = at.parameter(op.batch.codebook.codes);
  args.sums = at.inputs().parameters.moment1() + codes;
  args.used = at.inputs().parameters.moment2() + codes;
  args.averages = at.single(op.averages);
  args.rule = op.rule;
  args.seed = op.seed;
  return args;
}

kernels::LookUpCodesArgs args_of(const LookUpCodes& op, const OpLaunches& at) {
  kernels::LookUpCodesArgs args;
  args.codes = at.in(op.codes);
  args.codebook = at.parameter(op.codebook.codes);
  args.shape = shape_of(op.codebook);
  args.z = at.out(op.z);
  args.batch = op.z.rows;
  return args;
}

kernels::SampleCodesArgs args_of(const SampleCodes& op, const OpLaunches& at) {
  kernels::SampleCodesArgs args;
  args.codes = at.single(op.codes);
  args.codes_stride = op.codes.stride;
  args.shape = {op.codes.cols, op.size, 1};
  args.batch = op.codes.rows;
  args.seed = op.seed;
  args.purpose = op.purpose;
  args.state = at.state();
  return args;
}

}  // namespace vaecuda::cuda
