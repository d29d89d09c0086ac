// Trains small models of every kind on every backend that runs here, and writes what each run leaves: a hash
// of every tensor's bytes and every step's metrics. compare_builds.py compares two builds by it. Compared are
// runs of one machine, so nothing here is right or wrong by itself. Usage: training_runs OUT.json
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "host/cpu/backend.hpp"
#include "host/cpu/loops.hpp"
#include "support/catch.hpp"
#include "support/model_bench.hpp"
#include "support/op_bench.hpp"
#if defined(VAECUDA_HAVE_SIMT)
#include "cuda/test_backend.hpp"
#endif

using namespace vaecuda;
using nlohmann::json;

namespace {

struct Run {
  std::string name;
  test::TrainingBench bench;
  Dataset data;
  std::int64_t steps = 8;
};

/// 50-32-16-4 in batches of 24 of 101 rows, so that batches run across the data's end.
test::TrainingBench small_model() {
  test::TrainingBench bench;
  bench.config = test::small_config(50, {32, 16}, 4, 24);
  bench.config.model.activation = Activation::gelu_tanh;
  bench.total_steps = 40;
  return bench;
}

Dataset floats(std::int64_t rows, std::int64_t columns) {
  std::vector<float> values = test::noise(rows * columns, 101, 0.5);
  for (float& v : values) v += 0.5f;
  return Dataset(values, rows, columns);
}

Dataset bytes(std::int64_t rows, std::int64_t columns) {
  std::vector<std::uint8_t> values;
  for (std::int64_t i = 0; i < rows * columns; ++i) values.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  return Dataset(values, rows, columns);
}

void add_variants(std::vector<Run>& runs) {
  const std::pair<const char*, std::function<void(RunConfig&)>> ends[] = {
      {"no clipping", [](RunConfig&) {}},
      {"clipping", [](RunConfig& c) { c.optimizer.clip_norm = 0.5; }},
      {"skip", [](RunConfig& c) { c.train.on_nonfinite = NonfiniteAction::skip; }}};
  for (const test::ModelVariant& variant : test::model_variants()) {
    for (const auto& [name, change] : ends) {
      test::TrainingBench bench = small_model();
      variant.apply(bench.config);
      change(bench.config);
      runs.push_back(
          {std::string(variant.name) + ", " + name, bench, test::labelled(variant, floats(101, 50))});
    }
  }
}

void add_configurations(std::vector<Run>& runs) {
  const std::pair<const char*, std::function<void(RunConfig&)>> changes[] = {
      {"adamw with decay",
       [](RunConfig& c) {
         c.optimizer.kind = OptimizerKind::adamw;
         c.optimizer.weight_decay = 0.1;
       }},
      {"adam with decay and clipping",
       [](RunConfig& c) {
         c.optimizer.weight_decay = 0.1;
         c.optimizer.clip_norm = 0.5;
       }},
      {"second moment from 1", [](RunConfig& c) { c.optimizer.v_init = 1; }},
      {"rate cosine",
       [](RunConfig& c) {
         c.optimizer.schedule = {.kind = LrScheduleKind::cosine,
                                 .warmup_steps = 3,
                                 .min_fraction = 0.1,
                                 .gamma = 1.0,
                                 .stages = {}};
       }},
      {"rate exponential",
       [](RunConfig& c) {
         c.optimizer.schedule = {.kind = LrScheduleKind::exponential,
                                 .warmup_steps = 0,
                                 .min_fraction = 0.0,
                                 .gamma = 0.5,
                                 .stages = {}};
       }},
      {"rate in stages",
       [](RunConfig& c) {
         c.optimizer.schedule = {.kind = LrScheduleKind::stages,
                                 .warmup_steps = 0,
                                 .min_fraction = 0.0,
                                 .gamma = 1.0,
                                 .stages = {{1, 0.01}}};
       }},
      {"beta linear",
       [](RunConfig& c) {
         c.objective.beta_schedule = {BetaScheduleKind::linear, 5, 0.5};
       }},
      {"beta cyclical",
       [](RunConfig& c) {
         c.objective.beta_schedule = {BetaScheduleKind::cyclical, 4, 0.5};
       }},
      {"sum over rows", [](RunConfig& c) { c.objective.reduce = Reduction::sum; }},
      {"relu", [](RunConfig& c) { c.model.activation = Activation::relu; }},
      {"tanh", [](RunConfig& c) { c.model.activation = Activation::tanh; }},
      {"leaky relu", [](RunConfig& c) { c.model.activation = Activation::leaky_relu; }},
      {"gelu", [](RunConfig& c) { c.model.activation = Activation::gelu; }},
      {"silu", [](RunConfig& c) { c.model.activation = Activation::silu; }},
      {"no hidden layer", [](RunConfig& c) { c.model.hidden.clear(); }},
      {"batch of 1", [](RunConfig& c) { c.train.batch_size = 1; }},
      {"batch of 20", [](RunConfig& c) { c.train.batch_size = 20; }},
      {"batch above the rows", [](RunConfig& c) { c.train.batch_size = 150; }},
      {"batch of 1024", [](RunConfig& c) { c.train.batch_size = 1024; }}};
  for (const auto& [name, change] : changes) {
    test::TrainingBench bench = small_model();
    change(bench.config);
    runs.push_back({name, bench, floats(101, 50), bench.config.train.batch_size > 500 ? 3 : 8});
  }
}

void add_preparations(std::vector<Run>& runs) {
  const auto add = [&runs](const char* name, const Preparation& preparation, const Dataset& data) {
    test::TrainingBench bench = small_model();
    bench.preparation = preparation;
    runs.push_back({name, bench, data});
  };
  Preparation preparation;
  preparation.binarize = Binarize::threshold;
  add("binarized at one half", preparation, floats(101, 50));
  preparation.binarize = Binarize::stochastic;
  add("binarized by draws", preparation, floats(101, 50));
  preparation.scale = 1.0f / 255.0f;
  add("bytes binarized by draws", preparation, bytes(101, 50));
  preparation.binarize = Binarize::none;
  add("bytes", preparation, bytes(101, 50));
  preparation.scale = 1.0f;
  preparation.mean = test::noise(50, 5, 1.0);
  preparation.inverse_deviation = test::noise(50, 6, 1.0);
  test::TrainingBench bench = small_model();
  bench.preparation = preparation;
  bench.config.model.likelihood = Likelihood::gaussian;
  runs.push_back({"standardized", bench, floats(101, 50)});
}

std::vector<test::Executor> backends() {
  std::vector<test::Executor> all;
  for (const cpu::Loops* loops : cpu::supported_loops()) {
    for (const int threads : {1, 3}) {
      all.push_back({std::string("loops ") + loops->name + ", threads " + std::to_string(threads),
                     [loops, threads] { return cpu::make_backend_of(*loops, threads); }});
    }
  }
#if defined(VAECUDA_HAVE_SIMT)
  for (const simt::EpilogueSupport epilogues : {simt::EpilogueSupport::all, simt::EpilogueSupport::none}) {
    test::Executor executor = test::setup_of(epilogues).executor();
    executor.name = std::string("kernels, ") + test::name_of(epilogues);
    all.push_back(executor);
  }
#endif
  return all;
}

/// FNV-1a.
std::string hash_of(const float* values, std::int64_t count) {
  std::uint64_t hash = 14695981039346656037U;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, values + i, sizeof bits);
    for (unsigned shift = 0; shift < 32; shift += 8) hash = (hash ^ (bits >> shift & 255U)) * 1099511628211U;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

/// A double to its last bit, NaN and infinities too.
std::string exactly(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

/// Under the keys of builds that did not name the terms of a loss, so that those can be compared: "kl" is the
/// term beside the reconstruction.
json metrics_of(const math::StepMetrics& m) {
  double beside = 0.0;
  for (const math::LossTermKind kind :
       {math::LossTermKind::kl, math::LossTermKind::code_penalty, math::LossTermKind::quantization_error})
    beside += math::mean_of(m.means, kind);
  return {{"loss", exactly(m.loss)},
          {"reconstruction", exactly(math::mean_of(m.means, math::LossTermKind::reconstruction))},
          {"kl", exactly(beside)},
          {"gradient_norm", exactly(m.gradient_norm)},
          {"lr", exactly(m.lr)},
          {"kl_weight", exactly(m.loss_weight)},
          {"perplexity_mean", exactly(m.perplexity_mean)},
          {"perplexity_min", exactly(m.perplexity_min)}};
}

/// What every pass of the trained model leaves in its exchange buffers, and what it was given there.
json passes_of(const Run& run, const test::Executor& executor, const std::vector<float>& parameters) {
  const ParameterLayout layout = run.bench.layout();
  const ModelConfig& model = run.bench.config.model;
  const Preparation& preparation = run.bench.preparation;
  const DataShape shape = shape_of(run.data);
  std::vector<Plan> plans = {build_evaluation_plan(layout, model, preparation, shape, 3),
                             build_encode_plan(layout, model, preparation, shape),
                             build_reconstruct_plan(layout, model, preparation, shape),
                             build_decode_plan(layout, model, run.data.rows())};
  if (why_no_prior(model).empty()) plans.push_back(build_generate_plan(layout, model, run.data.rows(), 7));
  if (model.latent == LatentKind::gaussian) {
    plans.push_back(build_log_likelihood_plan(layout, model, preparation, shape, 20, 3));
  }
  const auto backend = executor.make();
  const auto store = backend->make_parameters(layout.size, false);
  store->write(ParameterStore::Part::parameters, parameters);
  const auto resident = backend->make_resident(run.data);
  json passes = json::object();
  for (const Plan& plan : plans) {
    const auto program = backend->compile(plan, *store, resident.get());
    const bool from_latents = plan.name == "decode" || plan.name == "generate";
    for (std::size_t i = 0; i < plan.buffers.size() && from_latents; ++i) {
      const Buffer& buffer = plan.buffers[i];
      if (buffer.kind != BufferKind::exchange || buffer.name == "rows.mean") continue;
      program->write(static_cast<int>(i), test::noise(buffer.size(), 6, 1.0));
    }
    program->set_position(0);
    program->run((run.data.rows() + plan.batch - 1) / plan.batch);
    for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
      const Buffer& buffer = plan.buffers[i];
      if (buffer.kind != BufferKind::exchange) continue;
      std::vector<float> values(static_cast<std::size_t>(buffer.size()));
      program->read(static_cast<int>(i), values);
      passes[plan.name + ", " + buffer.name] = hash_of(values.data(), buffer.size());
    }
  }
  return passes;
}

json outcome_of(const Run& run, const test::Executor& executor) {
  const test::TrainingResult result = run.bench.run(executor, run.data, run.steps);
  json tensors = json::object();
  for (const ParameterTensor& tensor : run.bench.layout().tensors()) {
    for (const auto& [part, values] :
         {std::pair{"parameter", &result.parameters}, std::pair{"moment 1", &result.moment1},
          std::pair{"moment 2", &result.moment2}}) {
      tensors[tensor.name + ", " + part] = hash_of(values->data() + tensor.offset, tensor.count);
    }
  }
  json metrics = json::array();
  for (const math::StepMetrics& step : result.metrics) metrics.push_back(metrics_of(step));
  return {
      {"tensors", tensors}, {"metrics", metrics}, {"passes", passes_of(run, executor, result.parameters)}};
}

}  // namespace

TEST_CASE("what every backend computes", "[golden]") {
  const char* path = std::getenv("VAECUDA_TRAINING_RUNS");
  REQUIRE(path != nullptr);
  std::vector<Run> runs;
  add_variants(runs);
  add_configurations(runs);
  add_preparations(runs);
  json all = json::object();
  for (const test::Executor& executor : backends()) {
    for (const Run& run : runs) all[executor.name + " | " + run.name] = outcome_of(run, executor);
  }
  std::ofstream out(path);
  out << all.dump(1) << '\n';
  out.close();
  REQUIRE(out);
}
