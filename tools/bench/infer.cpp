// infer: how fast a trained model encodes, decodes and scores.
#include <fmt/format.h>

#include <algorithm>

#include "bench/commands.hpp"
#include "bench/workload.hpp"
#include "host/plan/exchanged.hpp"

namespace vaecuda::bench {
namespace {

struct Pass {
  const char* name;
  InferenceWorkload::MakePlan make;
};

constexpr Pass kPasses[] = {
    {"encode",
     [](const Model& m) {
       return build_encode_plan(m.layout, m.config.model, m.preparation, shape_of(m.data));
     }},
    {"decode", [](const Model& m) { return build_decode_plan(m.layout, m.config.model, m.data.rows()); }},
    {"score",
     [](const Model& m) {
       return build_evaluation_plan(m.layout, m.config.model, m.preparation, shape_of(m.data),
                                    m.config.train.seed);
     }},
};

/// Latents like those of a trained model: zeros would leave hidden units inactive.
void write_latents(InferenceWorkload& workload, const Model& model) {
  const Dataset z =
      random_rows(Values::floats, model.data.rows(), model.config.model.latent_dim, model.config.train.seed);
  workload.write(exchanged::kLatents, z.f32());
}

Json measure_pass(Backend& backend, Model& model, const Pass& pass, const Shape& shape,
                  const BenchOptions& options) {
  InferenceWorkload workload(backend, model, pass.make);
  if (pass.name == std::string_view("decode")) write_latents(workload, model);
  const Measurement time = workload.measure_block(options.budget);
  double flops = 0.0;
  for (const Op& op : workload.plan().ops) flops += cost_of(op).flops;
  Json row = describe(shape);
  row["batch_size"] = workload.plan().batch;
  row["samples"] = 1;
  row["precision"] = name_of(options.train.precision);
  row["pass"] = pass.name;
  row["ms_per_batch"] = time.seconds * 1e3;
  add_quality(row, time, "batches_per_repeat");
  row["rows_per_second"] = static_cast<double>(workload.plan().batch) / time.seconds;
  row["flops"] = flops;
  row["tflops"] = flops / time.seconds * 1e-12;
  return row;
}

void run_few_rows(const BenchOptions& options, cli::Console& console, Report& report) {
  report.columns = {{"shape", "shape"},
                    {"input", "input"},
                    {"hidden", "hidden"},
                    {"latent_dim", "latent"},
                    {"pass", "pass"},
                    {"rows", "rows"},
                    {"us_per_call", "us/call"},
                    {"us_fastest", "fastest"},
                    {"spread", "spread"},
                    {"us_read_weights", "us/reading"},
                    {"us_read_fastest", "fastest"},
                    {"readings", "readings"},
                    {"rows_per_second", "rows/s"}};
  for (const Shape& shape : options.shapes) {
    console.message(fmt::format("infer {}: {}, calls of few rows", shape.name, network_of(shape)));
    const std::vector<Json> results = measure_few_rows(options, shape);
    report.results.insert(report.results.end(), results.begin(), results.end());
  }
}

}  // namespace

void run_infer(const BenchOptions& options, const DeviceInfo& device, cli::Console& console, Report& report) {
  if (!options.rows.empty()) return run_few_rows(options, console, report);
  report.columns = {{"shape", "shape"},
                    {"input", "input"},
                    {"hidden", "hidden"},
                    {"latent_dim", "latent"},
                    {"pass", "pass"},
                    {"batch_size", "batch"},
                    {"precision", "precision"},
                    {"ms_per_batch", "ms/batch"},
                    {"spread", "spread"},
                    {"repeats", "repeats"},
                    {"rows_per_second", "rows/s"},
                    {"tflops", "TFLOP/s"}};
  const auto backend = make_backend(device, options.train.precision, options.train.autotune);
  std::vector<std::string> done;
  for (const Shape& shape : options.shapes) {
    // Shapes that differ only in the training batch are the same here.
    if (std::find(done.begin(), done.end(), network_of(shape)) != done.end()) continue;
    done.push_back(network_of(shape));
    console.message(fmt::format("infer {}: {}", shape.name, network_of(shape)));
    Model model(*backend, shape, options, kInferenceBatch, false);
    for (const Pass& pass : kPasses) {
      report.results.push_back(measure_pass(*backend, model, pass, shape, options));
    }
  }
}

}  // namespace vaecuda::bench
