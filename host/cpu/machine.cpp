// Ceilings of the CPU: memory bandwidth, matrix products by the backend's functions, the phase gate, and the
// latency between cores.
#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include "host/cpu/core_count.hpp"
#include "host/cpu/loops.hpp"
#include "host/cpu/memory.hpp"
#include "host/cpu/program.hpp"
#include "host/plan/machine.hpp"
#include "kernels/math/philox.h"

namespace vaecuda {
namespace cpu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kProductSize = 1024;
constexpr std::int64_t kPhases = 16;
constexpr std::int64_t kTurns = 64;
constexpr std::int64_t kMebibyte = std::int64_t{1} << 18;  // in floats

/// Floats in each of the two buffers of a copy: together well above the caches, and only a part of the
/// memory.
std::int64_t copy_floats() {
  const std::int64_t cache = std::max(sysconf(_SC_LEVEL3_CACHE_SIZE), 0L) / 4;
  const std::int64_t available = host_memory().available / 4;
  std::int64_t size = std::clamp(2 * cache, 64 * kMebibyte, 512 * kMebibyte);
  if (available > 0) size = std::min(size, std::max(available / 8, kMebibyte));
  return size;
}

/// Uniform in (0, 1].
void fill_random(float* values, std::int64_t size, std::uint64_t stream) {
  const std::int64_t drawn = std::min(size, kMebibyte);  // the rest repeats it
  for (std::int64_t i = 0; i < drawn; i += 4) {
    const math::Philox4 words = math::philox(1, stream, static_cast<std::uint64_t>(i / 4));
    for (std::int64_t j = 0; j < std::min<std::int64_t>(4, drawn - i); ++j) {
      values[i + j] = math::uniform_from_bits(words.v[j]);
    }
  }
  for (std::int64_t i = drawn; i < size; i += drawn) {
    std::copy_n(values, std::min(drawn, size - i), values + i);
  }
}

/// Runs `work` on this many threads at once, like the parallel regions of programs; returns the wall time.
template <typename Work>
double timed_region(int threads, const Work& work) {
  const Clock::time_point began = Clock::now();
  const Team team(threads, nullptr);
#pragma omp parallel num_threads(team.threads()) default(shared)
  {
    omp_set_num_threads(1);  // for products inside: OpenBLAS uses as many threads as OpenMP would
    work(omp_get_thread_num());
  }
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// Every thread copies its own part.
class Copy {
 public:
  Copy(int threads, const std::shared_ptr<ByteCounter>& counter)
      : threads_(threads),
        part_(copy_floats() / threads),
        from_(part_ * threads, "a copy's source", counter),
        to_(part_ * threads, "a copy's target", counter) {
    timed_region(threads_, [this](int thread) {
      fill_random(from_.data() + thread * part_, part_, static_cast<std::uint64_t>(thread));
    });
  }

  [[nodiscard]] double bytes() const { return 8.0 * static_cast<double>(from_.size()); }

  double timed_run(std::int64_t count) {
    return timed_region(threads_, [this, count](int thread) {
      for (std::int64_t i = 0; i < count; ++i) {
        std::memcpy(to_.data() + thread * part_, from_.data() + thread * part_,
                    static_cast<std::size_t>(part_) * sizeof(float));
      }
    });
  }

 private:
  int threads_;
  std::int64_t part_;
  FloatBuffer from_;
  FloatBuffer to_;
};

/// Every thread multiplies matrices of its own.
class Product {
 public:
  Product(const Products& products, int threads, const std::shared_ptr<ByteCounter>& counter)
      : products_(products),
        scratch_size_((products.scratch_size(0, 0, kProductSize) + 15) / 16 * 16),
        a_(kArea * threads, "a product's operand", counter),
        b_(kArea * threads, "a product's operand", counter),
        c_(kArea * threads, "a product's result", counter),
        scratch_(scratch_size_ * threads, "a product's scratch memory", counter) {
    timed_region(threads, [this](int thread) {
      const auto stream = static_cast<std::uint64_t>(thread);
      fill_random(a_.data() + thread * kArea, kArea, 2 * stream);
      fill_random(b_.data() + thread * kArea, kArea, 2 * stream + 1);
    });
  }

  [[nodiscard]] static double flops() { return 2.0 * static_cast<double>(kArea * kProductSize); }

  double timed_run(int threads, std::int64_t count) {
    return timed_region(threads, [this, count](int thread) {
      for (std::int64_t i = 0; i < count; ++i) {
        products_.forward({a_.data() + thread * kArea, kProductSize},
                          {b_.data() + thread * kArea, kProductSize},
                          {c_.data() + thread * kArea, kProductSize}, kProductSize, kProductSize,
                          kProductSize, scratch_.data() + thread * scratch_size_, StripDone());
      }
    });
  }

 private:
  static constexpr std::int64_t kArea = kProductSize * kProductSize;
  const Products& products_;
  std::int64_t scratch_size_;
  FloatBuffer a_;
  FloatBuffer b_;
  FloatBuffer c_;
  FloatBuffer scratch_;
};

/// Two threads pass a number back and forth `turns` times. Returns the wall time.
double hand_over(std::int64_t turns) {
  constexpr int kSpins =
      1 << 14;  // two threads on one core would otherwise wait for each other's time slices
  alignas(64) std::atomic<std::int64_t> turn{0};
  return timed_region(2, [&turn, turns](int thread) {
    if (omp_get_num_threads() < 2) return;
    for (std::int64_t mine = thread; mine < turns; mine += 2) {
      for (int spin = 1; turn.load(std::memory_order_acquire) != mine; ++spin) {
        if (spin % kSpins == 0) std::this_thread::yield();
      }
      turn.store(mine + 1, std::memory_order_release);
    }
  });
}

/// A program of empty phases, with one unit per thread.
std::unique_ptr<CpuProgram> make_empty_phases(int threads) {
  CompiledPlan compiled;
  compiled.memory = std::make_unique<ProgramMemory>();
  compiled.threads = threads;
  Phase phase;
  phase.pieces.push_back({0, [](const Tile&, float*) {}});
  for (int i = 0; i < threads; ++i) phase.units.push_back({0, 1, {}});
  compiled.phases.assign(kPhases, phase);
  return std::make_unique<CpuProgram>(std::move(compiled));
}

/// The name of the matrix products that the backend uses.
std::string product_kernels() {
  const Products& products = select_loops().products();
  if (&products != &blas_products()) return fmt::format("own {} kernels", products.name);
  return fmt::format("OpenBLAS's {} kernels", blas_kernels());
}

class CpuMachine final : public Machine {
 public:
  explicit CpuMachine(int threads)
      : threads_(threads > 0 ? threads : usable_cores()),
        counter_(std::make_shared<ByteCounter>(0)),
        copy_(threads_, counter_),
        product_(select_loops().products(), threads_, counter_),
        phases_(make_empty_phases(threads_)) {
    const std::string product = fmt::format("{0} x {0} x {0}, {1}, ", kProductSize, product_kernels());
    const std::string all = fmt::format("{} thread{}", threads_, threads_ == 1 ? "" : "s");
    const double flops = Product::flops();
    add({.name = kCopyCeiling,
         .kind = CeilingKind::bandwidth,
         .amount = copy_.bytes(),
         .detail = fmt::format("{:.0f} MiB by memcpy, {}", copy_.bytes() / 2.0 / 1048576.0, all),
         .refused = ""},
        [this](std::int64_t count) { return copy_.timed_run(count); });
    add({.name = gemm_ceiling(Precision::fp32),
         .kind = CeilingKind::rate,
         .amount = flops * threads_,
         .detail = product + all,
         .refused = ""},
        [this](std::int64_t count) { return product_.timed_run(threads_, count); });
    add({.name = gemm_ceiling(Precision::fp32) + " one thread",
         .kind = CeilingKind::rate,
         .amount = flops,
         .detail = product + "1 thread",
         .refused = ""},
        [this](std::int64_t count) { return product_.timed_run(1, count); });
    add({.name = "phase",
         .kind = CeilingKind::cost,
         .amount = static_cast<double>(kPhases),
         .detail = fmt::format(
             "from the opening of one phase to that of the next, {} empty phases a step, {}", kPhases, all),
         .refused = ""},
        [this](std::int64_t count) { return phases_->timed_run(count); });
    add({.name = "core to core",
         .kind = CeilingKind::cost,
         .amount = static_cast<double>(kTurns),
         .detail = "until a thread sees what another one has written, 2 threads",
         .refused = threads_ < 2 ? "one thread has no other" : ""},
        [](std::int64_t count) { return hand_over(count * kTurns); });
  }

  [[nodiscard]] const std::vector<Ceiling>& ceilings() const override { return ceilings_; }

  [[nodiscard]] double timed_run(std::size_t ceiling, std::int64_t count) override {
    if (!ceilings_.at(ceiling).refused.empty()) throw std::logic_error("a ceiling that the device refused");
    return work_.at(ceiling)(count);
  }

 private:
  using TimedWork = std::function<double(std::int64_t count)>;

  void add(Ceiling ceiling, TimedWork work) {
    ceilings_.push_back(std::move(ceiling));
    work_.push_back(std::move(work));
  }

  int threads_;
  std::shared_ptr<ByteCounter> counter_;
  Copy copy_;
  Product product_;
  std::unique_ptr<CpuProgram> phases_;
  std::vector<Ceiling> ceilings_;
  std::vector<TimedWork> work_;
};

}  // namespace
}  // namespace cpu

std::string why_fewer_threads(int threads) {
  const int wanted = threads > 0 ? threads : cpu::usable_cores();
  const int found = cpu::startable_threads(wanted);
  if (found == wanted) return {};
  return fmt::format(
      "computing on {} of {} threads: no more can be started here, by a limit of processes or memory (ulimit "
      "-u, ulimit -v, pids.max of the cgroup)",
      found, wanted);
}

std::string cpu_kernels() {
  return fmt::format("products by {}, loops {}", cpu::product_kernels(), cpu::select_loops().name);
}

std::unique_ptr<Machine> make_cpu_machine(int threads) {
  return std::make_unique<cpu::CpuMachine>(threads);
}

}  // namespace vaecuda
