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
};

/// A CPU backend of so many threads.
[[nodiscard]] Executor cpu_executor(int threads);
/// All executors of this build and machine.
[[nodiscard]] const std::vector<Executor>& executors();

}  // namespace vaecuda::test
