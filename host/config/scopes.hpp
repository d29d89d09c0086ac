// In which kinds of runs an option has an effect. Each function returns the reason why it has none, naming
// `flag`, or an empty text.
#pragma once

#include <string>
#include <string_view>

#include "vaecuda/config.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::config {

/// For options of sampling, which need a latent with a density.
[[nodiscard]] std::string needs_density(const RunConfig& config, std::string_view flag);
/// For options of the KL term in the loss.
[[nodiscard]] std::string needs_kl_term(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_capacity(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_code_penalty(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_codebook(const RunConfig& config, std::string_view flag);
/// For options of codes that follow the moving averages of their rows.
[[nodiscard]] std::string needs_code_averages(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_sigma(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_dispersion(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_counts(const RunConfig& config, std::string_view flag);
/// For options of the rates of counts.
[[nodiscard]] std::string needs_rate(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_restores(const RunConfig& config, std::string_view flag);

/// Why an option has no effect in this configuration, as text for a message; empty if it has an effect.
[[nodiscard]] std::string why_idle(const Option& option, const RunConfig& config);
/// \throws ConfigError for a setting that was given and has no effect
void require_effect(const RunConfig& config);
/// Sets every setting without an effect to its default: values of a preset or a file yield to later choices.
void forget_idle(RunConfig& config);

/// Loads the configuration in a run's folder. Settings without an effect, which runs of earlier versions may
/// contain, are set to their defaults. \throws as load_config
[[nodiscard]] RunConfig load_kept_config(const std::string& path);

}  // namespace vaecuda::config
