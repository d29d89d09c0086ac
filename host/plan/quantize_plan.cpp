// A quantized latent's part of the plans.
#include <stdexcept>

#include "host/plan/plan_builder.hpp"

namespace vaecuda {

double quantization_weight(const RunConfig& config) {
  const bool pulls_codes = config.optimizer.codebook_update == CodebookUpdate::gradient;
  return config.objective.commitment + (pulls_codes ? 1.0 : 0.0);
}

CodebookParameters PlanBuilder::codebook() const {
  const Codebook& codebook = layout_.codebook;
  if (codebook.groups == 0) throw std::logic_error("a plan of codes for a model without codebooks");
  return {codebook.groups, codebook.size, codebook.width, codebook.codes};
}

PlanBuilder::Latent PlanBuilder::quantize(View head) {
  VectorQuantize op;
  op.latent = head;
  op.codebook = codebook();
  op.z = code(plan_.batch);
  op.codes = activation("codes", op.codebook.groups);
  op.distances = activation("distances", op.codebook.groups);
  op.error = activation("error", 1);
  add(op);
  Latent latent;
  latent.z = op.z;
  latent.codes = op.codes;
  latent.error = op.error;
  return latent;
}

View PlanBuilder::quantize_backward(const Latent& latent, View head, View dz, float commitment) {
  VectorQuantizeBackward op;
  op.latent = head;
  op.z = latent.z;
  op.dz = dz;
  op.dlatent = activation("dhead", head.cols);
  op.commitment = commitment;
  add(op);
  return op.dlatent;
}

View PlanBuilder::move_codes(const Latent& latent, View head, const OptimizerConfig& optimizer,
                             std::uint64_t seed) {
  CodebookBatch batch;
  batch.latent = head;
  batch.codes = latent.codes;
  batch.codebook = codebook();
  batch.counts = activation("counts", batch.codebook.groups, batch.codebook.size);
  batch.perplexity = activation("perplexity", batch.codebook.groups, 1);
  const double fair = static_cast<double>(plan_.batch) / static_cast<double>(batch.codebook.size);
  if (optimizer.codebook_update == CodebookUpdate::gradient) {
    add(CodebookGradient{batch, 2.0f / static_cast<float>(plan_.batch)});
  } else {
    CodebookAverage op;
    op.batch = batch;
    op.averages = activation("averages", batch.codebook.groups, batch.codebook.size);
    op.rule = {static_cast<float>(optimizer.ema_decay), static_cast<float>(1.0 - optimizer.ema_decay),
               static_cast<float>(fair), static_cast<float>(optimizer.restart_codes * fair)};
    op.seed = seed;
    add(op);
  }
  return batch.perplexity;
}

View PlanBuilder::sample_codes(std::uint64_t seed) {
  SampleCodes sample;
  sample.codes = activation("codes", codebook().groups);
  sample.size = codebook().size;
  sample.seed = seed;
  add(sample);
  const LookUpCodes look_up{sample.codes, codebook(), code(plan_.batch)};
  add(look_up);
  return look_up.z;
}

}  // namespace vaecuda
