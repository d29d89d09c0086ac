#include "simt/order.hpp"

#include <algorithm>

namespace vaecuda::simt {
namespace {

void publish(Horizon& into, std::uint32_t block, const Release& release) {
  if (into.size() <= block) into.resize(block + 1);
  if (into[block].thread_time < release.thread_time) into[block] = release;
}

}  // namespace

bool is_visible(const Horizon& horizon, Record record) {
  const std::uint32_t block = block_of(record);
  if (block >= horizon.size()) return false;
  const Release& release = horizon[block];
  return time_of(record) < release.barrier_time ||
         (time_of(record) <= release.thread_time && thread_of(record) == release.thread);
}

void merge(Horizon& into, const Horizon& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (std::size_t b = 0; b < from.size(); ++b) {
    if (into[b].thread_time < from[b].thread_time) into[b] = from[b];
  }
}

void BlockOrder::begin(std::uint32_t block_index, std::uint32_t time) {
  block = block_index;
  now = time;
  barrier_time = time;
  acquired.clear();
  pending.clear();
}

void BlockOrder::pass_barrier(std::uint32_t time) {
  now = time;
  barrier_time = time;
  for (const auto& [thread, horizon] : pending) merge(acquired, horizon);
  pending.clear();
}

bool BlockOrder::is_ordered(Record record, std::uint32_t thread) const {
  if (block_of(record) == block) return thread_of(record) == thread || time_of(record) < barrier_time;
  if (is_visible(acquired, record)) return true;
  return std::any_of(pending.begin(), pending.end(), [&](const auto& entry) {
    return entry.first == thread && is_visible(entry.second, record);
  });
}

void TicketOrder::take(const void* counter, BlockOrder& block, std::uint32_t thread, std::uint32_t time) {
  Horizon& horizon = counters_[counter];
  merge(horizon, block.acquired);
  for (const auto& [owner, own] : block.pending) {
    if (owner == thread) merge(horizon, own);
  }
  const Release release{block.barrier_time, block.now, thread};
  publish(horizon, block.block, release);
  publish(published_, block.block, release);
  block.pending.emplace_back(thread, horizon);
  block.now = time;
}

}  // namespace vaecuda::simt
