#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vaecuda::cli {
namespace {

constexpr std::chrono::seconds kLineInterval{5};
constexpr std::int64_t kBarWidth = 16;
constexpr double kLongestDuration = 1e9;

/// "epoch 3/10"; the number is that of the current epoch, or of the one that has just ended.
std::string format_epoch(const Progress& progress) {
  std::int64_t epoch = progress.epoch + (progress.epoch_end ? 0 : 1);
  if (progress.total_epochs == 0) return fmt::format("epoch {}", epoch);
  epoch = std::min(epoch, progress.total_epochs);
  return fmt::format("epoch {}/{}", epoch, progress.total_epochs);
}

std::string format_bar(std::int64_t step, std::int64_t total) {
  const double share = total > 0 ? static_cast<double>(step) / static_cast<double>(total) : 0.0;
  const auto filled = static_cast<std::size_t>(std::clamp<std::int64_t>(
      static_cast<std::int64_t>(share * static_cast<double>(kBarWidth)), 0, kBarWidth));
  return fmt::format("[{}{}] {:3.0f}%", std::string(filled, '#'),
                     std::string(static_cast<std::size_t>(kBarWidth) - filled, '-'),
                     std::floor(100.0 * share));
}

double seconds_left(const Progress& progress) {
  if (progress.step == 0) return kLongestDuration;
  return progress.seconds / static_cast<double>(progress.step) *
         static_cast<double>(progress.total_steps - progress.step);
}

}  // namespace

std::string format_loss(const LossTerms& terms) {
  if (terms.quantization) {
    return fmt::format(
        "loss {:.2f} (reconstruction {:.2f}, quantization error {:.2f}, perplexity {:.1f}, least {:.1f})",
        terms.loss, terms.reconstruction, terms.quantization->error, terms.quantization->perplexity,
        terms.quantization->least_perplexity);
  }
  return fmt::format("loss {:.2f} (reconstruction {:.2f}, KL {:.2f})", terms.loss, terms.reconstruction,
                     terms.kl);
}

std::string format_duration(double seconds) {
  if (!(seconds >= 0.0 && seconds < kLongestDuration)) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  const std::int64_t hours = whole / 3600;
  const std::int64_t minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string_view format_work(std::span<char> room, std::string_view doing,
                             const std::optional<PassProgress>& now, double seconds) {
  std::size_t used = 0;
  const auto add = [&](std::string_view piece) {
    used += piece.copy(room.data() + used, room.size() - used);
  };
  const auto add_number = [&](std::int64_t number) {
    const fmt::format_int digits(number);
    add({digits.data(), digits.size()});
  };
  add(now ? now->pass : doing);
  add(": ");
  if (now) {
    add_number(now->rows);
    if (now->total) {
      add(" of ");
      add_number(*now->total);
    }
    add(" rows, ");
  }
  if (now && now->share && *now->share > 0.0) {
    add_number(static_cast<std::int64_t>(100.0 * *now->share));
    add(" %, ");
    add(format_duration(seconds * (1.0 - *now->share) / *now->share));
    add(" left");
  } else {
    add(format_duration(seconds));
  }
  return {room.data(), used};
}

ProgressReporter::ProgressReporter(Console& console)
    : console_(console), last_line_(std::chrono::steady_clock::now()) {}

void ProgressReporter::operator()(const Progress& progress) {
  if (console_.quiet()) return;
  console_.idle();
  if (progress.valid) {
    valid_ = fmt::format("  validation {:.2f}{}", progress.valid->loss, progress.improved ? " (best)" : "");
  }
  show(progress);
  if (progress.step == progress.total_steps) console_.busy("testing and drawing");
}

void ProgressReporter::show(const Progress& progress) {
  if (console_.interactive()) {
    // The least important part is last, because a narrow terminal truncates the line.
    console_.status(fmt::format("{} {}  loss {:.2f}  {:.0f} samples/s  ETA {}{}", format_epoch(progress),
                                format_bar(progress.step, progress.total_steps), progress.train.loss,
                                progress.samples_per_second, format_duration(seconds_left(progress)),
                                valid_));
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  // However short the epochs are; the ends of the first and the last are always reported.
  const bool at_once = progress.step == progress.total_steps || (progress.epoch_end && progress.epoch == 1);
  if (!at_once && now - last_line_ < kLineInterval) return;
  last_line_ = now;
  console_.message(fmt::format("{}  step {}/{}  {}{}  {:.0f} samples/s", format_epoch(progress),
                               progress.step, progress.total_steps, format_loss(progress.train), valid_,
                               progress.samples_per_second));
}

}  // namespace vaecuda::cli
