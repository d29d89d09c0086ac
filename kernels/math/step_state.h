// What changes from step to step: a small struct in backend memory that every op of a step reads, and the
// pure functions that compute it from the step number.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/math/adam.h"
#include "kernels/math/host_device.h"
#include "kernels/math/loss.h"

namespace vaecuda::math {

enum class ScheduleKind : int { constant, cosine, exponential, stages };

/// The most stages that a stepwise schedule may have.
inline constexpr int kMaxStages = 32;

/// Learning rate by step, as plain data that a kernel can carry.
struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double lr = 1e-3;
  double min_fraction = 0.0;
  double gamma = 1.0;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;
  std::int64_t rows = 1;  ///< N and B: step s (from 0) belongs to epoch s·B / N
  std::int64_t batch = 1;
  int stage_count = 0;
  std::int64_t stage_step[kMaxStages] = {};  ///< first step of each stage
  double stage_lr[kMaxStages] = {};
};

/// The learning rate of step `step`, counted from 0.
VAECUDA_HD double learning_rate(const Schedule& s, std::int64_t step) {
  switch (s.kind) {
    case ScheduleKind::constant:
      return s.lr;
    case ScheduleKind::cosine: {
      if (step < s.warmup_steps)
        return s.lr * static_cast<double>(step + 1) / static_cast<double>(s.warmup_steps);
      const std::int64_t span = s.total_steps - s.warmup_steps;
      const double done =
          span > 0 ? static_cast<double>(step - s.warmup_steps) / static_cast<double>(span) : 1.0;
      const double bounded = done < 1.0 ? done : 1.0;
      const double shape = 0.5 * (1.0 + ::cos(3.14159265358979323846 * bounded));
      return s.lr * (s.min_fraction + (1.0 - s.min_fraction) * shape);
    }
    case ScheduleKind::exponential: {
      const std::int64_t epoch =
          step * s.batch / s.rows;  // of the step's first row: the rate holds through an epoch
      return s.lr * ::pow(s.gamma, static_cast<double>(epoch));
    }
    case ScheduleKind::stages: {
      double lr = s.lr;
      for (int i = 0; i < s.stage_count; ++i) {
        if (step >= s.stage_step[i]) lr = s.stage_lr[i];
      }
      return lr;
    }
  }
  return s.lr;
}

enum class LossScheduleKind : int { constant, linear, cyclical };

/// Weight of the loss's scheduled term (β of the KL, or of what a model has in its place) and the KL's
/// capacity by step, as plain data that a kernel can carry.
struct LossSchedule {
  LossScheduleKind kind = LossScheduleKind::constant;
  double beta = 1.0;
  std::int64_t steps = 1;           ///< linear: steps of the rise; cyclical: steps of a period
  double ramp = 0.5;                ///< cyclical: share of a period that rises
  double capacity = 0.0;            ///< C after the rise
  std::int64_t capacity_steps = 0;  ///< steps of the rise from 0; 0: C from the start
};

/// β of step `step`, counted from 0. linear: β·min(1, s/steps) (Bowman et al., arXiv 1511.06349; Sønderby et
/// al., arXiv 1602.02282). cyclical: the same in every period, over its first part (Fu et al., arXiv
/// 1903.10145).
VAECUDA_HD double loss_weight(const LossSchedule& s, std::int64_t step) {
  const auto steps = static_cast<double>(s.steps);
  double done = 1.0;
  if (s.kind == LossScheduleKind::linear) done = static_cast<double>(step) / steps;
  if (s.kind == LossScheduleKind::cyclical) done = static_cast<double>(step % s.steps) / (s.ramp * steps);
  return s.beta * (done < 1.0 ? done : 1.0);
}

/// C of step `step`.
VAECUDA_HD double kl_capacity(const LossSchedule& s, std::int64_t step) {
  if (step >= s.capacity_steps) return s.capacity;
  return s.capacity * (static_cast<double>(step) / static_cast<double>(s.capacity_steps));
}

