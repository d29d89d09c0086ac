// What a person reads: errors, messages and a status line on stderr; data on stdout.
#pragma once

#include <string>
#include <string_view>

namespace vaecuda::cli {

/// "error: …" on stderr; coloured on a terminal unless NO_COLOR is set.
void print_error(std::string_view message);
/// Text for stdout. \throws RuntimeError if it cannot be written.
void write_output(std::string_view text);

/// Messages and progress on stderr. A quiet console shows nothing.
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
  void status(std::string line);
  /// Leaves the status line behind; what follows stands below it.
  void finish_status();

 private:
  void draw_status() const;
  bool quiet_;
  bool interactive_;
  std::string status_;
};

}  // namespace vaecuda::cli
