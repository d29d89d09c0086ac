// Adam against a literal transcription of the papers' algorithms, the learning-rate schedules at their
// corners, and the state of a step against long products.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/math/adam.h"
#include "kernels/math/step_state.h"
#include "support/catch.hpp"

namespace math = vaecuda::math;
using math::Schedule;
using math::ScheduleKind;

namespace {

// Algorithm 1 of arXiv 1412.6980, line by line, with the two weight decays of arXiv 1711.05101, algorithm 2.
struct PaperAdam {
  double alpha = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double decay = 0.0;
  bool decoupled = false;
  double theta = 0.0;
  double m = 0.0;
  double v = 0.0;
  int t = 0;
  void step(double gradient) {
    t = t + 1;
    const double g = gradient + (decoupled ? 0.0 : decay * theta);
    m = beta1 * m + (1.0 - beta1) * g;
    v = beta2 * v + (1.0 - beta2) * g * g;
    const double m_hat = m / (1.0 - std::pow(beta1, t));
    const double v_hat = v / (1.0 - std::pow(beta2, t));
    theta = theta - alpha * m_hat / (std::sqrt(v_hat) + epsilon) - (decoupled ? alpha * decay * theta : 0.0);
  }
};

double gradient_at(int t) {
  return std::sin(0.7 * t) * (1.0 + 0.1 * t) - 0.3;
}

template <typename T>
void follow_paper(PaperAdam paper, int steps, double tolerance) {
  const math::AdamConstants<T> constants{.beta1 = static_cast<T>(paper.beta1),
                                         .beta2 = static_cast<T>(paper.beta2),
                                         .epsilon = static_cast<T>(paper.epsilon),
                                         .weight_decay = static_cast<T>(paper.decay),
                                         .decoupled = paper.decoupled,
                                         .one_minus_beta1 = static_cast<T>(1.0 - paper.beta1),
                                         .one_minus_beta2 = static_cast<T>(1.0 - paper.beta2)};
  math::AdamElement<T> element{static_cast<T>(paper.theta), T(0), T(0)};
  double travelled = 0.0;
  for (int t = 1; t <= steps; ++t) {
    const double before = paper.theta;
    paper.step(gradient_at(t));
    travelled += std::fabs(paper.theta - before);
    const math::AdamStep<T> step{static_cast<T>(paper.alpha),
                                 static_cast<T>(paper.alpha / (1.0 - std::pow(paper.beta1, t))),
                                 static_cast<T>(1.0 / std::sqrt(1.0 - std::pow(paper.beta2, t))), T(1)};
    element = math::adam_update(element.parameter, element.moment1, element.moment2,
                                static_cast<T>(gradient_at(t)), constants, step);
    INFO("step " << t);
    CHECK(std::fabs(static_cast<double>(element.parameter) - paper.theta) <=
          tolerance * (std::fabs(paper.theta) + travelled));
    CHECK(static_cast<double>(element.moment1) ==
          Approx(paper.m).epsilon(30.0 * tolerance).margin(tolerance));
    CHECK(static_cast<double>(element.moment2) == Approx(paper.v).epsilon(30.0 * tolerance));
  }
}

TEST_CASE("the loss adds its weighted terms, and leaves none of them out", "[loss]") {
  using Kind = math::LossTermKind;
  using Weight = math::LossWeight;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  math::LossMeans means;
  math::set_mean(means, Kind::reconstruction, 3.0);
  math::set_mean(means, Kind::kl, 2.0);
  math::set_mean(means, Kind::bounded_kl, 5.0);
  math::LossTermList terms;
  terms.count = 3;
  terms.term[0] = {Kind::reconstruction, Weight::one};
  terms.term[1] = {Kind::kl, Weight::none};
  terms.term[2] = {Kind::bounded_kl, Weight::scheduled};
  CHECK(math::loss_of(means, terms, 0.5) == 5.5);
  CHECK(math::loss_of(means, terms, 0.0) == 3.0);
  CHECK(math::sum_of(means) == 10.0);
  CHECK(math::has_term(means, Kind::kl));
  CHECK_FALSE(math::has_term(means, Kind::code_penalty));
  CHECK(math::mean_of(means, Kind::code_penalty) == 0.0);
  // A term that is reported alone is in no loss, but is looked at.
  math::set_mean(means, Kind::kl, kInfinity);
  CHECK(math::loss_of(means, terms, 0.5) == 5.5);
  CHECK(std::isinf(math::sum_of(means)));
  // 0 · infinity is no 0.
  math::set_mean(means, Kind::bounded_kl, kInfinity);
  CHECK(std::isnan(math::loss_of(means, terms, 0.0)));
  terms.count = 0;
  CHECK(math::loss_of(means, terms, 1.0) == 0.0);
}

}  // namespace

