// A bench for single ops: builds a small plan that loads matrices with guard bands, runs the op on views into
// them (column offset, stride > columns), and stores everything back, guards included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/plan/backend.hpp"
#include "support/executor.hpp"

namespace vaecuda::test {

/// The terms of an ELBO: nll (B·K,1) or (B,1), kl (B,1).
[[nodiscard]] std::vector<LossRows> elbo_rows(View nll, View kl);

class OpBench {
 public:
  /// Batch rows and the position of the first of them; training benches give a step instead.
  explicit OpBench(std::int64_t batch, std::int64_t position = 0, std::int64_t parameter_size = 16);

  /// A (B·samples, cols) matrix inside a wider buffer. Outputs start as guard values.
  View samples(const std::string& name, std::int64_t samples, std::int64_t cols, std::int64_t left = 3,
               std::int64_t right = 2);
  View samples(const std::string& name, std::int64_t samples, std::int64_t cols,
               const std::vector<float>& values);
  /// The same with one row for each of the batch's.
  View matrix(const std::string& name, std::int64_t cols, std::int64_t left = 3, std::int64_t right = 2) {
    return samples(name, 1, cols, left, right);
  }
  View matrix(const std::string& name, std::int64_t cols, const std::vector<float>& values) {
    return samples(name, 1, cols, values);
  }
  /// A buffer that nobody loads, stores or guards.
  View scratch(const std::string& name, std::int64_t rows, std::int64_t cols);
  /// A (1, n) constant of the plan.
  View constant(const std::string& name, const std::vector<float>& values);

  void add(const Op& op) { ops_.push_back(op); }
  /// Ops after everything is stored: the end of a training step.
  void add_tail(const Op& op) { tail_.push_back(op); }
  /// Ends the plan as a training step does; without it the plan is an inference pass.
  void end_training(const AdamUpdate& adam, const AdvanceStep& advance, float clip_norm = 0.0f);
  /// The same for a test of other ops: a step has to update some layer, here one of a single weight.
  void end_training(const AdvanceStep& advance);

  void set_parameters(std::vector<float> values) { parameters_ = std::move(values); }
  void set_moments(std::vector<float> first, std::vector<float> second);

  /// Compiles the plan and runs it `times`. Throws std::runtime_error if a guard was overwritten.
  void run(const Executor& executor, const Dataset* data = nullptr, std::int64_t times = 1);

  [[nodiscard]] std::vector<float> get(const View& view) const;
  [[nodiscard]] const std::vector<float>& parameters() const { return parameters_out_; }
  [[nodiscard]] const std::vector<float>& moment1() const { return moment1_out_; }
  [[nodiscard]] const std::vector<float>& moment2() const { return moment2_out_; }
  [[nodiscard]] const std::vector<math::StepMetrics>& metrics() const { return metrics_; }
  [[nodiscard]] std::optional<Fault> fault() const { return fault_; }

 private:
  struct Operand {
    View view;
    std::int64_t samples = 1;  ///< rows of the matrix for each row that is loaded and stored
    std::int64_t left = 0;
    std::int64_t right = 0;
    int load = -1;
    int store = -1;
    std::vector<float> block;
    std::vector<float> result;
  };
  /// The whole buffer as B rows that hold all samples of a row.
  [[nodiscard]] View block(const Operand& operand) const;
  [[nodiscard]] const Operand& find(const View& view) const;

  std::int64_t batch_;
  std::int64_t position_;
  bool training_ = false;
  Plan plan_;
  std::vector<Operand> operands_;
  std::vector<Op> ops_;
  std::vector<Op> tail_;
  std::vector<float> parameters_;
  std::vector<float> first_;
  std::vector<float> second_;
  std::vector<float> parameters_out_;
  std::vector<float> moment1_out_;
  std::vector<float> moment2_out_;
  std::vector<math::StepMetrics> metrics_;
  std::optional<Fault> fault_;
};

/// Numbers in [−scale, scale] that look random and are the same everywhere.
[[nodiscard]] std::vector<float> noise(std::int64_t count, std::uint64_t seed, double scale = 1.0);

}  // namespace vaecuda::test
