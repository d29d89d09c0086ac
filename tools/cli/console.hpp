// What a person reads: errors, messages, a status line and signs of life on stderr; data on stdout. Whatever
// text comes from files appears as visible.hpp says.
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
  /// Whether lines can be rewritten.
  [[nodiscard]] bool interactive() const { return interactive_; }
  /// A line that stays. The status line, if any, moves below it.
  void message(std::string_view line);
  /// Replaces the status line, cut to the terminal's width. Only where interactive.
  void status(std::string_view line);
  /// Leaves the status line behind; what follows stands below it.
  void finish_status();

  /// From here on the program works without a word, at `doing`: after two seconds a line says so, on a
  /// terminal rewritten as it goes on, elsewhere a new one every five seconds.
  void busy(std::string_view doing);
  /// How far it is; a pass that was not known before is work of its own.
  void progress(const PassProgress& now);
  /// The work is done, and its line goes.
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
  std::string doing_;  ///< empty: nothing that takes long
  std::optional<PassProgress> now_;
  Clock::time_point began_;
  std::optional<Clock::time_point> shown_;  ///< when a line last said how far the work is
  bool ends_ = false;
  std::condition_variable wake_;
  std::thread watcher_;
};

}  // namespace vaecuda::cli