TEST_CASE("adam_update is the papers' algorithm", "[adam]") {
  // Doubles: rounding only. The bias corrections are each a pow of their own, good to 1e-13 at t = 1.
  constexpr double kDouble = 1e-12;
  PaperAdam plain;
  plain.theta = 0.4;
  follow_paper<double>(plain, 60, kDouble);
  PaperAdam coupled = plain;
  coupled.decay = 0.05;
  follow_paper<double>(coupled, 60, kDouble);
  PaperAdam decoupled = coupled;
  decoupled.decoupled = true;
  follow_paper<double>(decoupled, 60, kDouble);
  PaperAdam sgd_like = plain;
  sgd_like.beta1 = 0.0;
  sgd_like.beta2 = 0.0;
  sgd_like.epsilon = 0.1;
  follow_paper<double>(sgd_like, 20, kDouble);
}

TEST_CASE("adam_update in single precision stays by the paper", "[adam]") {
  // Sixty steps, each with some ten roundings of 2^-24 = 6e-8.
  constexpr double kFloat = 2e-6;
  PaperAdam paper;
  paper.theta = 0.4;
  follow_paper<float>(paper, 60, kFloat);
  paper.decay = 0.05;
  paper.decoupled = true;
  follow_paper<float>(paper, 60, kFloat);
}

TEST_CASE("the clipping factor scales the gradient before the decay", "[adam]") {
  const math::AdamConstants<double> constants{
      .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.05, .decoupled = false};
  const math::AdamStep<double> clipped{1e-3, 1e-2, 30.0, 0.25};
  const math::AdamStep<double> plain{1e-3, 1e-2, 30.0, 1.0};
  const auto a = math::adam_update(0.5, 0.1, 0.2, 8.0, constants, clipped);
  const auto b = math::adam_update(0.5, 0.1, 0.2, 2.0, constants, plain);
  CHECK(a.parameter == b.parameter);
  CHECK(a.moment1 == b.moment1);
  CHECK(a.moment2 == b.moment2);
  CHECK(a.moment1 == Approx(0.9 * 0.1 + 0.1 * (2.0 + 0.05 * 0.5)));
}

TEST_CASE("an element that never had a gradient stays", "[adam]") {
  const math::AdamConstants<float> constants{
      .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .weight_decay = 0.0f, .decoupled = false};
  const math::AdamStep<float> step{1e-3f, 1e-2f, 31.6f, 1.0f};
  const auto element = math::adam_update(0.25f, 0.0f, 0.0f, 0.0f, constants, step);
  CHECK(element.parameter == 0.25f);
  CHECK(element.moment1 == 0.0f);
  CHECK(element.moment2 == 0.0f);
}

