// step: how fast a model trains.
#include <fmt/format.h>

#include "bench/commands.hpp"
#include "bench/workload.hpp"

namespace vaecuda::bench {
namespace {

Json measure_shape(Backend& backend, const Shape& shape, const BenchOptions& options) {
  TrainingWorkload workload(backend, shape, options);
  const Measurement time = workload.measure_step(options.budget);
  Json row = describe(shape);
  row["samples"] = shape.samples;
  row["precision"] = name_of(options.train.precision);
  row["ms_per_step"] = time.seconds * 1e3;
  add_quality(row, time, "steps_per_repeat");
  row["rows_per_second"] = static_cast<double>(shape.batch_size) / time.seconds;
  row["flops"] = workload.flops();
  row["tflops"] = workload.flops() / time.seconds * 1e-12;
  row["parameters"] = workload.parameters();
  row["device_bytes"] = backend.allocated_bytes();
  return row;
}

}  // namespace

void run_step(const BenchOptions& options, const DeviceInfo& device, cli::Console& console, Report& report) {
  report.columns = {{"shape", "shape"},
                    {"input", "input"},
                    {"hidden", "hidden"},
                    {"latent_dim", "latent"},
                    {"batch_size", "batch"},
                    {"samples", "samples"},
                    {"precision", "precision"},
                    {"ms_per_step", "ms/step"},
                    {"spread", "spread"},
                    {"repeats", "repeats"},
                    {"rows_per_second", "rows/s"},
                    {"tflops", "TFLOP/s"}};
  const auto backend = make_backend(device, options.train.precision, options.train.autotune);
  for (const Shape& shape : options.shapes) {
    console.message(fmt::format("step {}: {}, batch {}", shape.name, network_of(shape), shape.batch_size));
    report.results.push_back(measure_shape(*backend, shape, options));
  }
}

}  // namespace vaecuda::bench
