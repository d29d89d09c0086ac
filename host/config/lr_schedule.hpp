// The text form of a learning-rate schedule: "constant", "cosine:warmup=N,min=F", "exponential:gamma=F",
// "stages:E1=LR1,E2=LR2".
#pragma once

#include <string>
#include <string_view>

#include "vaecuda/config.hpp"

namespace vaecuda::config {

/// \throws ConfigError
[[nodiscard]] LrSchedule parse_lr_schedule(std::string_view text, std::string_view where);
[[nodiscard]] std::string format_lr_schedule(const LrSchedule& schedule);

}  // namespace vaecuda::config
