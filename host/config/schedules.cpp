#include "host/config/schedules.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "host/config/enumerators.hpp"
#include "host/config/limits.hpp"
#include "host/config/parse.hpp"
#include "host/config/split.hpp"

namespace vaecuda::config {
namespace {

constexpr RealRange kRamp{0.0, 1.0, true, false};
constexpr IntegerRange kWarmup{0, kSteps.max};
constexpr IntegerRange kStageEpoch{0, kEpochs.max};

/// The "name=value" parts after a schedule's colon, and their place in messages.
struct Parts {
  std::vector<std::pair<std::string_view, std::string_view>> items;
  std::string_view where;

  [[nodiscard]] std::string place(std::string_view name) const { return fmt::format("{}: {}", where, name); }

  /// The value of a part; empty if it is not given.
  [[nodiscard]] std::string_view find(std::string_view name) const {
    for (const auto& [key, value] : items) {
      if (key == name) return value;
    }
    return {};
  }
  [[nodiscard]] std::int64_t integer(std::string_view name, const IntegerRange& range) const {
    return parse_integer(find(name), range, place(name));
  }
  [[nodiscard]] double real(std::string_view name, const RealRange& range) const {
    return parse_real(find(name), range, place(name));
  }

  void allow_only(const std::vector<std::string_view>& names) const {
    for (const auto& [key, value] : items) static_cast<void>(parse_choice(key, names, where));
  }
};

/// The kind is the text before the colon. \throws ConfigError for a part that is not name=value, or is given
/// twice
template <typename Kind>
Parts split_schedule(std::string_view text, std::string_view where, Kind& kind) {
  static constexpr auto kKinds = enumerator_texts<Kind>();
  const std::size_t colon = text.find(':');
  kind = static_cast<Kind>(parse_choice(text.substr(0, colon), kKinds, where));
  Parts parts{{}, where};
  if (colon == std::string_view::npos) return parts;
  const std::string_view list = text.substr(colon + 1);
  for (const std::string_view part : split(list, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == part.size()) {
      refuse(where, part, "of the form name=value");
    }
    const std::string_view name = part.substr(0, equals);
    if (!parts.find(name).empty()) refuse(where, list, "a list in which every part is given once");
    parts.items.emplace_back(name, part.substr(equals + 1));
  }
  if (kind == Kind::constant) refuse(where, text, "constant alone, which has no parts");
  return parts;
}

void read_stages(const Parts& parts, LrSchedule& schedule) {
  for (const auto& [epoch, lr] : parts.items) {
    LrStage stage;
    stage.epoch = parse_integer(epoch, kStageEpoch, parts.place("epoch"));
    stage.lr = parse_real(lr, kLearningRate, parts.place(epoch));
    if (!schedule.stages.empty() && stage.epoch <= schedule.stages.back().epoch) {
      refuse(parts.place("epoch"), epoch, fmt::format("later than {}", schedule.stages.back().epoch),
             "stages are listed in the order of their epochs");
    }
    schedule.stages.push_back(stage);
  }
  if (schedule.stages.empty()) refuse(parts.where, {}, "at least one stage, as in stages:10=1e-4");
}

}  // namespace

BetaSchedule parse_beta_schedule(std::string_view text, std::string_view where) {
  BetaSchedule schedule;
  const Parts parts = split_schedule(text, where, schedule.kind);
  switch (schedule.kind) {
    case BetaScheduleKind::constant:
      break;
    case BetaScheduleKind::linear:
      parts.allow_only({"steps"});
      schedule.steps = parts.integer("steps", kSteps);
      break;
    case BetaScheduleKind::cyclical:
      parts.allow_only({"period", "ramp"});
      schedule.steps = parts.integer("period", kSteps);
      if (!parts.find("ramp").empty()) schedule.ramp = parts.real("ramp", kRamp);
      break;
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

LrSchedule parse_lr_schedule(std::string_view text, std::string_view where) {
  LrSchedule schedule;
  const Parts parts = split_schedule(text, where, schedule.kind);
  switch (schedule.kind) {
    case LrScheduleKind::constant:
      break;
    case LrScheduleKind::cosine:
      parts.allow_only({"warmup", "min"});
      if (!parts.find("warmup").empty()) schedule.warmup_steps = parts.integer("warmup", kWarmup);
      if (!parts.find("min").empty()) schedule.min_fraction = parts.real("min", kFraction);
      break;
    case LrScheduleKind::exponential:
      parts.allow_only({"gamma"});
      schedule.gamma = parts.real("gamma", kDecay);
      break;
    case LrScheduleKind::stages:
      read_stages(parts, schedule);
      break;
  }
  return schedule;
}

std::string format_lr_schedule(const LrSchedule& schedule) {
  switch (schedule.kind) {
    case LrScheduleKind::constant:
      break;
    case LrScheduleKind::cosine:
      return fmt::format("cosine:warmup={},min={}", schedule.warmup_steps,
                         format_real(schedule.min_fraction));
    case LrScheduleKind::exponential:
      return fmt::format("exponential:gamma={}", format_real(schedule.gamma));
    case LrScheduleKind::stages: {
      std::string text = "stages:";
      for (const LrStage& stage : schedule.stages) {
        if (text.back() != ':') text += ',';
        text += fmt::format("{}={}", stage.epoch, format_real(stage.lr));
      }
      return text;
    }
  }
  return "constant";
}

bool depends_on_length(const LrSchedule& schedule, std::int64_t total_steps) {
  // The first step after the warm-up has the full rate, whatever follows.
  return schedule.kind == LrScheduleKind::cosine && schedule.min_fraction < 1.0 &&
         total_steps > schedule.warmup_steps + 1;
}

}  // namespace vaecuda::config
