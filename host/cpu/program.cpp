#include "host/cpu/program.hpp"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <stdexcept>

namespace vaecuda::cpu {

CpuProgram::CpuProgram(std::vector<Phase> phases, std::unique_ptr<ProgramMemory> memory,
                       std::vector<std::int64_t> exchange_sizes,
                       std::function<math::StepState(std::int64_t)> state_of_step, int threads)
    : phases_(std::move(phases)),
      memory_(std::move(memory)),
      exchange_sizes_(std::move(exchange_sizes)),
      state_of_step_(std::move(state_of_step)),
      threads_(threads) {
  set_step(0);
}

void CpuProgram::set_step(std::int64_t step) {
  memory_->fault.reset();
  memory_->first_bad.store(-1);
  if (state_of_step_) memory_->state = state_of_step_(step);
}

void CpuProgram::set_position(std::int64_t position) {
  memory_->state.position = position;
}

void CpuProgram::run(std::int64_t count) {
  constexpr std::int64_t kMostAtOnce = 1 << 20;  // keeps the gate's phase numbers below 2³²
  for (; count > 0 && !memory_->fault; count -= kMostAtOnce) run_steps(std::min(count, kMostAtOnce));
}

void CpuProgram::run_steps(std::int64_t count) {
  PhaseGate gate;
  ProgramMemory& memory = *memory_;
  const auto phases_per_step = static_cast<std::uint64_t>(phases_.size());
  const std::uint64_t end = static_cast<std::uint64_t>(count) * phases_per_step;
  // No unit throws: everything that can fail was checked when the plan was compiled. A serial part may
  // (memory for metrics), and an exception must not leave a parallel region. Written by the thread that opens
  // the last phase.
  std::exception_ptr failure;
#pragma omp parallel num_threads(threads_) default(shared)
  {
    // OpenBLAS takes as many threads as OpenMP would give it. This bounds the number within this region
    // alone: the setting belongs to the region's tasks, and the host program's own stays as it was.
    omp_set_num_threads(1);
    float* scratch = memory.scratch.data() + omp_get_thread_num() * memory.scratch_size;
    for (;;) {
      const PhaseGate::Claim claim = gate.claim();
      if (claim.phase >= end) break;
      const Phase& phase = phases_[static_cast<std::size_t>(claim.phase % phases_per_step)];
      const auto units = static_cast<std::int64_t>(phase.units.size());
      if (claim.unit >= units) {
        gate.wait_while(claim.phase);
        continue;
      }
      const Unit& unit = phase.units[static_cast<std::size_t>(claim.unit)];
      for (std::size_t i = unit.first; i < unit.last; ++i) phase.pieces[i](unit.tile, scratch);
      if (!gate.finish_unit(units)) continue;
      try {
        for (const auto& serial : phase.after) serial();
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

void CpuProgram::take_metrics(std::vector<math::StepMetrics>& out) {
  out.insert(out.end(), memory_->metrics.begin(), memory_->metrics.end());
  memory_->metrics.clear();
}

void CpuProgram::write(int buffer, std::span<const float> values) {
  FloatBuffer& target = memory_->exchange.at(static_cast<std::size_t>(buffer));
  if (target.size() == 0 || static_cast<std::int64_t>(values.size()) != target.size()) {
    throw std::logic_error("write to a buffer that is no exchange buffer of this size");
  }
  std::copy(values.begin(), values.end(), target.data());
}

void CpuProgram::read(int buffer, std::span<float> values) {
  const FloatBuffer& source = memory_->exchange.at(static_cast<std::size_t>(buffer));
  if (source.size() == 0 || static_cast<std::int64_t>(values.size()) != source.size()) {
    throw std::logic_error("read of a buffer that is no exchange buffer of this size");
  }
  std::copy(source.data(), source.data() + source.size(), values.begin());
}

}  // namespace vaecuda::cpu