TEST_CASE("constant and stepwise learning rates", "[schedule]") {
  Schedule constant;
  constant.lr = 0.02;
  CHECK(math::learning_rate(constant, 0) == 0.02);
  CHECK(math::learning_rate(constant, 1000000000000) == 0.02);

  Schedule stages;
  stages.kind = ScheduleKind::stages;
  stages.lr = 1.0;
  CHECK(math::learning_rate(stages, 5) == 1.0);  // no stage at all
  stages.stage_count = 3;
  stages.stage_step[0] = 10;
  stages.stage_lr[0] = 0.5;
  stages.stage_step[1] = 11;
  stages.stage_lr[1] = 0.25;
  stages.stage_step[2] = 100;
  stages.stage_lr[2] = 0.0;
  const std::vector<std::pair<std::int64_t, double>> expected = {
      {0, 1.0}, {9, 1.0}, {10, 0.5}, {11, 0.25}, {99, 0.25}, {100, 0.0}, {100000, 0.0}};
  for (const auto& [step, lr] : expected) {
    INFO("step " << step);
    CHECK(math::learning_rate(stages, step) == lr);
  }
  stages.stage_step[0] = 0;  // from the very start
  CHECK(math::learning_rate(stages, 0) == 0.5);
}

TEST_CASE("warm-up and cosine", "[schedule]") {
  Schedule s;
  s.kind = ScheduleKind::cosine;
  s.lr = 2.0;
  s.min_fraction = 0.1;
  s.warmup_steps = 4;
  s.total_steps = 104;
  CHECK(math::learning_rate(s, 0) == Approx(0.5));
  CHECK(math::learning_rate(s, 3) == Approx(2.0));
  CHECK(math::learning_rate(s, 4) == Approx(2.0));
  CHECK(math::learning_rate(s, 54) == Approx(2.0 * (0.1 + 0.9 * 0.5)));
  CHECK(math::learning_rate(s, 29) == Approx(2.0 * (0.1 + 0.9 * (0.5 + 0.25 * std::sqrt(2.0)))));
  CHECK(math::learning_rate(s, 104) == Approx(0.2));
  CHECK(math::learning_rate(s, 5000) == Approx(0.2));
  for (std::int64_t step = 4; step < 104; ++step)
    CHECK(math::learning_rate(s, step + 1) < math::learning_rate(s, step));
  SECTION("no warm-up") {
    s.warmup_steps = 0;
    CHECK(math::learning_rate(s, 0) == Approx(2.0));
    CHECK(math::learning_rate(s, 52) == Approx(2.0 * 0.55));
  }
  SECTION("warm-up as long as the run, and longer") {
    s.total_steps = 4;
    CHECK(math::learning_rate(s, 3) == Approx(2.0));
    CHECK(math::learning_rate(s, 4) == Approx(0.2));
    s.total_steps = 2;
    CHECK(math::learning_rate(s, 1) == Approx(1.0));
    CHECK(std::isfinite(math::learning_rate(s, 4)));
  }
  SECTION("a run of one step") {
    s.warmup_steps = 0;
    s.total_steps = 1;
    CHECK(math::learning_rate(s, 0) == Approx(2.0));
  }
  SECTION("a minimum of one holds the rate") {
    s.min_fraction = 1.0;
    CHECK(math::learning_rate(s, 60) == Approx(2.0));
  }
}

TEST_CASE("exponential decay per epoch", "[schedule]") {
  Schedule s;
  s.kind = ScheduleKind::exponential;
  s.lr = 1.0;
  s.gamma = 0.5;
  s.rows = 10;
  s.batch = 4;
  // First rows of the steps: 0 4 8 | 12 16 | 20.
  const double expected[] = {1.0, 1.0, 1.0, 0.5, 0.5, 0.25};
  for (int step = 0; step < 6; ++step) {
    INFO("step " << step);
    CHECK(math::learning_rate(s, step) == Approx(expected[step]));
  }
  s.batch = 25;  // more than an epoch a step
  CHECK(math::learning_rate(s, 1) == Approx(0.25));
  CHECK(math::learning_rate(s, 2) == Approx(1.0 / 32.0));
  s.gamma = 1.0;
  CHECK(math::learning_rate(s, 1000000) == 1.0);
}

