// Runs a kernel over its grid: once, or twice with the blocks in another order.
#pragma once

#include <cstdint>

#include "simt/kernel_call.hpp"
#include "simt/memory.hpp"
#include "simt/page_log.hpp"
#include "simt/shared_pool.hpp"

namespace vaecuda::simt {

class Launcher {
 public:
  explicit Launcher(Memory& memory) : memory_(&memory), shared_(memory) {}
  /// \throws SimtError with the first fault that the kernel commits.
  void run(const LaunchHead& head, const KernelCall& call, bool second_order);

 private:
  void run_pass(const LaunchHead& head, const KernelCall& call, bool reversed);
  Memory* memory_;
  SharedPool shared_;
  PageLog pages_;
  std::uint32_t launches_ = 0;
};

}  // namespace vaecuda::simt
