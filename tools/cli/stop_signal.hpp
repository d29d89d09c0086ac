// SIGINT (Ctrl-C), SIGTERM and SIGUSR1 ask a run to save and stop; a second one ends the program at once.
#pragma once

namespace vaecuda::cli {

/// While it lives, the three signals are noted, by a handler that sets a flag and does nothing else. At most
/// one object at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The signal that came, 0 where none did. From the call that first reports it on, any of the three ends
  /// the program; until then, another one of the same kind does.
  [[nodiscard]] static int received();
};

}  // namespace vaecuda::cli
