// What happens before what in one launch: program order in a thread, block barriers in a block, grid barriers
// and tickets between blocks. A shuffle orders nothing, as in CUDA.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "simt/record.hpp"

namespace vaecuda::simt {

/// What one block has published: accesses before `barrier_time` by any thread, and up to and with
/// `thread_time` by the thread that took the ticket.
struct Release {
  std::uint32_t barrier_time = 0;
  std::uint32_t thread_time = 0;
  std::uint32_t thread = 0;
};

/// By block, what of it is visible; shorter than the grid where nothing of the rest is.
using Horizon = std::vector<Release>;

[[nodiscard]] bool is_visible(const Horizon& horizon, Record record);
void merge(Horizon& into, const Horizon& from);

/// The place of one block in the order of a launch.
struct BlockOrder {
  std::uint32_t block = 0;
  std::uint32_t now = 0;
  std::uint32_t barrier_time = 0;  ///< `now` after the last barrier
  Horizon acquired;                ///< visible to the whole block
  /// Visible to one thread, and to the others behind the next barrier.
  std::vector<std::pair<std::uint32_t, Horizon>> pending;

  void begin(std::uint32_t block_index, std::uint32_t time);
  void pass_barrier(std::uint32_t time);
  /// True if the record is ordered before what `thread` does now. Records before the launch or the last grid
  /// barrier are not asked for.
  [[nodiscard]] bool is_ordered(Record record, std::uint32_t thread) const;
};

/// Tickets of one launch.
class TicketOrder {
 public:
  /// The thread publishes what its block has done and learns what earlier tickets of this counter have
  /// published. `time` becomes the block's time.
  void take(const void* counter, BlockOrder& block, std::uint32_t thread, std::uint32_t time);
  /// True if some later ticket may be ordered behind the record.
  [[nodiscard]] bool is_published(Record record) const { return is_visible(published_, record); }

 private:
  std::unordered_map<const void*, Horizon> counters_;
  Horizon published_;
};

}  // namespace vaecuda::simt
