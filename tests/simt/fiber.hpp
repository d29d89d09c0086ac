// Fibers: a thread of control with a stack of its own, switched by hand.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vaecuda::simt {

/// A kernel's frame and the host's mathematical library need a few KiB; untouched pages cost nothing.
inline constexpr std::size_t kStackBytes = std::size_t{64} << 10;
inline constexpr const char* kDeepStack = "its stack frames need more than the executor's 64 KiB";

/// Stacks of one thread's fibers, used again and again.
class StackPool {
 public:
  /// The calling thread's.
  static StackPool& instance();
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  /// Lowest address of stack `index`.
  [[nodiscard]] std::uintptr_t stack(std::size_t index);

 private:
  StackPool() = default;

  std::vector<std::uintptr_t> chunks_;
};

using FiberEntry = void (*)(boost::context::detail::transfer_t);

/// A fiber that begins in `entry` when it is first switched to. `stack` is its stack's lowest address,
/// `index` spreads the frames of many fibers over the cache.
[[nodiscard]] boost::context::detail::fcontext_t make_fiber(std::uintptr_t stack, std::size_t index,
                                                            FiberEntry entry);
/// What lies at a stack's lowest address.
inline constexpr std::uint64_t kStackEnd = 0x5AFE57AC4B0770ABULL;
/// False if the fiber has used up its stack.
[[nodiscard]] inline bool is_stack_whole(std::uintptr_t stack) {
  return *reinterpret_cast<const std::uint64_t*>(stack) == kStackEnd;
}

}  // namespace vaecuda::simt
