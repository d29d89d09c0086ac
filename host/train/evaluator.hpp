// The loss of a data set under given parameters.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "host/model/layout.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/builder.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// What an evaluation asks and tells a few times a second; both may be empty.
struct EvaluationWatch {
  std::string_view pass;                          ///< what it is called in `told`
  std::function<bool()> stop;                     ///< true ends it
  std::function<void(const PassProgress&)> told;  ///< how far it is
};

/// One pass over all rows: with one sampled z per row, or for the importance-weighted bound with as many as
/// in training. The noise depends on the seed and the row alone, so that two evaluations of the same
/// parameters agree in every bit. The KL term has the weight and the capacity that training ends with, so
/// that epochs can be compared, and no free bits.
class Evaluator {
 public:
  /// Posteriors (8·Z bytes a row) that are kept for the figures of each latent, on the device and the host.
  static constexpr std::int64_t kHeadBytes = std::int64_t{256} << 20;

  /// `data` and `store` must outlive the evaluator, which computes with what the store holds at each call.
  Evaluator(Backend& backend, const ParameterLayout& layout, const RunConfig& config,
            const Preparation& preparation, const Dataset& data, ParameterStore& store,
            std::int64_t head_bytes = kHeadBytes);
  [[nodiscard]] LossTerms evaluate();
  /// The same, watched; empty if it was ended.
  [[nodiscard]] std::optional<LossTerms> evaluate(const EvaluationWatch& watch);

 private:
  RunConfig config_;
  std::int64_t rows_;
  Plan plan_;
  std::unique_ptr<ResidentData> resident_;
  std::unique_ptr<Program> program_;
};

}  // namespace vaecuda
