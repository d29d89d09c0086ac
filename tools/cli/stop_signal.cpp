#include "cli/stop_signal.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>

#include "vaecuda/output.hpp"

namespace vaecuda::cli {
namespace {

constexpr std::array kAsked = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
constexpr std::array kRepeated = {SIGPIPE, SIGXCPU};
// SIGPIPE last: it ends commands that print results, not those that write them to files.
constexpr std::array kEnding = {SIGINT,  SIGTERM, SIGHUP,    SIGQUIT, SIGUSR1, SIGUSR2,
                                SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF, SIGPIPE};

volatile std::sig_atomic_t received_signal = 0;

void note_signal(int signal) {
  received_signal = signal;
}

volatile std::sig_atomic_t code_of_end = 0;

/// The default action is restored before this is called; the signal is blocked meanwhile and ends the program
/// afterwards.
void tidy_up(int signal) {
  remove_unfinished_files();
  if (code_of_end != 0) {
    constexpr std::string_view kSaid = "stopped by a signal; the run is saved\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kSaid.data(), kSaid.size());
    _exit(code_of_end);
  }
  static_cast<void>(std::raise(signal));
}

/// The exit code is set before the handlers are installed.
std::span<const int> ending_with(int exit_code) {
  code_of_end = exit_code;
  const std::span<const int> all(kEnding);
  return exit_code == 0 ? all : all.first(all.size() - 1);
}

/// Returns the previous limit if it was lowered.
std::optional<rlimit> keep_time_for_saving() {
  constexpr rlim_t kSecondsOfCore = 10;
  rlimit limit{};
  if (getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return std::nullopt;
  const rlim_t wanted = kSecondsOfCore * std::max(1U, std::thread::hardware_concurrency());
  const rlim_t most = limit.rlim_max - std::min(wanted, limit.rlim_max / 2);
  if (limit.rlim_cur <= most) return std::nullopt;
  const rlimit lowered{most, limit.rlim_max};
  if (setrlimit(RLIMIT_CPU, &lowered) != 0) return std::nullopt;
  return limit;
}

}  // namespace

SignalHandlers::SignalHandlers(std::span<const int> signals, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  replaced_.reserve(signals.size());
  for (const int signal : signals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if ((before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_IGN) continue;
    replaced_.push_back({signal, before});
    sigaction(signal, &action, nullptr);
  }
}

SignalHandlers::~SignalHandlers() {
  for (const Replaced& one : replaced_) sigaction(one.signal, &one.before, nullptr);
}

void SignalHandlers::let_through() const {
  for (const Replaced& one : replaced_) std::signal(one.signal, SIG_DFL);
}

// For signals sent by a user the system restores the default action when it delivers the first one.
StopSignal::StopSignal()
    : asked_(kAsked, note_signal, static_cast<int>(SA_RESTART | SA_RESETHAND)),
      repeated_(kRepeated, note_signal, SA_RESTART),
      processor_time_(keep_time_for_saving()) {
  received_signal = 0;
}

StopSignal::~StopSignal() {
  if (processor_time_) setrlimit(RLIMIT_CPU, &*processor_time_);
}

int StopSignal::received() const {
  const int signal = received_signal;
  if (signal != 0) asked_.let_through();
  return signal;
}

TidyOnSignal::TidyOnSignal(int exit_code)
    : handlers_(ending_with(exit_code), tidy_up, static_cast<int>(SA_RESETHAND)) {}

}  // namespace vaecuda::cli
