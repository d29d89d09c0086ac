#include "cli/console.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "cli/progress.hpp"
#include "cli/visible.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cli {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr std::size_t kDefaultWidth = 80;
constexpr std::size_t kLongestLine = 200;

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

/// If stderr cannot be written, nothing can be done.
void write_stderr(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  static_cast<void>(std::fflush(stderr));
}

}  // namespace

void print_error(std::string_view message) {
  const bool coloured = is_capable_terminal() && environment("NO_COLOR").empty();
  write_stderr(
      fmt::format("{} {}\n", coloured ? "\x1b[1;31merror:\x1b[0m" : "error:", visible_message(message)));
}

void write_output(std::string_view from) {
  const std::string text = visible(from);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw RuntimeError(
        fmt::format("cannot write to standard output: {}", std::generic_category().message(errno)));
  }
}

bool shows_output() {
  return isatty(STDOUT_FILENO) == 1;
}

Console::Console(bool quiet) : quiet_(quiet), interactive_(!quiet && is_capable_terminal()) {
  status_.reserve(kLongestLine);
  doing_.reserve(kLongestLine);
}

Console::~Console() {
  idle();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ends_ = true;
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  finish_status();
}

void Console::message(std::string_view line) {
  if (quiet_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  write_stderr(fmt::format("{}{}\n", status_.empty() ? "" : kClearLine, visible_message(line)));
  if (!status_.empty()) draw_status();
}

void Console::status(std::string_view line) {
  if (!interactive_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  status_ = visible_name(line);
  draw_status();
}

void Console::finish_status() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!status_.empty()) write_stderr("\n");
  status_.clear();
}

void Console::busy(std::string_view doing) {
  if (quiet_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  begin(doing);
  if (watcher_.joinable()) return;
  try {
    watcher_ = std::thread([this] { watch(); });
  } catch (const std::system_error&) {
    // If no thread can be started, there is no progress line.
  }
}

void Console::begin(std::string_view doing) {
  doing_ = doing.substr(0, kLongestLine);
  now_.reset();
  began_ = Clock::now();
  shown_.reset();
}

void Console::progress(const PassProgress& now) {
  if (quiet_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!now_ || (!now.share && now.pass != now_->pass)) begin(now.pass);
  now_ = now;
}

void Console::idle() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (interactive_ && shown_) {
    write_stderr(kClearLine);
    status_.clear();
  }
  doing_.clear();
  now_.reset();
  shown_.reset();
}

/// Checks four times a second. Its text is composed without the heap: a thread's first allocation would
/// reserve address space that the work may need.
void Console::watch() {
  constexpr std::chrono::milliseconds kBetweenLooks{250};
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_for(lock, kBetweenLooks, [this] { return ends_; })) show_work();
}

void Console::show_work() {
  constexpr std::chrono::seconds kPatience{2};
  constexpr std::chrono::seconds kLineInterval{5};
  const Clock::time_point time = Clock::now();
  if (doing_.empty() || time - began_ < kPatience) return;
  if (!interactive_ && shown_ && time - *shown_ < kLineInterval) return;
  shown_ = time;
  std::array<char, kLongestLine> text{};
  const std::string_view line =
      format_work(text, doing_, now_, std::chrono::duration<double>(time - began_).count());
  if (interactive_) {
    status_ = line;
    draw_status();
  } else {
    write_stderr(line);
    write_stderr("\n");
  }
}

void Console::draw_status() const {
  // The last column stays empty: a character there makes some terminals wrap.
  write_stderr(kClearLine);
  write_stderr(std::string_view(status_).substr(0, terminal_width() - 1));
}

}  // namespace vaecuda::cli
