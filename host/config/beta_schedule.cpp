#include "host/config/beta_schedule.hpp"

#include <fmt/format.h>

#include <array>

#include "host/config/enumerators.hpp"
#include "host/config/limits.hpp"
#include "host/config/parse.hpp"
#include "host/config/schedule_parts.hpp"

namespace vaecuda::config {
namespace {

constexpr RealRange kRamp{0.0, 1.0, true, false};
constexpr auto kKinds = enumerator_texts<BetaScheduleKind>();

}  // namespace

BetaSchedule parse_beta_schedule(std::string_view text, std::string_view where) {
  const std::size_t colon = text.find(':');
  BetaSchedule schedule;
  schedule.kind = static_cast<BetaScheduleKind>(parse_choice(text.substr(0, colon), kKinds, where));
  const bool has_parts = colon != std::string_view::npos;
  const Parts parts = has_parts ? split_parts(text.substr(colon + 1), where) : Parts{{}, where};
  switch (schedule.kind) {
    case BetaScheduleKind::constant:
      if (has_parts) refuse(where, text, "constant alone, which has no parts");
      break;
    case BetaScheduleKind::linear: {
      constexpr std::array<std::string_view, 1> kNames{"steps"};
      parts.allow_only(kNames);
      schedule.steps = parse_integer(parts.find("steps"), kSteps, parts.place("steps"));
      break;
    }
    case BetaScheduleKind::cyclical: {
      constexpr std::array<std::string_view, 2> kNames{"period", "ramp"};
      parts.allow_only(kNames);
      schedule.steps = parse_integer(parts.find("period"), kSteps, parts.place("period"));
      if (const auto ramp = parts.find("ramp"); !ramp.empty()) {
        schedule.ramp = parse_real(ramp, kRamp, parts.place("ramp"));
      }
      break;
    }
  }
  return schedule;
}

std::string format_beta_schedule(const BetaSchedule& schedule) {
  switch (schedule.kind) {
    case BetaScheduleKind::constant:
      break;
    case BetaScheduleKind::linear:
      return fmt::format("linear:steps={}", schedule.steps);
    case BetaScheduleKind::cyclical:
      return fmt::format("cyclical:period={},ramp={}", schedule.steps, format_real(schedule.ramp));
  }
  return "constant";
}

}  // namespace vaecuda::config
