#include "host/cpu/program.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>

#include "host/cpu/profiler.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cpu {

CpuProgram::CpuProgram(CompiledPlan compiled) : compiled_(std::move(compiled)) {
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
  PhaseGate gate;
  ProgramMemory& memory = *compiled_.memory;
  const auto phases_per_step = static_cast<std::uint64_t>(phases.size());
  const std::uint64_t end = static_cast<std::uint64_t>(count) * phases_per_step;
  // No unit throws: everything that can fail was checked when the plan was compiled. A serial part may
  // (memory for metrics), and an exception must not leave a parallel region. Written by the thread that opens
  // the last phase.
  std::exception_ptr failure;
#pragma omp parallel num_threads(compiled_.threads) default(shared)
  {
    // OpenBLAS takes as many threads as OpenMP would give it. This bounds the number within this region
    // alone: the setting belongs to the region's tasks, and the host program's own stays as it was.
    omp_set_num_threads(1);
    float* scratch = memory.scratch.data() + omp_get_thread_num() * memory.scratch_size;
    for (;;) {
      const PhaseGate::Claim claim = gate.claim();
      if (claim.phase >= end) break;
      const Phase& phase = phases[static_cast<std::size_t>(claim.phase % phases_per_step)];
      const auto units = static_cast<std::int64_t>(phase.units.size());
      if (claim.unit >= units) {
        gate.wait_while(claim.phase);
        continue;
      }
      const Unit& unit = phase.units[static_cast<std::size_t>(claim.unit)];
      for (std::size_t i = unit.first; i < unit.last; ++i) phase.pieces[i].work(unit.tile, scratch);
      if (!gate.finish_unit(units)) continue;
      try {
        for (const Serial& serial : phase.after) serial.work();
      } catch (...) {
        failure = std::current_exception();
      }
      const bool step_done = (claim.phase + 1) % phases_per_step == 0;
      const bool stop = failure != nullptr || (step_done && memory.fault.has_value());
      gate.open(stop ? end : claim.phase + 1);
    }
  }
  if (failure) std::rethrow_exception(failure);
}

void CpuProgram::run_bound(std::span<const Binding>, std::int64_t, std::int64_t, void*) {
  throw DeviceError(
      "device pointers need a model on a GPU, and this one is on the CPU; load it with --device cuda, or "
      "pass host "
      "memory");
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
