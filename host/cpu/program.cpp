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
      next_unit_(phases_.size()),
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

void CpuProgram::run_phase(Phase& phase, std::atomic<std::int64_t>& next, float* scratch) {
  const auto count = static_cast<std::int64_t>(phase.units.size());
  for (;;) {
    const std::int64_t mine = next.fetch_add(1, std::memory_order_relaxed);
    if (mine >= count) return;
    const Unit& unit = phase.units[static_cast<std::size_t>(mine)];
    for (std::size_t i = unit.first; i < unit.last; ++i) phase.pieces[i](unit.tile, scratch);
  }
}

void CpuProgram::run(std::int64_t count) {
  if (count <= 0 || memory_->fault) return;
  Barrier barrier;
  ProgramMemory& memory = *memory_;
  // No piece throws: everything that can fail was checked when the plan was compiled. A serial part may
  // (memory for metrics), and an exception must not leave a parallel region.
  std::exception_ptr failure;
#pragma omp parallel num_threads(threads_) default(shared)
  {
    float* scratch = memory.scratch.data() + omp_get_thread_num() * memory.scratch_size;
    // OpenBLAS takes as many threads as OpenMP would give it. This bounds the number within this region alone: the
    // setting belongs to the region's tasks, and the host program's own stays as it was.
    omp_set_num_threads(1);
#pragma omp single
    barrier.set_threads(omp_get_num_threads());  // the team may be smaller than asked; the result is the same
    bool go_on = true;
    for (std::int64_t step = 0; step < count && go_on; ++step) {
      for (std::size_t p = 0; p < phases_.size(); ++p) {
        run_phase(phases_[p], next_unit_[p], scratch);
        barrier.arrive_and_wait([&] {
          next_unit_[p].store(0, std::memory_order_relaxed);
          try {
            for (const auto& serial : phases_[p].after) serial();
          } catch (...) {
            failure = std::current_exception();
          }
        });
      }
      go_on = !memory.fault && !failure;
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
