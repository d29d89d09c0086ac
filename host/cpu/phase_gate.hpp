// Assigns the units of one phase after the other to threads. Each thread has its own queue, and when that is
// empty it steals from the others: so a thread processes the same part of the data at every step, mostly from
// its own caches, and no thread waits while there is work. A phase ends when its units are done, not when all
// threads have arrived: a descheduled thread delays the others only if it holds a unit, and joins the phase
// that is open when it resumes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vaecuda::cpu {

class PhaseGate {
 public:
  struct Claim {
    std::uint64_t phase;  ///< the phase that was open
    std::int64_t number;  ///< the caller's unit of the queue; beyond the queue's last one if none was left
  };

  /// Phase 0 is open.
  explicit PhaseGate(int queues) : queues_(static_cast<std::size_t>(queues)) {}

  [[nodiscard]] int queues() const { return static_cast<int>(queues_.size()); }

  /// What a claim would get, without taking it.
  [[nodiscard]] Claim look(int queue) const { return parts(ticket(queue).load(std::memory_order_acquire)); }

  /// Phase and number come from one atomic number, so a claim never mixes two phases.
  [[nodiscard]] Claim claim(int queue) {
    return parts(ticket(queue).fetch_add(1, std::memory_order_acq_rel));
  }

  /// To be called once for each completed unit; true for the last one of the phase, whose caller then opens
  /// the next phase. Opening counts as a unit too: if it is the last, open() returns true instead.
  [[nodiscard]] bool finish_unit(std::int64_t units) {
    return done_.fetch_add(1, std::memory_order_acq_rel) == units;
  }

  /// Everything that the caller did before is visible to threads that claim a unit of `phase` (below 2³²).
  /// \return true if all of its `units` are already done, so that the caller must open the next one.
  [[nodiscard]] bool open(std::uint64_t phase, std::int64_t units) {
    // If the opening did not count, another thread could end the phase, and open the next one, before the
    // last queue is open.
    done_.store(0, std::memory_order_relaxed);
    for (Queue& queue : queues_) {
      queue.ticket.store(phase << 32, std::memory_order_release);
      queue.ticket.notify_all();
    }
    return finish_unit(units);
  }

  /// Returns when a phase other than this one is open in the queue.
  void wait_while(int queue, std::uint64_t phase) const {
    // A phase of a small model takes microseconds, so sleeping at once would cost more than the work.
    constexpr int kSpins = 4096;
    for (int i = 0; i < kSpins; ++i) {
      if (look(queue).phase != phase) return;
      pause();
    }
    for (;;) {
      const std::uint64_t seen = ticket(queue).load(std::memory_order_acquire);
      if (parts(seen).phase != phase) return;
      ticket(queue).wait(seen, std::memory_order_acquire);
    }
  }

 private:
  /// Phase in the high half, next unit in the low one.
  struct alignas(64) Queue {
    std::atomic<std::uint64_t> ticket{0};
  };

  [[nodiscard]] static Claim parts(std::uint64_t ticket) {
    return {ticket >> 32, static_cast<std::int64_t>(ticket & 0xffffffffU)};
  }
  [[nodiscard]] std::atomic<std::uint64_t>& ticket(int queue) {
    return queues_[static_cast<std::size_t>(queue)].ticket;
  }
  [[nodiscard]] const std::atomic<std::uint64_t>& ticket(int queue) const {
    return queues_[static_cast<std::size_t>(queue)].ticket;
  }

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  std::vector<Queue> queues_;
  alignas(64) std::atomic<std::int64_t> done_{1};  ///< units, and the opening
};

}  // namespace vaecuda::cpu
