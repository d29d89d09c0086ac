#include "host/config/lr_schedule.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "host/config/enumerators.hpp"
#include "host/config/limits.hpp"
#include "host/config/parse.hpp"
#include "host/config/schedule_parts.hpp"

namespace vaecuda::config {
namespace {

constexpr IntegerRange kWarmup{0, kSteps.max};
constexpr IntegerRange kStageEpoch{0, kEpochs.max};
constexpr auto kKinds = enumerator_texts<LrScheduleKind>();

void read_cosine(const Parts& parts, LrSchedule& schedule) {
  constexpr std::array<std::string_view, 2> kNames{"warmup", "min"};
  parts.allow_only(kNames);
  if (const auto text = parts.find("warmup"); !text.empty()) {
    schedule.warmup_steps = parse_integer(text, kWarmup, parts.place("warmup"));
  }
  if (const auto text = parts.find("min"); !text.empty()) {
    schedule.min_fraction = parse_real(text, kFraction, parts.place("min"));
  }
}

void read_exponential(const Parts& parts, LrSchedule& schedule) {
  constexpr std::array<std::string_view, 1> kNames{"gamma"};
  parts.allow_only(kNames);
  schedule.gamma = parse_real(parts.find("gamma"), kDecay, parts.place("gamma"));
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

LrSchedule parse_lr_schedule(std::string_view text, std::string_view where) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  LrSchedule schedule;
  schedule.kind = static_cast<LrScheduleKind>(parse_choice(kind, kKinds, where));
  const bool has_parts = colon != std::string_view::npos;
  const Parts parts = has_parts ? split_parts(text.substr(colon + 1), where) : Parts{{}, where};
  switch (schedule.kind) {
    case LrScheduleKind::constant:
      if (has_parts) refuse(where, text, "constant alone, which has no parts");
      break;
    case LrScheduleKind::cosine:
      read_cosine(parts, schedule);
      break;
    case LrScheduleKind::exponential:
      read_exponential(parts, schedule);
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
