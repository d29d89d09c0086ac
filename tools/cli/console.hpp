// Output for the user: errors, messages, a status line and progress on stderr; data on stdout. Text from
// files is made visible as in visible.hpp.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "vaecuda/pass_progress.hpp"

namespace vaecuda::cli {

/// "error: …" on stderr; coloured on a terminal unless NO_COLOR is set.
void print_error(std::string_view message);
/// Text for stdout. \throws RuntimeError if it cannot be written.
void write_output(std::string_view text);
/// Whether stdout is a terminal.
[[nodiscard]] bool shows_output();

/// Messages and progress on stderr. A quiet console shows nothing. Thread-safe.
class Console {
 public:
  explicit Console(bool quiet);
  /// Finishes the status line, so that an error starts on a line of its own.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  [[nodiscard]] bool quiet() const { return quiet_; }
  /// Whether stderr is a terminal, whose lines can be rewritten.
  [[nodiscard]] bool interactive() const { return interactive_; }
  /// A permanent line. The status line, if any, moves below it.
  void message(std::string_view line);
  /// Replaces the status line, truncated to the terminal's width. Only if interactive.
  void status(std::string_view line);
  /// Keeps the status line; later output is below it.
  void finish_status();

  /// Begins work without other output, named `doing`: after two seconds a progress line appears, on a
  /// terminal rewritten continuously, elsewhere a new line every five seconds.
  void busy(std::string_view doing);
  /// Updates the progress; a new pass counts as new work.
  void progress(const PassProgress& now);
  /// Ends the work and removes its line.
  void idle();

 private:
  using Clock = std::chrono::steady_clock;
  void watch();
  void begin(std::string_view doing);
  void show_work();
  void draw_status() const;

  bool quiet_;
  bool interactive_;
  std::mutex mutex_;  ///< guards everything below
  std::string status_;
  std::string doing_;  ///< empty: no long work
  std::optional<PassProgress> now_;
  Clock::time_point began_;
  std::optional<Clock::time_point> shown_;  ///< time of the last progress line
  bool ends_ = false;
  std::condition_variable wake_;
  std::thread watcher_;
};

}  // namespace vaecuda::cli
