#include "support/executor.hpp"

namespace vaecuda::test {

Executor cpu_executor(int threads) {
  return {"cpu with " + std::to_string(threads) + " threads",
          [threads] { return make_cpu_backend(threads); }};
}

const std::vector<Executor>& executors() {
  static const std::vector<Executor> all = {cpu_executor(1), cpu_executor(3)};
  return all;
}

}  // namespace vaecuda::test
