#include "cli/stop_signal.hpp"

#include <csignal>

namespace vaecuda::cli {
namespace {

volatile std::sig_atomic_t received_signal = 0;

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void note_signal(int signal) {
  received_signal = signal;
  set_handler(SIG_DFL);  // sigaction is async-signal-safe
}

}  // namespace

StopSignal::StopSignal() {
  received_signal = 0;
  set_handler(note_signal);
}

StopSignal::~StopSignal() {
  set_handler(SIG_DFL);
}

int StopSignal::received() {
  return received_signal;
}

}  // namespace vaecuda::cli
