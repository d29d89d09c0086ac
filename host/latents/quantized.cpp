// A quantized latent (VQ-VAE, van den Oord et al., arXiv 1711.00937): each part of the head becomes the
// nearest code of its codebook, with a straight-through gradient.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "host/inference/latents.hpp"
#include "host/latents/codebook.hpp"
#include "host/latents/latent.hpp"
#include "host/plan/exchanged.hpp"
#include "host/plan/plan_builder.hpp"
#include "kernels/math/codebook.h"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::string_view kTensor = "codebook";

/// The perplexity of every codebook over all rows; codes (rows, G).
QuantizationTerms usage_of(const std::vector<float>& codes, std::int64_t rows, std::int64_t size) {
  const std::size_t groups = codes.size() / static_cast<std::size_t>(rows);
  QuantizationTerms terms;
  for (std::size_t g = 0; g < groups; ++g) {
    std::vector<double> counts(static_cast<std::size_t>(size));
    for (std::size_t i = g; i < codes.size(); i += groups) counts[static_cast<std::size_t>(codes[i])] += 1.0;
    double sum = 0.0;
    for (const double count : counts) sum += math::count_times_log(count);
    const double perplexity = math::perplexity_of(sum, static_cast<double>(rows));
    terms.perplexity += perplexity / static_cast<double>(groups);
    terms.least_perplexity = g == 0 ? perplexity : std::min(terms.least_perplexity, perplexity);
  }
  return terms;
}

bool has_averages(const OptimizerConfig& optimizer) {
  return optimizer.codebook_update == CodebookUpdate::ema;
}

CodebookBatch batch_of(PlanBuilder& build, const LatentPass& pass) {
  CodebookBatch batch;
  batch.latent = pass.head;
  batch.codes = pass.codes;
  batch.codebook = codebook_of(build.layout());
  batch.counts = build.activation("counts", batch.codebook.groups, batch.codebook.size);
  batch.perplexity = build.activation("perplexity", batch.codebook.groups, 1);
  return batch;
}

class QuantizedLatent final : public Latent {
 public:
  [[nodiscard]] const LatentTraits& traits() const override {
    static constexpr LatentTraits kTraits{.adjective = "quantized", .has_codes = true};
    return kTraits;
  }

  void check(const RunConfig& config) const override {
    const ModelConfig& model = config.model;
    if (model.latent_dim % model.codebooks != 0) {
      throw ConfigError(
          fmt::format("--latent-dim {} and --codebooks {} do not fit: the latent is cut into parts of equal "
                      "width, so the second has to divide the first",
                      model.latent_dim, model.codebooks.value()));
    }
    if (config.objective.reduce == Reduction::sum) {
      throw ConfigError(
          "--reduce sum and --latent vq contradict each other: codes move by means over their rows; use "
          "--reduce mean");
    }
  }
  [[nodiscard]] std::string_view why_nothing_is_drawn() const override {
    return "codes are chosen, not drawn, and have no scale";
  }
  [[nodiscard]] std::string_view why_no_kl() const override {
    return "it concerns the KL term, which is constant for a quantized latent; use --commitment to keep the "
           "encoder near its codes";
  }
  /// The commitment, plus 1 if the codes have a gradient.
  [[nodiscard]] double loss_weight(const RunConfig& config) const override {
    return config.objective.commitment + (has_averages(config.optimizer) ? 0.0 : 1.0);
  }

  void place(const ModelConfig& model, ParameterLayout& layout, LatentLayout& latent) const override {
    const std::int64_t groups = model.codebooks;
    if (groups < 1 || model.codebook_size < 1 || latent.columns % groups != 0) {
      throw ConfigError(fmt::format(
          "{} codebooks of {} codes for a latent of {} columns: the numbers must be positive, and the first "
          "divide the last",
          groups, model.codebook_size.value(), latent.columns));
    }
    // Limited to what a tensor's sizes can express; place() refuses sizes that are too large.
    const std::int64_t width = latent.columns / groups;
    layout.place(latent, std::string(kTensor), {groups, model.codebook_size, width},
                 1.0 / static_cast<double>(model.codebook_size));
  }
  [[nodiscard]] UpdateRule rule(const OptimizerConfig& optimizer) const override {
    return has_averages(optimizer) ? UpdateRule::moving_average : UpdateRule::adam;
  }

  LatentPass forward(PlanBuilder& build, View head, const LatentDraw& /*draw*/) const override {
    VectorQuantize op;
    op.latent = head;
    op.codebook = codebook_of(build.layout());
    op.z = build.code(build.batch());
    op.codes = build.activation("codes", op.codebook.groups);
    op.distances = build.activation("distances", op.codebook.groups);
    op.error = build.activation("error", 1);
    build.add(op);
    LatentPass pass;
    pass.head = head;
    pass.z = op.z;
    pass.codes = op.codes;
    pass.error = op.error;
    return pass;
  }
  View mean(PlanBuilder& build, View head) const override { return forward(build, head, {}).z; }
  void add_terms(PlanBuilder& /*build*/, LatentPass& pass, const ObjectiveConfig& /*objective*/,
                 std::vector<LossRows>& loss) const override {
    loss.push_back({{math::LossTermKind::quantization_error, math::LossWeight::scheduled}, pass.error});
  }

