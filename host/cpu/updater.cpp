#include "host/cpu/updater.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <limits>

namespace vaecuda::cpu {
namespace {

/// During its lifetime, its thread treats numbers below 2⁻¹²⁶ as zero, if the processor supports it. The
/// first moment of a weight without a gradient decays to such a number and stays there, and arithmetic with
/// them is many times slower.
class FlushSubnormals {
 public:
#if defined(__SSE2__)
  explicit FlushSubnormals(bool flush) : before_(_mm_getcsr()) {
    if (flush) _mm_setcsr(before_ | kInputs | kResults);
  }
  ~FlushSubnormals() {
    _mm_setcsr(before_);
  }
#else
  explicit FlushSubnormals(bool) {}
  ~FlushSubnormals() = default;
#endif
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__SSE2__)
  static constexpr unsigned kInputs = 0x0040;
  static constexpr unsigned kResults = 0x8000;
  unsigned before_;
#endif
};

/// True if this cannot change a parameter: the root of what is treated as zero is far below ε, and the
/// clipping factor is not treated as zero.
bool may_flush(const UpdateTarget& target) {
  constexpr float kLeastEpsilon = 1e-12f;
  return target.constants.epsilon >= kLeastEpsilon &&
         target.step.gradient_scale >= std::numeric_limits<float>::min();
}

}  // namespace

void note_bad(std::atomic<std::int64_t>& lowest, std::int64_t element) {
  std::int64_t seen = lowest.load(std::memory_order_relaxed);
  while ((seen < 0 || element < seen) &&
         !lowest.compare_exchange_weak(seen, element, std::memory_order_relaxed)) {
  }
}

double Updater::operator()(std::int64_t element, const float* gradient, std::int64_t count) const {
  const UpdateTarget target = target_at(element, count);
  const FlushSubnormals flush(may_flush(target));
  return noted(element, loops_->adam(target.constants, target.step, target.parameter, target.moment1,
                                     target.moment2, gradient, count));
}

double Updater::operator()(std::int64_t element, std::int64_t stride, Operand d, Operand x, std::int64_t n,
                           std::int64_t k, std::int64_t rows, float* scratch) const {
  const UpdateTarget target = target_at(element, stride);
  const FlushSubnormals flush(may_flush(target));
  return noted(element, loops_->products().weight_update(d, x, target, n, k, rows, scratch));
}

UpdateTarget Updater::target_at(std::int64_t element, std::int64_t stride) const {
  const math::StepState& state = memory_->state;
  return {.constants = constants_,
          .step = {state.lr, state.step_size, state.inverse_sqrt_bias2, memory_->gradient_scale},
          .parameter = store_->parameters.data() + element,
          .moment1 = store_->moment1.data() + element,
          .moment2 = store_->moment2.data() + element,
          .stride = stride};
}

double Updater::noted(std::int64_t element, const AdamOutcome& outcome) const {
  if (outcome.first_bad >= 0) note_bad(memory_->first_bad, element + outcome.first_bad);
  return outcome.sum_of_squares;
}

}  // namespace vaecuda::cpu
