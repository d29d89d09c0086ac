// The CUDA backend on the executor, with either's options.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "host/cuda/backend.hpp"
#include "host/cuda/program.hpp"
#include "simt/runtime.hpp"
#include "support/catch.hpp"
#include "support/executor.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#include "support/step_metrics.hpp"
#include "support/tolerance.hpp"

namespace vaecuda::test {

struct SimtSetup {
  simt::SimtOptions device;
  cuda::BackendOptions backend;

  [[nodiscard]] std::unique_ptr<Backend> make() const {
    return cuda::make_cuda_backend(std::make_unique<simt::SimtRuntime>(device), backend);
  }
  [[nodiscard]] Executor executor() const {
    return {"simt", [setup = *this] { return setup.make(); }};
  }
};

inline SimtSetup setup_of(simt::EpilogueSupport epilogues, Precision precision = Precision::fp32) {
  SimtSetup setup;
  setup.device.epilogues = epilogues;
  setup.device.second_order = false;  // the kernels' own tests ask for it; here it would only take time
  setup.backend.precision = precision;
  return setup;
}

inline const std::vector<simt::EpilogueSupport>& epilogue_supports() {
  static const std::vector<simt::EpilogueSupport> all = {
      simt::EpilogueSupport::all, simt::EpilogueSupport::bias_only, simt::EpilogueSupport::none};
  return all;
}

inline const char* name_of(simt::EpilogueSupport epilogues) {
  constexpr const char* kNames[] = {"all epilogues", "bias alone", "no epilogue"};
  return kNames[static_cast<int>(epilogues)];
}

/// 50-32-16-4 in batches of 24 of 101 rows: no dimension is a multiple of a vector's or a warp's width by
/// itself, and batches run across the data's end.
inline TrainingBench small_bench(Activation activation = Activation::relu,
                                 Likelihood likelihood = Likelihood::bernoulli, double clip_norm = 0.0) {
  TrainingBench bench;
  bench.config = small_config(50, {32, 16}, 4, 24);
  bench.config.model.activation = activation;
  bench.config.model.likelihood = likelihood;
  bench.config.optimizer.clip_norm = clip_norm;
  return bench;
}

inline Dataset small_data(std::int64_t rows = 101, std::int64_t columns = 50) {
  std::vector<float> values = noise(rows * columns, 101, 0.5);
  for (float& v : values) v += 0.5f;
  return Dataset(values, rows, columns);
}

inline Plan plan_of(const TrainingBench& bench, const Dataset& data) {
  const ParameterLayout layout = bench.layout();
  return build_training_plan({.layout = layout,
                              .config = bench.config,
                              .preparation = bench.preparation,
                              .data = shape_of(data),
                              .total_steps = bench.total_steps});
}

/// A training program that is ready to run, and all that it stands on.
struct Session {
  std::unique_ptr<Backend> backend;
  std::unique_ptr<ParameterStore> store;
  std::unique_ptr<ResidentData> resident;
  std::unique_ptr<Program> program;

  Session(const SimtSetup& setup, const TrainingBench& bench, const Dataset& data)
      : Session(setup, bench, data, plan_of(bench, data)) {}
  /// Another plan for the same model.
  Session(const SimtSetup& setup, const TrainingBench& bench, const Dataset& data, const Plan& plan)
      : backend(setup.make()) {
    store = backend->make_parameters(plan.parameter_size, true);
    store->write(ParameterStore::Part::parameters, bench.initial_parameters());
    resident = backend->make_resident(data);
    program = backend->compile(plan, *store, resident.get());
  }

  [[nodiscard]] cuda::CudaProgram& cuda() const { return dynamic_cast<cuda::CudaProgram&>(*program); }

  [[nodiscard]] std::vector<float> read(ParameterStore::Part part) const {
    std::vector<float> values(static_cast<std::size_t>(store->size()));
    store->read(part, values);
    return values;
  }
  [[nodiscard]] TrainingResult result() const {
    TrainingResult result;
    program->take_metrics(result.metrics);
    result.fault = program->fault();
    result.parameters = read(ParameterStore::Part::parameters);
    result.moment1 = read(ParameterStore::Part::moment1);
    result.moment2 = read(ParameterStore::Part::moment2);
    return result;
  }
};

/// The same bytes, metrics included.
inline void check_same(const TrainingResult& a, const TrainingResult& b) {
  CHECK(compare_bits(a.parameters, b.parameters) == "");
  CHECK(compare_bits(a.moment1, b.moment1) == "");
  CHECK(compare_bits(a.moment2, b.moment2) == "");
  REQUIRE(a.metrics.size() == b.metrics.size());
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    INFO("step " << a.metrics[i].step);
    REQUIRE(a.metrics[i].step == b.metrics[i].step);
    REQUIRE(a.metrics[i].loss == b.metrics[i].loss);
    REQUIRE(same_means(a.metrics[i], b.metrics[i]));
    REQUIRE(a.metrics[i].gradient_norm == b.metrics[i].gradient_norm);
    REQUIRE(a.metrics[i].lr == b.metrics[i].lr);
  }
}

/// Largest |a − b| / (1 + |b|).
inline double difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(std::isfinite(a[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])) /
                                    (1.0 + std::fabs(static_cast<double>(b[i]))));
  }
  return largest;
}

}  // namespace vaecuda::test
