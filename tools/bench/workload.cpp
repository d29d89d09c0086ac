#include "bench/workload.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vaecuda/error.hpp"

namespace vaecuda::bench {
namespace {

constexpr std::int64_t kDataBytes = std::int64_t{256} << 20;
constexpr std::int64_t kMostRows = 60'000;

RunConfig config_of(const Shape& shape, const BenchOptions& options) {
  RunConfig config;
  config.model.input_dim = shape.input;
  config.model.hidden = shape.hidden;
  config.model.latent_dim = shape.latent_dim;
  if (options.values == Values::floats) config.model.likelihood = Likelihood::gaussian;
  config.train = options.train;
  config.train.batch_size = shape.batch_size;
  config.objective.samples = shape.samples;
  return config;
}

std::int64_t rows_of(std::int64_t columns, std::int64_t least) {
  const std::int64_t fit = kDataBytes / (columns * static_cast<std::int64_t>(sizeof(float)));
  return std::max(least, std::min(fit, kMostRows));
}

}  // namespace

Model::Model(Backend& backend, const Shape& shape, const BenchOptions& options, std::int64_t least_rows,
             bool training)
    : config(config_of(shape, options)),
      layout(make_layout(config.model)),
      data(random_rows(options.values, rows_of(shape.input, least_rows), shape.input, config.train.seed)),
      store(backend.make_parameters(layout.size, training)),
      resident(backend.make_resident(data)) {
  if (options.values == Values::bytes) preparation.scale = 1.0f / 255.0f;
  std::vector<float> parameters(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, config.model, config.train.seed, parameters.data());
  store->write(ParameterStore::Part::parameters, parameters);
}

TrainingWorkload::TrainingWorkload(Backend& backend, const Shape& shape, const BenchOptions& options)
    : name_(shape.name),
      // Two batches, so that a step never finds its rows in the cache from the previous one.
      model_(backend, shape, options, 2 * shape.batch_size, true),
      plan_(build_training_plan({.layout = model_.layout,
                                 .config = model_.config,
                                 .preparation = model_.preparation,
                                 .data = {model_.data.rows(), model_.data.type()},
                                 .total_steps = 1})),
      program_(backend.compile(plan_, *model_.store, model_.resident.get())) {}

double TrainingWorkload::flops() const {
  double flops = 0.0;
  for (const Op& op : plan_.ops) flops += cost_of(op).flops;
  return flops;
}

void TrainingWorkload::drop_metrics() {
  std::vector<math::StepMetrics> metrics;
  program_->take_metrics(metrics);
}

void TrainingWorkload::check_fault() {
  const std::optional<Fault> fault = program_->fault();
  if (!fault) return;
  throw DivergedError(fmt::format("shape {}: training on the random data diverged in step {}, so there is "
                                  "nothing to measure; try another --seed or --values",
                                  name_, fault->step),
                      fault->step, "loss");
}

Measurement TrainingWorkload::measure_step(const Budget& budget) {
  const Measurement time = measure(budget, [this](std::int64_t runs) {
    const double seconds = program_->timed_run(runs);
    drop_metrics();
    return seconds;
  });
  check_fault();
  return time;
}

std::vector<TrainingWorkload::OpMeasurement> TrainingWorkload::measure_ops(const Budget& budget) {
  std::vector<OpTime> ops;
  const std::vector<Measurement> times = measure_parts(budget, [&](std::int64_t runs) {
    ops = program_->profile(runs);
    drop_metrics();
    std::vector<double> seconds(ops.size());
    std::transform(ops.begin(), ops.end(), seconds.begin(), [](const OpTime& op) { return op.seconds; });
    return seconds;
  });
  check_fault();
  std::vector<OpMeasurement> all;
  for (std::size_t i = 0; i < times.size(); ++i) all.push_back({times[i], ops[i].cost, ops[i].merged});
  return all;
}

InferenceWorkload::InferenceWorkload(Backend& backend, Model& model, MakePlan make)
    : blocks_(model.data.rows() / kInferenceBatch),  // a partial block would count as a whole one
      plan_(make(model)),
      program_(backend.compile(plan_, *model.store, model.resident.get())) {}

void InferenceWorkload::write(const std::string& buffer, std::span<const float> values) {
  program_->write(plan_.find_buffer(buffer), values);
}

Measurement InferenceWorkload::measure_block(const Budget& budget) {
  return measure(budget, [this](std::int64_t runs) {
    double seconds = 0.0;
    while (runs > 0) {
      const std::int64_t count = std::min(runs, blocks_ - next_block_);
      program_->set_position(next_block_ * plan_.batch);
      seconds += program_->timed_run(count);
      next_block_ = (next_block_ + count) % blocks_;
      runs -= count;
    }
    return seconds;
  });
}

}  // namespace vaecuda::bench
