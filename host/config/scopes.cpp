#include "host/config/scopes.hpp"

#include <fmt/format.h>

#include "host/config/text_forms.hpp"
#include "host/latents/latent.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/likelihood.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::config {
namespace {

std::string contradiction(const RunConfig& config, std::string_view flag, std::string_view why) {
  return fmt::format("{} and --latent {} contradict each other: {}", flag,
                     kLatentNames[static_cast<std::size_t>(config.model.latent)], why);
}

}  // namespace

std::string needs_density(const RunConfig& config, std::string_view flag) {
  const Latent& latent = latent_of(config.model.latent);
  if (latent.traits().has_density) return {};
  return contradiction(config, flag, fmt::format("{}; use --latent gaussian", latent.why_nothing_is_drawn()));
}

std::string needs_kl_term(const RunConfig& config, std::string_view flag) {
  const Latent& latent = latent_of(config.model.latent);
  if (!latent.traits().has_density) return contradiction(config, flag, latent.why_no_kl());
  if (config.objective.kind != ObjectiveKind::iwae) return {};
  return fmt::format(
      "{} and --objective iwae contradict each other: the importance-weighted bound is the logarithm of a "
      "mean and has no KL term of its own to weigh or to hold; use --objective elbo",
      flag);
}

std::string needs_capacity(const RunConfig& config, std::string_view flag) {
  std::string why = needs_kl_term(config, flag);
  if (!why.empty() || config.objective.capacity > 0.0) return why;
  return fmt::format("{} needs --capacity: it is the number of steps in which the capacity rises", flag);
}

std::string needs_code_penalty(const RunConfig& config, std::string_view flag) {
  if (latent_of(config.model.latent).has_code_penalty()) return {};
  return fmt::format(
      "{} needs --latent deterministic: the codes of other latents have a regularizer of their own", flag);
}

std::string needs_codebook(const RunConfig& config, std::string_view flag) {
  if (traits_of(config.model.latent).has_codes) return {};
  return fmt::format("{} needs --latent vq: other latents have no codebook", flag);
}

std::string needs_code_averages(const RunConfig& config, std::string_view flag) {
  std::string why = needs_codebook(config, flag);
  if (!why.empty() || config.optimizer.codebook_update == CodebookUpdate::ema) return why;
  return fmt::format(
      "{} and --codebook-update gradient contradict each other: codes that the optimizer moves have no "
      "moving averages; use --codebook-update ema",
      flag);
}

std::string needs_sigma(const RunConfig& config, std::string_view flag) {
  const LikelihoodTraits traits = traits_of(config.model.likelihood);
  if (traits.has_sigma) return {};
  return fmt::format("{} {} needs a likelihood with a deviation, and {} has none: use --likelihood gaussian",
                     flag, format_sigma(config.model), traits.name);
}

std::string needs_dispersion(const RunConfig& config, std::string_view flag) {
  const LikelihoodTraits traits = traits_of(config.model.likelihood);
  if (traits.has_dispersion) return {};
  return fmt::format("{} needs a negative binomial, and {} has no dispersion: use --likelihood nb", flag,
                     traits.name);
}

std::string needs_counts(const RunConfig& config, std::string_view flag) {
  const LikelihoodTraits traits = traits_of(config.model.likelihood);
  if (traits.domain == ValueDomain::count) return {};
  return fmt::format("{} needs a likelihood of counts, and {} is none: use --likelihood nb", flag,
                     traits.name);
}

std::string needs_rate(const RunConfig& config, std::string_view flag) {
  const LikelihoodTraits traits = traits_of(config.model.likelihood);
  if (traits.has_rate) return {};
  if (traits.domain != ValueDomain::count) return needs_counts(config, flag);
  return fmt::format("{} has no effect on --likelihood {}, whose rates are shares of the row's sum", flag,
                     traits.name);
}

std::string needs_restores(const RunConfig& config, std::string_view flag) {
  if (config.train.on_nonfinite == NonfiniteAction::restore) return {};
  return fmt::format("{} needs --on-nonfinite restore: it counts the returns to the last checkpoint", flag);
}

std::string why_idle(const Option& option, const RunConfig& config) {
  if (option.why_idle == nullptr) return {};
  // For a choice, the message includes the value.
  const bool is_choice = option.type == OptionType::choice;
  return option.why_idle(
      config, is_choice ? fmt::format("{} {}", option.flag, option.get(config)) : std::string(option.flag));
}

void require_effect(const RunConfig& config) {
  for (const Option& option : options()) {
    if (option.is_given == nullptr || !option.is_given(config)) continue;
    if (const std::string why = why_idle(option, config); !why.empty()) throw ConfigError(why);
  }
}

void forget_idle(RunConfig& config) {
  for (const Option& option : options()) {
    if (option.forget != nullptr && !option.applies(config)) option.forget(config);
  }
}

}  // namespace vaecuda::config
