// What the executor reports: a fault of a kernel, or of the host code that drives it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace vaecuda::simt {

enum class FaultKind {
  out_of_bounds,    ///< outside every buffer, or inside one that is freed or belongs to somebody else
  misaligned,       ///< the address is no multiple of the access's size
  uninitialized,    ///< a read of memory that nothing has written
  race,             ///< two accesses, one of them a write, without an order between them
  divergence,       ///< threads that should meet at a barrier or shuffle do not
  order_dependent,  ///< another order of the blocks leaves other bits
  launch_shape,     ///< a grid or block that the executor cannot run
  host,             ///< host code: a bad operand of a copy or product, a bad stream
};

/// Where a fault lies, as far as it is known.
struct Fault {
  FaultKind kind = FaultKind::host;
  std::string what;         ///< the sentence after the place
  std::string kernel;       ///< name given to launch(); empty outside kernels
  std::int64_t block = -1;  ///< −1: no single block
  int thread_x = -1;        ///< −1: no single thread
  int thread_y = -1;
  std::string buffer;        ///< empty: none
  std::int64_t offset = -1;  ///< byte in the buffer
};

class SimtError : public std::runtime_error {
 public:
  explicit SimtError(Fault fault) : std::runtime_error(message(fault)), fault_(std::move(fault)) {}
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }
  [[nodiscard]] FaultKind kind() const noexcept { return fault_.kind; }

 private:
  static std::string message(const Fault& fault) {
    std::string place;
    if (!fault.kernel.empty()) place += "kernel " + fault.kernel + ", ";
    if (fault.block >= 0) place += "block " + std::to_string(fault.block) + ", ";
    if (fault.thread_x >= 0)
      place += "thread (" + std::to_string(fault.thread_x) + "," + std::to_string(fault.thread_y) + "), ";
    if (!place.empty()) place.replace(place.size() - 2, 2, ": ");
    return place + fault.what;
  }
  Fault fault_;
};

}  // namespace vaecuda::simt
