// Runs whole training plans of small models, and describes the same model to the oracle.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "host/model/layout.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/builder.hpp"
#include "support/executor.hpp"
#include "support/oracle.hpp"

namespace vaecuda::test {

/// What a training run leaves.
struct TrainingResult {
  std::vector<float> parameters;
  std::vector<float> moment1;
  std::vector<float> moment2;
  std::vector<math::StepMetrics> metrics;
  std::optional<Fault> fault;
};

/// A model in training, from given or fresh parameters.
struct TrainingBench {
  RunConfig config;
  Preparation preparation;
  std::int64_t total_steps = 1000;
  std::vector<float> initial;  ///< empty: initialize_parameters with the run's seed

  [[nodiscard]] ParameterLayout layout() const { return make_layout(config.model); }
  [[nodiscard]] std::vector<float> initial_parameters() const;
  /// Runs so many steps, in calls of at most `chunk`.
  [[nodiscard]] TrainingResult run(const Executor& executor, const Dataset& data, std::int64_t steps,
                                   std::int64_t chunk = 1000000) const;
};

[[nodiscard]] oracle::Network network_of(const ParameterLayout& layout, const RunConfig& config);
[[nodiscard]] oracle::Adam adam_of(const RunConfig& config);
[[nodiscard]] std::vector<double> to_doubles(const std::vector<float>& values);

/// The rows of the data set that the training positions first … first + count − 1 see, unscaled.
[[nodiscard]] oracle::Matrix rows_at(const Dataset& data, std::uint64_t seed, std::int64_t first,
                                     std::int64_t count);

/// A small configuration: hidden layers, Z, B and seed; the rest are the product's defaults.
[[nodiscard]] RunConfig small_config(std::int64_t input_dim, std::vector<std::int64_t> hidden,
                                     std::int64_t latent, std::int64_t batch);

/// A kind of model, as a change of small_config: the tests of whole steps run through all of them.
struct ModelVariant {
  const char* name;
  void (*apply)(RunConfig& config);
  bool label_vectors = false;  ///< of a conditional model's data
};
/// The data as a variant needs them: with three classes, or with vectors of three numbers.
[[nodiscard]] Dataset labelled(const ModelVariant& variant, Dataset data);
/// What a conditional model is told at the training positions first … first + count − 1; no columns for
/// others.
[[nodiscard]] oracle::Matrix conditions_at(const Dataset& data, const ModelConfig& model, std::uint64_t seed,
                                           std::int64_t first, std::int64_t count);
[[nodiscard]] const std::vector<ModelVariant>& model_variants();

/// For messages.
[[nodiscard]] std::string_view name_of(Activation activation);
[[nodiscard]] std::string_view name_of(Likelihood likelihood);

}  // namespace vaecuda::test
