// One block of a launch: its fibers, its warps, its shared memory.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "simt/context.hpp"
#include "simt/shared_pool.hpp"

namespace vaecuda::simt {

inline constexpr unsigned kWarp = 32;
/// What every GPU gives a block without being asked for more.
inline constexpr std::size_t kMaxSharedBytes = std::size_t{48} << 10;

enum class Wait : std::uint8_t { none, shuffle, block_barrier, grid_barrier, exited };

/// Where in the source a barrier is called.
struct Place {
  const char* file = "";
  unsigned line = 0;
};
[[nodiscard]] bool operator==(const Place& a, const Place& b);

struct Fiber {
  boost::context::detail::fcontext_t context = nullptr;
  std::uintptr_t stack = 0;
  unsigned x = 0;
  unsigned y = 0;
  Wait wait = Wait::none;
  Place barrier;  ///< the one that it waits at
  std::uint8_t shuffle_bytes = 0;
  std::uint8_t shuffle_mask = 0;
  std::uint8_t shuffle_turn = 0;     ///< which of the two values the last shuffle uses
  std::uint64_t shuffle_value[2]{};  ///< two, since a lane may reach the next shuffle before another has read

  /// "waits at the block barrier in gather.cu, line 12", or what else it does.
  [[nodiscard]] std::string state() const;
};
/// True if one may go on when the other does.
[[nodiscard]] bool meet(const Fiber& a, const Fiber& b);

class Block {
 public:
  Block(Pass& pass, SharedPool& shared, std::size_t first_stack);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  /// Begins block `index` of the grid; none of its threads runs yet.
  void begin(std::uint32_t index);
  enum class Stop { exited, grid_barrier, fault };
  /// Runs the threads until all have left the kernel or wait at the grid barrier. `reversed`: warps and lanes
  /// from the last to the first.
  Stop run(bool reversed);
  /// All threads wait at the grid barrier and may go on.
  void pass_grid_barrier(std::uint32_t time);

  // For the running thread.
  void wait_here(Wait reason);
  void wait_at_barrier(Wait reason, const Place& place);
  [[nodiscard]] std::uint64_t shuffle(std::uint64_t bits, unsigned bytes, int mask);
  [[nodiscard]] Region& shared_array(const void* key, std::size_t bytes);
  /// Null where the launch has none.
  [[nodiscard]] Region* dynamic_shared() { return dynamic_; }
  [[nodiscard]] BlockOrder& order() { return order_; }
  [[nodiscard]] const LaunchHead& head() const { return *pass_->head; }
  [[nodiscard]] std::uint32_t running() const { return running_; }
  [[nodiscard]] const Fiber& fiber() const { return fibers_[running_]; }
  /// Thread 0, which stands for all of them at a grid barrier.
  [[nodiscard]] const Fiber& first_fiber() const { return fibers_[0]; }
  [[nodiscard]] std::uint32_t index() const { return order_.block; }
  [[noreturn]] void abandon();

 private:
  static void enter(boost::context::detail::transfer_t from);
  void resume(std::uint32_t thread);
  bool run_warp(std::uint32_t warp, bool reversed);
  void release_all();
  void report_divergence(std::uint32_t first, std::uint32_t count);
  Region& add_array(const void* key, std::size_t bytes);
  Pass* pass_;
  SharedPool* shared_;
  std::size_t arena_pages_;
  std::vector<Fiber> fibers_;
  BlockOrder order_;
  std::uint32_t running_ = 0;
  boost::context::detail::fcontext_t scheduler_ = nullptr;
  struct Array {
    const void* key;
    Region* region;
  };
  std::vector<Array> arrays_;
  Region* dynamic_ = nullptr;
  std::uint32_t begin_time_ = 0;
  std::size_t static_bytes_ = 0;
};

/// The block whose thread runs on this host thread.
extern constinit thread_local Block* g_block;

}  // namespace vaecuda::simt
