// Runs a program the way a shell does, and returns what it said.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vaecuda::test {

// Exit codes of the programs.
inline constexpr int kRuntime = 1;
inline constexpr int kUsage = 2;
inline constexpr int kBadFile = 3;
inline constexpr int kStopped = 75;

struct ProgramResult {
  int exit_code = -1;  ///< 128 + N where signal N ended it
  std::string out;     ///< stdout
  std::string err;     ///< stderr
  long peak_kib = 0;   ///< the most memory that was resident
};

struct ProgramOptions {
  std::map<std::string, std::string> environment;  ///< added to the test's own
  std::string working_directory;                   ///< empty: the test's own
  std::string stdout_path;                         ///< where stdout goes instead of into `out`
  std::string signal_after;                        ///< text on stderr upon which `signal` is sent, once
  int signal = 0;
  std::chrono::seconds timeout{120};
};

/// Waits for the program to end. \throws std::runtime_error if it cannot be started or runs past the timeout
/// (it is killed then).
[[nodiscard]] ProgramResult run_program(const std::string& path, const std::vector<std::string>& arguments,
                                        const ProgramOptions& options = {});

/// Runs a program that must refuse: this exit code, nothing on stdout, and on stderr an error with `part` in
/// it.
void check_refuses(const std::string& path, const std::vector<std::string>& arguments, int exit_code,
                   std::string_view part);

}  // namespace vaecuda::test
