// Signals that end a program: a run saves and stops, every other command leaves no half-written file.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <optional>
#include <span>
#include <vector>

namespace vaecuda::cli {

/// Installs one handler for several signals during its lifetime, then restores the previous ones. A signal
/// that is ignored, as under nohup, stays ignored.
class SignalHandlers {
 public:
  /// `flags` as for sigaction. The handler may call only async-signal-safe functions.
  SignalHandlers(std::span<const int> signals, void (*handler)(int), int flags);
  ~SignalHandlers();
  SignalHandlers(const SignalHandlers&) = delete;
  SignalHandlers& operator=(const SignalHandlers&) = delete;
  /// From this call on, each of them ends the program.
  void let_through() const;

 private:
  struct Replaced {
    int signal;
    struct sigaction before;
  };
  std::vector<Replaced> replaced_;
};

/// During its lifetime, records signals that request the program to end, by a handler that only sets a flag:
/// SIGINT (Ctrl-C), SIGTERM, SIGUSR1 (sent by SLURM before the time limit) and SIGHUP (the terminal was
/// closed), of which a second one ends the program; SIGPIPE (nobody reads the output) and SIGXCPU (the limit
/// on processor time), which repeat by themselves. Of a hard limit on processor time, at which the system
/// kills the process, ten seconds per core are reserved for saving, at most half of the limit. At most one
/// object at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The received signal; 0 if none. After the first call that returns it, any of the first four ends the
  /// program; until then, only a second one of the same kind does.
  [[nodiscard]] int received() const;

 private:
  SignalHandlers asked_;
  SignalHandlers repeated_;
  std::optional<rlimit> processor_time_;  ///< the previous limit, if it was lowered
};

/// During its lifetime, a signal that ends the program first removes the temporary files of its outputs.
class TidyOnSignal {
 public:
  /// `exit_code`: exit code in that case, with SIGPIPE not handled, because results are in files; 0: the
  /// program is ended by the signal itself, as by default. At most one object at a time.
  explicit TidyOnSignal(int exit_code = 0);

 private:
  SignalHandlers handlers_;
};

}  // namespace vaecuda::cli
