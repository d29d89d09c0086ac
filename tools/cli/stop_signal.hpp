// Signals that end a program: a run saves and stops, every other command leaves no half-written file.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <optional>
#include <span>
#include <vector>

namespace vaecuda::cli {

/// One handler for several signals while it lives; what was there before comes back with its end. A signal
/// that is ignored, as nohup has it, stays so.
class SignalHandlers {
 public:
  /// `flags` as sigaction takes them. The handler may call async-signal-safe functions alone.
  SignalHandlers(std::span<const int> signals, void (*handler)(int), int flags);
  ~SignalHandlers();
  SignalHandlers(const SignalHandlers&) = delete;
  SignalHandlers& operator=(const SignalHandlers&) = delete;
  /// From here on each of them ends the program.
  void let_through() const;

 private:
  struct Replaced {
    int signal;
    struct sigaction before;
  };
  std::vector<Replaced> replaced_;
};

/// While it lives, signals that ask a program to end are noted, by a handler that sets a flag and does
/// nothing else: SIGINT (Ctrl-C), SIGTERM, SIGUSR1 (what SLURM sends before the time is up) and SIGHUP (the
/// terminal is gone), whose second one ends the program; SIGPIPE (nobody reads what is printed) and SIGXCPU
/// (the limit of processor time), which come again by themselves. Of a hard limit of processor time, at which
/// the system ends a process without a word, ten seconds of every core are kept back for saving, half of it
/// at most. At most one object at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The signal that came, 0 where none did. From the call that first reports it on, any of the first four
  /// ends the program; until then, another one of the same kind does.
  [[nodiscard]] int received() const;

 private:
  SignalHandlers asked_;
  SignalHandlers repeated_;
  std::optional<rlimit> processor_time_;  ///< as it was, where it was lowered
};

/// While it lives, a signal that ends the program first removes the temporary files of its outputs.
class TidyOnSignal {
 public:
  /// `exit_code`: what the program ends with then, SIGPIPE left alone, as its results are in files; 0: by the
  /// signal, as any program. At most one object at a time.
  explicit TidyOnSignal(int exit_code = 0);

 private:
  SignalHandlers handlers_;
};

}  // namespace vaecuda::cli
