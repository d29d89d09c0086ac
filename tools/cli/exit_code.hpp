// Exit codes of the programs, and the one place that handles errors.
#pragma once

#include <functional>

namespace vaecuda::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitRuntime = 1;
inline constexpr int kExitOutOfMemory = 4;
/// A signal ended the run after saving its state (EX_TEMPFAIL of sysexits.h: try again).
inline constexpr int kExitStopped = 75;

/// Runs a program's body, with SIGXFSZ ignored. An error becomes its message on stderr and its exit code.
[[nodiscard]] int run_program(const std::function<int()>& body);

}  // namespace vaecuda::cli
