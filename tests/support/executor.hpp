// The executors that every op test runs on. An executor is a way to make a backend; a new one is a new line.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/plan/backend.hpp"

namespace vaecuda::test {

struct Executor {
  std::string name;
  std::function<std::unique_ptr<Backend>()> make;
  /// Normals by the device's sine and cosine, which are coarser than the formulas' own.
  bool hardware_normals = false;
};

/// A CPU backend of so many threads.
[[nodiscard]] Executor cpu_executor(int threads);
/// All executors of this build and machine: the CPU with one thread and three; the kernels' own source on
/// fibers, with and without the matrix library's epilogues; a GPU where there is one. Without a GPU a line on
/// stderr says why, and VAECUDA_REQUIRE_GPU=1 makes that an error. VAECUDA_EXECUTORS=gpu (cpu, simt) leaves
/// the others out. \throws std::runtime_error
[[nodiscard]] const std::vector<Executor>& executors();

}  // namespace vaecuda::test
