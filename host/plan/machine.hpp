// The ceilings of a device, as measured on it: what the time of a plan is held against, and what a new design
// may count on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vaecuda/config.hpp"
#include "vaecuda/device.hpp"

namespace vaecuda {

enum class CeilingKind {
  bandwidth,  ///< bytes per second, read and written
  rate,       ///< floating-point operations per second
  cost,       ///< seconds per event
};

struct Ceiling {
  std::string name;  ///< "copy", "gemm fp32", …
  CeilingKind kind = CeilingKind::cost;
  double amount = 1.0;  ///< bytes, operations or events of one repeat
  std::string detail;   ///< sizes and means
  std::string refused;  ///< why this device has none; empty where it has
};

/// Everything that a device can tell about itself. Holds the device's memory as long as it lives.
class Machine {
 public:
  virtual ~Machine() = default;
  [[nodiscard]] virtual const std::vector<Ceiling>& ceilings() const = 0;
  /// Runs the ceiling's work `count` times; gives the seconds that the device spent on that.
  /// \throws std::logic_error for one that the device has refused
  [[nodiscard]] virtual double timed_run(std::size_t ceiling, std::int64_t count) = 0;
};

/// The ceiling that memory-bound ops are held against.
inline constexpr const char* kCopyCeiling = "copy";
/// The ceiling that matrix products of a precision are held against: "gemm fp32", with all threads of a CPU.
[[nodiscard]] inline std::string gemm_ceiling(Precision precision) {
  constexpr const char* kNames[] = {"gemm fp32", "gemm tf32", "gemm bf16"};
  return kNames[static_cast<int>(precision)];
}

/// What the CPU backend computes with on this processor: the matrix products' kernels and the loops'
/// instruction set.
[[nodiscard]] std::string cpu_kernels();
/// Why the CPU backend gets fewer threads than `threads` (0: one per core that this process may use), in one
/// line without a full stop; empty where it gets them.
[[nodiscard]] std::string why_fewer_threads(int threads);
/// `threads` 0: one per core that this process may use. \throws OutOfMemoryError
[[nodiscard]] std::unique_ptr<Machine> make_cpu_machine(int threads);
/// \throws DeviceError, OutOfMemoryError
[[nodiscard]] std::unique_ptr<Machine> make_machine(const DeviceInfo& device);

}  // namespace vaecuda
