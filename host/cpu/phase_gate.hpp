// Hands out the units of one phase after the other. A phase is over when its units are done, not when all
// threads have arrived: a thread that the system has taken off its core holds nobody up unless it holds a
// unit, and joins whatever phase is open when it comes back.
#pragma once

#include <atomic>
#include <cstdint>

namespace vaecuda::cpu {

class PhaseGate {
 public:
  struct Claim {
    std::uint64_t phase;  ///< the phase that was open
    std::int64_t unit;    ///< the caller's; past the phase's last one where none was left
  };

  /// Phase and unit come from one atomic number, so a claim never mixes two phases.
  [[nodiscard]] Claim claim() {
    const std::uint64_t ticket = ticket_.fetch_add(1, std::memory_order_acq_rel);
    return {ticket >> 32, static_cast<std::int64_t>(ticket & 0xffffffffU)};
  }

  /// To be called once for each unit that was done; true for the last of `units`, whose caller then opens the
  /// next phase.
  [[nodiscard]] bool finish_unit(std::int64_t units) {
    return done_.fetch_add(1, std::memory_order_acq_rel) + 1 == units;
  }

  /// Everything that the caller did before is visible to who claims a unit of `phase` (below 2³²).
  void open(std::uint64_t phase) {
    done_.store(0, std::memory_order_relaxed);
    ticket_.store(phase << 32, std::memory_order_release);
    ticket_.notify_all();
  }

  /// Returns when another phase than this one is open.
  void wait_while(std::uint64_t phase) {
    // A phase of a small model is over within microseconds, so sleeping at once would cost more than the
    // work.
    constexpr int kSpins = 4096;
    for (int i = 0; i < kSpins; ++i) {
      if (ticket_.load(std::memory_order_acquire) >> 32 != phase) return;
      pause();
    }
    for (;;) {
      const std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
      if (ticket >> 32 != phase) return;
      ticket_.wait(ticket, std::memory_order_acquire);
    }
  }

 private:
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  alignas(64) std::atomic<std::uint64_t> ticket_{0};  ///< phase in the high half, next unit in the low one
  alignas(64) std::atomic<std::int64_t> done_{0};
};

}  // namespace vaecuda::cpu
