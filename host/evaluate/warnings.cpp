#include "host/evaluate/warnings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/config/likelihood_traits.hpp"
#include "vaecuda/evaluate.hpp"
#include "vaecuda/latent.hpp"

namespace vaecuda {

std::string collapse_warning(const ModelConfig& model, const ObjectiveConfig& objective, double kl,
                             std::optional<std::int64_t> held) {
  if (!traits_of(model.latent).has_density) return {};
  if (held ? *held > 0 : !(kl < kCollapsedKl)) return {};
  if (objective.capacity > 0.0 && objective.capacity < kCollapsedKl * static_cast<double>(model.latent_dim)) {
    return {};
  }
  std::string remedy;
  if (objective.kind == ObjectiveKind::elbo) {
    remedy = objective.beta > 1.0 ? fmt::format("lower --beta (it is {:g})", objective.beta.value())
                                  : "let the KL's weight rise from 0 (--beta-schedule linear:steps=N)";
    if (objective.free_bits == 0.0 && objective.capacity == 0.0) remedy += ", give --free-bits 0.5";
    remedy += ", ";
  }
  remedy += has_given_sigma(model) ? fmt::format("or a smaller --sigma (it is {:g})", model.sigma.value())
                                   : "or train longer";
  const std::string each = model.latent_dim == 1
                               ? "the latent does not hold"
                               : fmt::format("none of the {} latents holds", model.latent_dim);
  return fmt::format(
      "posterior collapse: {} {:g} nats ({:.3g} in all), so the latents carry almost no information on a "
      "row; {}",
      each, kCollapsedKl, kl, remedy);
}

ScoreWatch::ScoreWatch(const ModelInfo& model)
    : far_(kFarNats * static_cast<double>(model.model.input_dim)), is_standardized_(!model.mean.empty()) {}

void ScoreWatch::add(std::span<const float> scores) {
  for (const float score : scores) {
    const auto value = static_cast<double>(score);
    if (!std::isfinite(value) && infinite_++ == 0) first_infinite_ = rows_;
    if (std::isfinite(value)) greatest_ = std::max(greatest_, value);
    if (!(value < far_)) ++distant_;
    ++rows_;
  }
}

std::vector<std::string> ScoreWatch::warnings(const std::string& name) const {
  std::vector<std::string> lines;
  if (infinite_ > 0) {
    lines.push_back(
        fmt::format("{}: {} of {} rows have a score that is not finite, row {} first; they count as "
                    "infinite. Their values are far too large for this model: check them, and leave them out",
                    name, infinite_, rows_, first_infinite_));
  }
  if (2 * distant_ > rows_ && distant_ > infinite_) {
    lines.push_back(
        fmt::format("{}: {} of {} rows score above {:g} nats (up to {:.3g}), more than {:g} a value: these "
                    "are not rows as the model was trained on. Are they in the same units, with the same "
                    "columns in the same order (vae_cuda info MODEL)? {}",
                    name, distant_, rows_, far_, greatest_, kFarNats,
                    is_standardized_ ? "It standardizes them by its training rows, which are unlike these: "
                                       "train a model on such rows, if they are to count as normal"
                                     : "A model that was trained on such rows needs --standardize"));
  }
  return lines;
}

}  // namespace vaecuda
