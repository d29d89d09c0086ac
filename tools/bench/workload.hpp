// A model on random data, ready to train or to infer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "bench/shapes.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/builder.hpp"

namespace vaecuda::bench {

/// Random rows: a pure function of the arguments.
[[nodiscard]] Dataset random_rows(Values values, std::int64_t rows, std::int64_t columns, std::uint64_t seed);

/// The device, data and parameters of a measured model.
struct Model {
  RunConfig config;
  Preparation preparation;
  ParameterLayout layout;
  Dataset data;
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<ResidentData> resident;

  /// Initial parameters, and at least `least_rows` of data: more than caches hold, unless the rows are so
  /// short that there would be too many.
  Model(Backend& backend, const Shape& shape, const BenchOptions& options, std::int64_t least_rows,
        bool training);
};

/// The step that vae_cuda_train runs.
class TrainingWorkload {
 public:
  TrainingWorkload(Backend& backend, const Shape& shape, const BenchOptions& options);

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] std::int64_t parameters() const { return model_.layout.parameters; }
  [[nodiscard]] double flops() const;
  [[nodiscard]] Measurement measure_step(const Budget& budget);
  /// Every op, in the plan's order, by Program::profile.
  struct OpMeasurement {
    Measurement time;
    OpCost cost;
    bool merged = false;
  };
  [[nodiscard]] std::vector<OpMeasurement> measure_ops(const Budget& budget);

 private:
  void drop_metrics();
  /// A step with a fault does no work, and would appear fast. \throws DivergedError
  void check_fault();

  std::string name_;
  Model model_;
  Plan plan_;
  std::unique_ptr<Program> program_;
};

/// A pass of inference over the rows, repeated, block by block.
class InferenceWorkload {
 public:
  /// `make` builds the plan of the pass. \throws as Backend::compile
  using MakePlan = Plan (*)(const Model& model);
  InferenceWorkload(Backend& backend, Model& model, MakePlan make);

  [[nodiscard]] const Plan& plan() const { return plan_; }
  /// Fills an exchange buffer of the plan.
  void write(const std::string& buffer, std::span<const float> values);
  /// The time of one block of plan().batch rows.
  [[nodiscard]] Measurement measure_block(const Budget& budget);

 private:
  std::int64_t blocks_;
  std::int64_t next_block_ = 0;
  Plan plan_;
  std::unique_ptr<Program> program_;
};

}  // namespace vaecuda::bench
