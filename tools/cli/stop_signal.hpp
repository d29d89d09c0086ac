// Ctrl-C and SIGTERM ask a run to save and stop; a second one ends the program at once.
#pragma once

namespace vaecuda::cli {

/// While it lives, SIGINT and SIGTERM are noted. At most one at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// The signal that came, 0 where none did.
  [[nodiscard]] static int received();
};

}  // namespace vaecuda::cli
