// What a program that captures its steps as graphs tells about them, beside what every program does.
#pragma once

#include <string>
#include <vector>

namespace vaecuda {

/// Implemented by programs of backends that capture; a dynamic_cast finds it.
class CapturedSteps {
 public:
  virtual ~CapturedSteps() = default;
  /// Kernel nodes in the graph of one step, as the driver counts them.
  [[nodiscard]] virtual int captured_kernels() const = 0;
  /// What the graph holds, by name, in order. A name may stand for several kernels that belong together.
  [[nodiscard]] virtual std::vector<std::string> launches() const = 0;
};

}  // namespace vaecuda