TEST_CASE("state_of_step against long products", "[schedule]") {
  Schedule s;
  s.lr = 1e-3;
  math::LossSchedule kl;
  kl.beta = 0.25;
  for (const double beta : {0.0, 0.5, 0.9, 0.999, 0.9999999}) {
    long double power = 1.0L;
    for (std::int64_t step = 0; step < 200000; ++step) {
      power *= static_cast<long double>(beta);
      if (step > 50 && step % 997 != 0) continue;
      const math::StepState a = math::state_of_step(step, 128, s, beta, 0.999, kl);
      const math::StepState b = math::state_of_step(step, 128, s, 0.9, beta, kl);
      const auto step_size = static_cast<double>(1e-3L / (1.0L - power));
      const auto inverse = static_cast<double>(1.0L / std::sqrt(1.0L - power));
      INFO("beta " << beta << ", step " << step);
      // Half an ulp of the float that holds it; the long product itself is good to 200000·5e-20.
      REQUIRE(std::fabs(static_cast<double>(a.step_size) - step_size) <= 1.001 * 0x1p-24 * step_size);
      REQUIRE(std::fabs(static_cast<double>(b.inverse_sqrt_bias2) - inverse) <= 1.001 * 0x1p-24 * inverse);
      REQUIRE(a.step == step);
      REQUIRE(a.position == step * 128);
    }
  }
  const math::StepState far = math::state_of_step(std::int64_t{1} << 40, 1000, s, 0.9, 0.999, kl);
  CHECK(far.position == (std::int64_t{1} << 40) * 1000);
  CHECK(far.step_size == 1e-3f);
  CHECK(far.inverse_sqrt_bias2 == 1.0f);
  CHECK(far.lr == 1e-3f);
  CHECK(far.loss_weight == 0.25f);
  CHECK(far.fault == 0);
  CHECK(far.fault_element == -1);
}

TEST_CASE("the KL's weight and capacity by step", "[schedule]") {
  math::LossSchedule s;
  s.beta = 4.0;
  CHECK(math::loss_weight(s, 0) == 4.0);
  CHECK(math::loss_weight(s, std::int64_t{1} << 40) == 4.0);
  CHECK(math::kl_capacity(s, 7) == 0.0);
  s.kind = math::LossScheduleKind::linear;
  s.steps = 10;
  CHECK(math::loss_weight(s, 0) == 0.0);
  CHECK(math::loss_weight(s, 5) == Approx(2.0));
  CHECK(math::loss_weight(s, 10) == 4.0);
  CHECK(math::loss_weight(s, 11) == 4.0);
  s.kind = math::LossScheduleKind::cyclical;
  s.ramp = 0.5;
  for (const std::int64_t period : {0, 1, 1000000}) {
    CHECK(math::loss_weight(s, 10 * period) == 0.0);
    CHECK(math::loss_weight(s, 10 * period + 3) == Approx(2.4));
    CHECK(math::loss_weight(s, 10 * period + 5) == 4.0);
    CHECK(math::loss_weight(s, 10 * period + 9) == 4.0);
  }
  s.ramp = 1.0;
  CHECK(math::loss_weight(s, 9) == Approx(3.6));
  s.capacity = 25.0;
  CHECK(math::kl_capacity(s, 0) == 25.0);
  s.capacity_steps = 50;
  CHECK(math::kl_capacity(s, 0) == 0.0);
  CHECK(math::kl_capacity(s, 10) == Approx(5.0));
  CHECK(math::kl_capacity(s, 50) == 25.0);
  CHECK(math::kl_capacity(s, 51) == 25.0);
  const math::StepState state = math::state_of_step(10, 3, Schedule{}, 0.9, 0.0, s);
  CHECK(state.loss_weight == 0.0f);
  CHECK(state.capacity == 5.0f);
  CHECK(state.inverse_sqrt_bias2 == 1.0f);  // a second moment that needs no correction
}
