// ops: each op of a training step compared with the ceilings of the device, measured in the same run.
#include <fmt/format.h>

#include <algorithm>

#include "bench/ceilings.hpp"
#include "bench/commands.hpp"
#include "bench/workload.hpp"

namespace vaecuda::bench {
namespace {

using OpMeasurement = TrainingWorkload::OpMeasurement;

/// \throws DeviceError if the device has no such products
Roofline measure_roofline(const DeviceInfo& device, const BenchOptions& options) {
  const std::string gemm = gemm_ceiling(options.train.precision);
  Roofline roofline;
  for (const MeasuredCeiling& measured : measure_ceilings(device, options.budget, {kCopyCeiling, gemm})) {
    (measured.ceiling.name == gemm ? roofline.flops_per_second : roofline.bytes_per_second) = measured.best();
  }
  return roofline;
}

/// The shortest time that the ceilings allow, and the ceiling that determines it.
struct Bound {
  double seconds = 0.0;
  const char* by = nullptr;
};
Bound bound_of(const OpCost& cost, const Roofline& roofline) {
  const double compute = cost.flops / roofline.flops_per_second;
  const double memory = cost.bytes / roofline.bytes_per_second;
  if (compute == 0.0 && memory == 0.0) return {};
  return compute > memory ? Bound{compute, "compute"} : Bound{memory, "memory"};
}

Json measured(double value, bool is_known) {
  return is_known ? Json(value) : Json(nullptr);
}

/// The fields of a row for one op or several together.
void add_work(Json& row, const OpMeasurement& op, const Bound& bound) {
  const double seconds = op.time.seconds;
  const bool works = seconds > 0.0;
  row["us"] = measured(seconds * 1e6, !op.merged);
  add_quality(row, op.time, "steps_per_repeat");
  row["flops"] = op.cost.flops;
  row["bytes"] = op.cost.bytes;
  row["tflops"] = measured(op.cost.flops / seconds * 1e-12, works && op.cost.flops > 0.0);
  row["gb_per_s"] = measured(op.cost.bytes / seconds * 1e-9, works && op.cost.bytes > 0.0);
  row["bound"] = bound.by == nullptr ? Json(nullptr) : Json(bound.by);
  row["roofline_us"] = measured(bound.seconds * 1e6, bound.seconds > 0.0);
  row["percent_of_roofline"] = measured(100.0 * bound.seconds / seconds, works && bound.seconds > 0.0);
  row["merged"] = op.merged;
}

void measure_shape(Backend& backend, const Shape& shape, const BenchOptions& options,
                   const Roofline& roofline, Report& report) {
  TrainingWorkload workload(backend, shape, options);
  const Measurement step_time = workload.measure_step(options.budget);
  const std::vector<OpMeasurement> ops = workload.measure_ops(options.budget);
  const auto add_row = [&](const Json& index, const std::string& name, const OpMeasurement& op,
                           const Bound& bound) {
    Json row = describe(shape);
    row["precision"] = name_of(options.train.precision);
    row["index"] = index;
    row["op"] = name;
    add_work(row, op, bound);
    report.results.push_back(std::move(row));
  };
  OpMeasurement sum{ops.front().time, {}, false};
  sum.time.seconds = 0.0;
  sum.time.spread.reset();
  Bound least;  // one op after the other
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const Bound bound = bound_of(ops[i].cost, roofline);
    add_row(i, name_of(workload.plan().ops[i]), ops[i], bound);
    sum.time.seconds += ops[i].time.seconds;
    sum.cost.flops += ops[i].cost.flops;
    sum.cost.bytes += ops[i].cost.bytes;
    least.seconds += bound.seconds;
  }
  add_row(nullptr, "all ops", sum, least);
  add_row(nullptr, "whole step", {step_time, sum.cost, false}, least);
}

}  // namespace

void run_ops(const BenchOptions& options, const DeviceInfo& device, cli::Console& console, Report& report) {
  report.columns = {{"shape", "shape"},
                    {"index", "#"},
                    {"op", "op"},
                    {"us", "us"},
                    {"spread", "spread"},
                    {"tflops", "TFLOP/s"},
                    {"gb_per_s", "GB/s"},
                    {"bound", "bound by"},
                    {"roofline_us", "least us"},
                    {"percent_of_roofline", "% of roofline"}};
  const auto backend = make_backend(device, options.train.precision, options.train.autotune);
  console.message("ops: a copy and a matrix product");
  const Roofline roofline = measure_roofline(device, options);
  report.more["roofline"]["copy_gb_per_s"] = roofline.bytes_per_second * 1e-9;
  report.more["roofline"]["gemm_tflops"] = roofline.flops_per_second * 1e-12;
  for (const Shape& shape : options.shapes) {
    console.message(fmt::format("ops {}: {}, batch {}", shape.name, network_of(shape), shape.batch_size));
    measure_shape(*backend, shape, options, roofline, report);
  }
}

}  // namespace vaecuda::bench