  View backward(PlanBuilder& build, const LatentPass& pass, View dz, const LatentGradient& gradient,
                std::vector<LossRows>& /*loss*/) const override {
    VectorQuantizeBackward op;
    op.latent = pass.head;
    op.z = pass.z;
    op.dz = dz;
    op.dlatent = build.activation("dhead", pass.head.cols);
    op.commitment = static_cast<float>(2.0 * gradient.config.objective.commitment) * gradient.per_row;
    build.add(op);
    return op.dlatent;
  }

  View move_before_norm(PlanBuilder& build, const LatentPass& pass, const RunConfig& config) const override {
    if (has_averages(config.optimizer)) return {};
    const CodebookBatch batch = batch_of(build, pass);
    build.add(CodebookGradient{batch, 2.0f / static_cast<float>(build.batch())});
    return batch.perplexity;
  }
  View move_after_norm(PlanBuilder& build, const LatentPass& pass, const RunConfig& config) const override {
    const OptimizerConfig& optimizer = config.optimizer;
    if (!has_averages(optimizer)) return {};
    CodebookAverage op;
    op.batch = batch_of(build, pass);
    const CodebookParameters& codebook = op.batch.codebook;
    op.averages = build.activation("averages", codebook.groups, codebook.size);
    const double fair = static_cast<double>(build.batch()) / static_cast<double>(codebook.size);
    op.rule = {static_cast<float>(optimizer.ema_decay), static_cast<float>(1.0 - optimizer.ema_decay),
               static_cast<float>(fair), static_cast<float>(optimizer.restart_codes * fair)};
    op.seed = config.train.seed;
    build.add(op);
    return op.batch.perplexity;
  }

  void store_terms(PlanBuilder& build, const LatentPass& pass, std::int64_t rows,
                   std::int64_t /*head_rows*/) const override {
    build.store(pass.error, exchanged::kError, rows);
    build.store(pass.codes, exchanged::kCodes, rows);
  }
  void store_codes(PlanBuilder& build, View head, DataShape data) const override {
    const LatentPass pass = forward(build, head, {});
    build.store(pass.codes, exchanged::kCodes, data.rows);
    build.store(pass.z, data.exchanged ? exchanged::kMu : exchanged::kLatents, data.rows);
  }

  View draw(PlanBuilder& build, std::uint64_t seed) const override {
    const CodebookParameters codebook = codebook_of(build.layout());
    SampleCodes sample;
    sample.codes = build.activation("codes", codebook.groups);
    sample.size = codebook.size;
    sample.seed = seed;
    build.add(sample);
    const LookUpCodes look_up{sample.codes, codebook, build.code(build.batch())};
    build.add(look_up);
    return look_up.z;
  }

  double evaluate(const EvaluatedRows& rows, const RunConfig& config, LossTerms& terms) const override {
    const double error = rows.mean(exchanged::kError);
    terms.quantization = usage_of(rows.read(exchanged::kCodes), rows.rows, config.model.codebook_size);
    terms.quantization->error = error;
    return error;
  }
  /// For a uniform prior over the codes: G·log M.
  [[nodiscard]] double code_cost(const LatentLayout& latent) const override {
    const CodebookParameters codebook = codebook_of(latent);
    return static_cast<double>(codebook.groups) * std::log(static_cast<double>(codebook.size));
  }

  void check_temperature(double temperature) const override {
    if (temperature == 1.0) return;
    throw ConfigError(
        fmt::format("temperature {}; expected 1: the codes of a model with --latent vq are drawn uniformly, "
                    "which a temperature does not change",
                    temperature));
  }
  [[nodiscard]] std::vector<float> draw_rows(std::int64_t first, std::int64_t count,
                                             const LatentLayout& latent, std::span<const float> parameters,
                                             std::uint64_t seed, double /*temperature*/) const override {
    return draw_codes(first, count, codebook_of(latent), parameters, seed);
  }
};

}  // namespace

CodebookParameters codebook_of(const LatentLayout& latent) {
  for (const LatentTensor& tensor : latent.tensors) {
    if (tensor.name != kTensor) continue;
    return {tensor.sizes.at(0), tensor.sizes.at(1), tensor.sizes.at(2), tensor.offset};
  }
  throw std::logic_error("codebooks of a model that has none");
}

CodebookParameters codebook_of(const ParameterLayout& layout) {
  return codebook_of(layout.latent());
}

const Latent& quantized_latent();
const Latent& quantized_latent() {
  static const QuantizedLatent kLatent;
  return kLatent;
}

}  // namespace vaecuda
