// The weight of the KL term as it is written: "constant", "linear:steps=N", "cyclical:period=N,ramp=F".
#pragma once

#include <string>
#include <string_view>

#include "vaecuda/config.hpp"

namespace vaecuda::config {

/// \throws ConfigError
[[nodiscard]] BetaSchedule parse_beta_schedule(std::string_view text, std::string_view where);
/// parse_beta_schedule of it gives the same schedule.
[[nodiscard]] std::string format_beta_schedule(const BetaSchedule& schedule);

}  // namespace vaecuda::config
