// Which kinds of run an option has an effect in. Each function gives why there is none, naming `flag`, or
// nothing.
#pragma once

#include <string>
#include <string_view>

#include "vaecuda/config.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::config {

/// Of what a latent with a density draws.
[[nodiscard]] std::string needs_density(const RunConfig& config, std::string_view flag);
/// Of the KL term in the loss.
[[nodiscard]] std::string needs_kl_term(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_capacity(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_code_penalty(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_codebook(const RunConfig& config, std::string_view flag);
/// Of codes that follow the moving averages of their rows.
[[nodiscard]] std::string needs_code_averages(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_sigma(const RunConfig& config, std::string_view flag);
[[nodiscard]] std::string needs_restores(const RunConfig& config, std::string_view flag);

/// Why an option has no effect in this configuration, in the words of a message; empty where it has one.
[[nodiscard]] std::string why_idle(const Option& option, const RunConfig& config);
/// \throws ConfigError for a setting that was given and has no effect
void require_effect(const RunConfig& config);
/// Puts every setting that has no effect to its usual value: those of a preset or a file yield to what was
/// chosen later.
void forget_idle(RunConfig& config);

/// The configuration that a run keeps in its folder. What has no effect in it, which older runs may have, is
/// put to its usual value. \throws as load_config
[[nodiscard]] RunConfig load_kept_config(const std::string& path);

}  // namespace vaecuda::config