/// The state of one step.
struct StepState {
  std::int64_t step = 0;      ///< steps done before this one
  std::int64_t position = 0;  ///< p of the batch's first row: step·B in training, a row index in inference
  std::int64_t origin = 0;    ///< inference: the position that stands first in data and exchange buffers
  float lr = 0.0f;
  float loss_weight = 1.0f;  ///< of the loss's scheduled term: β
  float step_size = 0.0f;
  float inverse_sqrt_bias2 = 1.0f;
  std::int32_t fault = 0;  ///< set once something became non-finite; every later op leaves all state alone
  float capacity = 0.0f;   ///< C, where the KL term has one
  std::int64_t fault_element =
      -1;  ///< index into the parameter arena of the first bad gradient; −1: the loss
};

/// 1 − β^t with t = step + 1: e^(t·log β) through expm1, exact to the last bits for any t. A β of 0 stands
/// for a moment that needs no bias correction.
VAECUDA_HD double bias_correction(double beta, std::int64_t step) {
  return beta > 0.0 ? -::expm1(static_cast<double>(step + 1) * ::log(beta)) : 1.0;
}

/// What of a step's state takes elementary functions.
struct StepRates {
  double lr;
  double bias1;  ///< bias_correction(β1, step)
  double bias2;
};

VAECUDA_HD float step_size(double lr, double bias1) {
  return static_cast<float>(lr / bias1);
}

VAECUDA_HD float inverse_sqrt_bias2(double bias2) {
  return static_cast<float>(1.0 / ::sqrt(bias2));
}

/// Where step `step` begins, without what StepRates are for.
VAECUDA_HD StepState place_of_step(std::int64_t step, std::int64_t batch, const LossSchedule& loss_schedule) {
  StepState state;
  state.step = step;
  state.position = step * batch;
  state.loss_weight = static_cast<float>(loss_weight(loss_schedule, step));
  state.capacity = static_cast<float>(kl_capacity(loss_schedule, step));
  return state;
}

/// The state with which step `step` runs.
VAECUDA_HD StepState state_of_step(std::int64_t step, std::int64_t batch, const StepRates& rates,
                                   const LossSchedule& loss_schedule) {
  StepState state = place_of_step(step, batch, loss_schedule);
  state.lr = static_cast<float>(rates.lr);
  state.step_size = step_size(rates.lr, rates.bias1);
  state.inverse_sqrt_bias2 = inverse_sqrt_bias2(rates.bias2);
  return state;
}

VAECUDA_HD StepState state_of_step(std::int64_t step, std::int64_t batch, const Schedule& schedule,
                                   double beta1, double beta2, const LossSchedule& loss_schedule) {
  const StepRates rates{learning_rate(schedule, step), bias_correction(beta1, step),
                        bias_correction(beta2, step)};
  return state_of_step(step, batch, rates, loss_schedule);
}

/// One line of the metrics ring: means over the batch's rows, in nats.
struct StepMetrics {
  std::int64_t step = 0;       ///< counted from 1: the step just done
  double loss = 0.0;           ///< what is minimized
  LossMeans means;             ///< of its terms
  double gradient_norm = 0.0;  ///< global L2 norm before clipping
  double lr = 0.0;
  double loss_weight = 1.0;
  double perplexity_mean = 0.0;  ///< of the codebooks in the batch; 0 without codebooks
  double perplexity_min = 0.0;
};

/// Takes in the perplexity of codebook `group` of `groups`, in ascending order.
VAECUDA_HD void add_perplexity(StepMetrics& metrics, double perplexity, std::int64_t group,
                               std::int64_t groups) {
  metrics.perplexity_mean += perplexity / static_cast<double>(groups);
  if (group == 0 || perplexity < metrics.perplexity_min) metrics.perplexity_min = perplexity;
}

}  // namespace vaecuda::math
