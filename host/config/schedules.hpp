// Text forms of schedules: KIND or KIND:name=value,name=value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vaecuda/config.hpp"

namespace vaecuda::config {

/// "constant", "linear:steps=N", "cyclical:period=N,ramp=F". \throws ConfigError
[[nodiscard]] BetaSchedule parse_beta_schedule(std::string_view text, std::string_view where);
/// The text from which parse_beta_schedule gives the same schedule.
[[nodiscard]] std::string format_beta_schedule(const BetaSchedule& schedule);

/// "constant", "cosine:warmup=N,min=F", "exponential:gamma=F", "stages:E1=LR1,E2=LR2". \throws ConfigError
[[nodiscard]] LrSchedule parse_lr_schedule(std::string_view text, std::string_view where);
[[nodiscard]] std::string format_lr_schedule(const LrSchedule& schedule);

/// Whether a step of a run with this many steps would have a different rate in a longer run.
[[nodiscard]] bool depends_on_length(const LrSchedule& schedule, std::int64_t total_steps);

}  // namespace vaecuda::config
