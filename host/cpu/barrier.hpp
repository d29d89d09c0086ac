// A barrier whose last arriver does serial work before the others go on: one rendezvous where two barriers
// with a single-threaded part between them would stand.
#pragma once

#include <atomic>
#include <cstdint>

namespace vaecuda::cpu {

class Barrier {
 public:
  /// Before the first arrival.
  void set_threads(int threads) { threads_ = threads; }

  /// Waits for all threads; the last to arrive runs `serial` first.
  template <typename Serial>
  void arrive_and_wait(Serial&& serial) {
    const std::uint32_t generation = generation_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      serial();
      arrived_.store(0, std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
      generation_.notify_all();
      return;
    }
    // A phase of a small model is over within microseconds, so sleeping at once would cost more than the
    // work; on an overcommitted machine the wait below gives the core away.
    constexpr int kSpins = 4096;
    for (int i = 0; i < kSpins; ++i) {
      if (generation_.load(std::memory_order_acquire) != generation) return;
      pause();
    }
    while (generation_.load(std::memory_order_acquire) == generation)
      generation_.wait(generation, std::memory_order_acquire);
  }

 private:
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  int threads_ = 1;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> generation_{0};
};

}  // namespace vaecuda::cpu
