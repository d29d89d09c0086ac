#include "host/cpu/updater.hpp"

namespace vaecuda::cpu {

void note_bad(std::atomic<std::int64_t>& lowest, std::int64_t element) {
  std::int64_t seen = lowest.load(std::memory_order_relaxed);
  while ((seen < 0 || element < seen) &&
         !lowest.compare_exchange_weak(seen, element, std::memory_order_relaxed)) {
  }
}

double Updater::operator()(std::int64_t element, const float* gradient, std::int64_t count) const {
  const UpdateTarget target = target_at(element, count);
  return noted(element, loops_->adam(target.constants, target.step, target.parameter, target.moment1,
                                     target.moment2, gradient, count));
}

double Updater::operator()(std::int64_t element, std::int64_t stride, Operand d, Operand x, std::int64_t n,
                           std::int64_t k, std::int64_t rows, float* scratch) const {
  return noted(element,
               loops_->products().weight_update(d, x, target_at(element, stride), n, k, rows, scratch));
}

UpdateTarget Updater::target_at(std::int64_t element, std::int64_t stride) const {
  const math::StepState& state = memory_->state;
  return {constants_,
          {state.lr, state.step_size, state.inverse_sqrt_bias2, memory_->gradient_scale},
          store_->parameters.data() + element,
          store_->moment1.data() + element,
          store_->moment2.data() + element,
          stride};
}

double Updater::noted(std::int64_t element, const AdamOutcome& outcome) const {
  if (outcome.first_bad >= 0) note_bad(memory_->first_bad, element + outcome.first_bad);
  return outcome.sum_of_squares;
}

}  // namespace vaecuda::cpu
