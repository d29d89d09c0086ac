#include "cli/stop_signal.hpp"

#include <array>
#include <csignal>

namespace vaecuda::cli {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGUSR1};

volatile std::sig_atomic_t received_signal = 0;

void note_signal(int signal) {
  received_signal = signal;
}

void set_handlers(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // The system puts the default back as it delivers the first one, so that a second ends the program.
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() {
  received_signal = 0;
  set_handlers(note_signal);
}

StopSignal::~StopSignal() {
  set_handlers(SIG_DFL);
}

int StopSignal::received() {
  const int signal = received_signal;
  if (signal != 0) set_handlers(SIG_DFL);
  return signal;
}

}  // namespace vaecuda::cli
