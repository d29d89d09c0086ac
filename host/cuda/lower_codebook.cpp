#include "host/cuda/lower_codebook.hpp"

#include <stdexcept>

namespace vaecuda::cuda {
namespace {

kernels::CodebookShape shape_of(const CodebookParameters& codebook) {
  return {codebook.groups, codebook.size, codebook.width};
}

}  // namespace

float* CodebookLowering::codes_of(const CodebookParameters& codebook) const {
  return parameters_.parameters() + codebook.codes;
}

void CodebookLowering::add(const VectorQuantize& op) {
  kernels::VectorQuantizeArgs args;
  args.latent = memory_.in(op.latent);
  args.codebook = codes_of(op.codebook);
  args.shape = shape_of(op.codebook);
  args.z = at_.out(op.z);
  args.codes = memory_.single(op.codes);
  args.codes_stride = op.codes.stride;
  args.distances = memory_.single(op.distances);
  args.distances_stride = op.distances.stride;
  args.error = at_.row_sums(op.error);
  args.error_stride = op.error.stride;
  args.batch = op.z.rows;
  args.fault = at_.fault();
  at_.add(args, op.codebook.groups > 1 ? 2 : 1);
}

void CodebookLowering::add(const VectorQuantizeBackward& op) {
  kernels::VectorQuantizeBackwardArgs args;
  args.latent = memory_.in(op.latent);
  args.z = memory_.in(op.z);
  args.dz = memory_.in(op.dz);
  args.dlatent = at_.out(op.dlatent);
  args.commitment = op.commitment;
  args.batch = op.z.rows;
  args.columns = op.z.cols;
  at_.add(args);
}

kernels::CodebookBatch CodebookLowering::batch_of(const CodebookBatch& op) const {
  if (!parameters_.training()) throw std::logic_error("a codebook moves in a training step only");
  kernels::CodebookBatch batch;
  batch.latent = memory_.in(op.latent);
  batch.codes = memory_.in(op.codes);
  batch.counts = memory_.single(op.counts);
  batch.perplexity = memory_.single(op.perplexity);
  batch.perplexity_stride = op.perplexity.stride;
  batch.shape = shape_of(op.codebook);
  batch.batch = op.latent.rows;
  batch.state = memory_.state();
  return batch;
}

void CodebookLowering::add(const CodebookGradient& op) {
  kernels::CodebookGradientArgs args;
  args.batch = batch_of(op.batch);
  args.codebook = codes_of(op.batch.codebook);
  args.gradient = memory_.gradients() + op.batch.codebook.codes;
  args.scale = op.scale;
  at_.add(args, 2);
}

void CodebookLowering::add(const CodebookAverage& op) {
  const std::int64_t codes = op.batch.codebook.codes;
  kernels::CodebookAverageArgs args;
  args.batch = batch_of(op.batch);
  args.codebook = codes_of(op.batch.codebook);
  args.sums = parameters_.moment1() + codes;
  args.used = parameters_.moment2() + codes;
  args.averages = memory_.single(op.averages);
  args.rule = op.rule;
  args.seed = op.seed;
  at_.add(args, 2);
}

void CodebookLowering::add(const LookUpCodes& op) {
  kernels::LookUpCodesArgs args;
  args.codes = memory_.in(op.codes);
  args.codebook = codes_of(op.codebook);
  args.shape = shape_of(op.codebook);
  args.z = at_.out(op.z);
  args.batch = op.z.rows;
  at_.add(args);
}

void CodebookLowering::add(const SampleCodes& op) {
  kernels::SampleCodesArgs args;
  args.codes = memory_.single(op.codes);
  args.codes_stride = op.codes.stride;
  args.shape = {op.codes.cols, op.size, 1};
  args.batch = op.codes.rows;
  args.seed = op.seed;
  args.purpose = op.purpose;
  args.state = memory_.state();
  at_.add(args);
}

}  // namespace vaecuda::cuda
