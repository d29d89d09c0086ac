// Text form of the schedule of the KL weight: "constant", "linear:steps=N", "cyclical:period=N,ramp=F".
#pragma once

#include <string>
#include <string_view>

#include "vaecuda/config.hpp"

namespace vaecuda::config {

/// \throws ConfigError
[[nodiscard]] BetaSchedule parse_beta_schedule(std::string_view text, std::string_view where);
/// The text from which parse_beta_schedule gives the same schedule.
[[nodiscard]] std::string format_beta_schedule(const BetaSchedule& schedule);

}  // namespace vaecuda::config
