#include "cli/console.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "vaecuda/error.hpp"

namespace vaecuda::cli {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr std::size_t kDefaultWidth = 80;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

bool is_capable_terminal() {
  return isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb";
}

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
  return size.ws_col;
}

/// Nothing can be done where stderr itself cannot be written.
void write_stderr(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  static_cast<void>(std::fflush(stderr));
}

}  // namespace

void print_error(std::string_view message) {
  const bool coloured = is_capable_terminal() && environment("NO_COLOR").empty();
  write_stderr(fmt::format("{} {}\n", coloured ? "\x1b[1;31merror:\x1b[0m" : "error:", message));
}

void write_output(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw RuntimeError(
        fmt::format("cannot write to standard output: {}", std::generic_category().message(errno)));
  }
}

Console::Console(bool quiet) : quiet_(quiet), interactive_(!quiet && is_capable_terminal()) {}

Console::~Console() {
  finish_status();
}

void Console::message(std::string_view line) {
  if (quiet_) return;
  write_stderr(fmt::format("{}{}\n", status_.empty() ? "" : kClearLine, line));
  if (!status_.empty()) draw_status();
}

void Console::status(std::string line) {
  if (!interactive_) return;
  status_ = std::move(line);
  draw_status();
}

void Console::finish_status() {
  if (!status_.empty()) write_stderr("\n");
  status_.clear();
}

void Console::draw_status() const {
  // The last column stays free: a character there makes some terminals wrap.
  write_stderr(fmt::format("{}{}", kClearLine, std::string_view(status_).substr(0, terminal_width() - 1)));
}

}  // namespace vaecuda::cli
