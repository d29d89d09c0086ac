#include "host/train/evaluator.hpp"

#include <numeric>

namespace vaecuda {

Evaluator::Evaluator(Backend& backend, const ParameterLayout& layout, const RunConfig& config,
                     const Preparation& preparation, const Dataset& data, ParameterStore& store)
    : beta_(config.objective.beta),
      latent_l2_(config.objective.latent_l2),
      has_kl_(config.model.latent == LatentKind::gaussian),
      rows_(data.rows()),
      plan_(build_evaluation_plan(layout, config.model, preparation, {data.rows(), data.type()},
                                  config.train.seed)),
      resident_(backend.make_resident(data)),
      program_(backend.compile(plan_, store, resident_.get())) {}

LossTerms Evaluator::evaluate() {
  program_->set_position(0);
  program_->run((rows_ + plan_.batch - 1) / plan_.batch);
  const auto mean = [&](const char* buffer) {
    std::vector<float> values(static_cast<std::size_t>(rows_));
    program_->read(plan_.find_buffer(buffer), values);
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(rows_);
  };
  LossTerms terms;
  terms.reconstruction = mean("rows.nll");
  terms.kl = has_kl_ ? mean("rows.kl") : 0.0;
  terms.loss = terms.reconstruction + (has_kl_ ? beta_ * terms.kl : latent_l2_ * mean("rows.penalty"));
  return terms;
}

}  // namespace vaecuda
