#include "host/cpu/program.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>

#include "host/cpu/profiler.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cpu {

namespace {

/// Running steps: all threads are in work() until the last phase ends.
class StepsRun {
 public:
  StepsRun(const std::vector<Phase>& phases, std::int64_t steps, int threads, ProgramMemory& memory)
      : phases_(phases),
        end_(static_cast<std::uint64_t>(steps) * phases.size()),
        gate_(threads),
        memory_(memory) {}

  /// For the thread with this queue.
  void work(int own, float* scratch) {
    for (;;) {
      std::uint64_t phase = 0;  // the phase in which the queue was empty
      while (take(own, scratch, phase)) {
      }
      if (phase >= end_) return;
      if (!take_from_others(own, phase, scratch)) gate_.wait_while(own, phase);
    }
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  [[nodiscard]] const Phase& phase(std::uint64_t number) const {
    return phases_[static_cast<std::size_t>(number % phases_.size())];
  }

  /// Null if no unit was left.
  [[nodiscard]] const Unit* unit_of(const PhaseGate::Claim& claim, int queue) const {
    if (claim.phase >= end_) return nullptr;
    const Phase& open = phase(claim.phase);
    const auto share = static_cast<std::size_t>(queue);
    const std::size_t begin = share == 0 ? 0 : open.shares[share - 1];
    const std::size_t place = begin + static_cast<std::size_t>(claim.number);
    return place < open.shares[share] ? &open.units[place] : nullptr;
  }

  /// False if the queue was empty. `claimed` is set to the phase that was open in it.
  bool take(int queue, float* scratch, std::uint64_t& claimed) {
    const PhaseGate::Claim claim = gate_.claim(queue);
    claimed = claim.phase;
    const Unit* unit = unit_of(claim, queue);
    if (unit == nullptr) return false;
    const Phase& open = phase(claim.phase);
    for (std::size_t i = unit->first; i < unit->last; ++i) open.pieces[i].work(unit->tile, scratch);
    if (gate_.finish_unit(static_cast<std::int64_t>(open.units.size()))) end_phase(claim.phase);
    return true;
  }

  /// Runs one unit of the open phase; afterwards the thread's own queue may be open again.
  bool take_from_others(int own, std::uint64_t phase, float* scratch) {
    std::uint64_t claimed = 0;
    for (int i = 1; i < gate_.queues(); ++i) {
      const int queue = (own + i) % gate_.queues();
      const PhaseGate::Claim next = gate_.look(queue);
      if (next.phase == phase && unit_of(next, queue) != nullptr && take(queue, scratch, claimed))
        return true;
    }
    return false;
  }

  void end_phase(std::uint64_t number) {
    for (bool over = true; over; ++number) {
      try {
        for (const Serial& serial : phase(number).after) serial.work();
      } catch (...) {
        failure_ = std::current_exception();
      }
      const bool step_done = (number + 1) % phases_.size() == 0;
      const bool stop = failure_ != nullptr || (step_done && memory_.fault.has_value());
      const std::uint64_t next = stop ? end_ : number + 1;
      over = gate_.open(next, next < end_ ? static_cast<std::int64_t>(phase(next).units.size()) : -1);
    }
  }

  const std::vector<Phase>& phases_;
  const std::uint64_t end_;
  PhaseGate gate_;
  ProgramMemory& memory_;
  // Units do not throw: everything that can fail was checked when the plan was compiled. A serial part may
  // throw (memory for metrics), and an exception must not leave a parallel region. Written by the thread that
  // opens the last phase.
  std::exception_ptr failure_;
};

}  // namespace

void deal_units(Phase& phase, int threads) {
  const auto area = [](const Unit& u) { return std::max<std::int64_t>(1, u.tile.rows() * u.tile.cols()); };
  std::vector<std::vector<Unit>> shares(static_cast<std::size_t>(threads));
  for (auto first = phase.units.begin(); first != phase.units.end();) {
    const auto last =
        std::find_if(first, phase.units.end(), [&](const Unit& u) { return u.first != first->first; });
    std::int64_t total = 0;
    for (auto unit = first; unit != last; ++unit) total += area(*unit);
    std::int64_t before = 0;
    for (; first != last; ++first) {
      const std::int64_t middle = before + area(*first) / 2;
      shares[static_cast<std::size_t>(middle * threads / total)].push_back(*first);
      before += area(*first);
    }
  }
  phase.units.clear();
  phase.shares.clear();
  for (std::vector<Unit>& share : shares) {
    // The large ones first, so that units left for stealing at the end are small.
    std::stable_sort(share.begin(), share.end(),
                     [&](const Unit& a, const Unit& b) { return area(a) > area(b); });
    phase.units.insert(phase.units.end(), share.begin(), share.end());
    phase.shares.push_back(phase.units.size());
  }
}

CpuProgram::CpuProgram(CompiledPlan compiled) : compiled_(std::move(compiled)) {
  for (Phase& phase : compiled_.phases) deal_units(phase, compiled_.threads);
  set_step(0);
}

void CpuProgram::set_step(std::int64_t step) {
  compiled_.memory->fault.reset();
  compiled_.memory->first_bad.store(-1);
  if (compiled_.state_of_step) compiled_.memory->state = compiled_.state_of_step(step);
}

void CpuProgram::set_position(std::int64_t position, std::int64_t origin) {
  compiled_.memory->state.position = position;
  compiled_.memory->state.origin = origin;
}

void CpuProgram::run(const std::vector<Phase>& phases, std::int64_t count) {
  constexpr std::int64_t kMostAtOnce = 1 << 20;  // keeps the gate's phase numbers below 2³²
  for (; count > 0 && !compiled_.memory->fault; count -= kMostAtOnce) {
    run_steps(phases, std::min(count, kMostAtOnce));
  }
}

void CpuProgram::run_steps(const std::vector<Phase>& phases, std::int64_t count) {
  ProgramMemory& memory = *compiled_.memory;
  StepsRun steps(phases, count, compiled_.threads, memory);
  // Fewer threads than queues take the units of all queues.
  const Team team(compiled_.threads, compiled_.regions);
#pragma omp parallel num_threads(team.threads()) default(shared)
  {
    // OpenBLAS uses as many threads as OpenMP would. This limits them only within this region: the setting
    // belongs to the region's tasks, and that of the host program is unchanged.
    omp_set_num_threads(1);
    const int thread = omp_get_thread_num();
    steps.work(thread, memory.scratch.data() + thread * memory.scratch_size);
  }
  steps.rethrow();
}

void CpuProgram::run_bound(std::span<const Binding>, std::int64_t, std::int64_t, void*) {
  throw DeviceError(
      "device pointers need a model on a GPU, and this one is on the CPU; load it with --device cuda, or "
      "pass host memory");
}

double CpuProgram::timed_run(std::int64_t count) {
  const auto began = std::chrono::steady_clock::now();
  run(count);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

std::vector<OpTime> CpuProgram::profile(std::int64_t passes) {
  Profiler profiler(compiled_.ops.size(), compiled_.threads);
  run(profiler.timed(compiled_.phases), passes);
  std::vector<OpTime> ops = compiled_.ops;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    ops[i].seconds = profiler.seconds(i) / static_cast<double>(std::max<std::int64_t>(1, passes));
  }
  return ops;
}

void CpuProgram::take_metrics(std::vector<math::StepMetrics>& out) {
  std::vector<math::StepMetrics>& metrics = compiled_.memory->metrics;
  out.insert(out.end(), metrics.begin(), metrics.end());
  metrics.clear();
}

const FloatBuffer& CpuProgram::exchange(int buffer, std::size_t values) const {
  const FloatBuffer& found = compiled_.memory->exchange.at(static_cast<std::size_t>(buffer));
  if (found.size() == 0 || static_cast<std::int64_t>(values) > found.size()) {
    throw std::logic_error("what was named is no exchange buffer, or a smaller one");
  }
  return found;
}

void CpuProgram::write(int buffer, std::span<const float> values) {
  std::copy(values.begin(), values.end(), exchange(buffer, values.size()).data());
}

void CpuProgram::read(int buffer, std::span<float> values) {
  std::copy_n(exchange(buffer, values.size()).data(), values.size(), values.begin());
}

}  // namespace vaecuda::cpu
