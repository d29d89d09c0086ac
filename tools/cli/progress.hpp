// Shows the progress of training: one rewritten line on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/console.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::cli {

class ProgressReporter {
 public:
  explicit ProgressReporter(Console& console);
  void operator()(const Progress& progress);

 private:
  void show(const Progress& progress);
  Console& console_;
  std::string valid_;  ///< the latest validation loss, for the terminal's line
  std::chrono::steady_clock::time_point last_line_;
};

/// "loss 105.43 (reconstruction 80.10, KL 25.33)"
[[nodiscard]] std::string format_loss(const LossTerms& terms);
/// "0:07", "12:34", "1:02:03"
[[nodiscard]] std::string format_duration(double seconds);
/// "likelihood: 2560 of 10000 rows, 24 %, 0:31 left" after this many seconds of work; unknown parts are left
/// out. Written into `room`, without an allocation.
[[nodiscard]] std::string_view format_work(std::span<char> room, std::string_view doing,
                                           const std::optional<PassProgress>& now, double seconds);

}  // namespace vaecuda::cli
