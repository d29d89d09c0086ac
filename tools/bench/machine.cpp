// machine: the ceilings of a device, and the costs of launching and waiting.
#include <algorithm>

#include "bench/ceilings.hpp"
#include "bench/commands.hpp"

namespace vaecuda::bench {
namespace {

struct Unit {
  const char* name;
  double factor;  ///< from the SI unit
};

Unit unit_of(CeilingKind kind) {
  switch (kind) {
    case CeilingKind::bandwidth:
      return {"GB/s", 1e-9};
    case CeilingKind::rate:
      return {"TFLOP/s", 1e-12};
    case CeilingKind::cost:
      break;
  }
  return {"us", 1e6};
}

double from_seconds(const Ceiling& ceiling, double seconds) {
  return ceiling.kind == CeilingKind::cost ? seconds / ceiling.amount : ceiling.amount / seconds;
}

Json row_of(const MeasuredCeiling& measured) {
  const Unit unit = unit_of(measured.ceiling.kind);
  const bool refused = !measured.ceiling.refused.empty();
  Json row;
  row["name"] = measured.ceiling.name;
  row["value"] = refused ? Json(nullptr) : Json(measured.value() * unit.factor);
  row["best"] = refused ? Json(nullptr) : Json(measured.best() * unit.factor);
  row["unit"] = unit.name;
  add_quality(row, measured.time, "runs_per_repeat");
  row["detail"] = measured.ceiling.detail;
  row["refused"] = refused ? Json(measured.ceiling.refused) : Json(nullptr);
  return row;
}

}  // namespace

double MeasuredCeiling::value() const {
  return from_seconds(ceiling, time.seconds);
}

double MeasuredCeiling::best() const {
  return from_seconds(ceiling, time.fastest);
}

std::vector<MeasuredCeiling> measure_ceilings(const DeviceInfo& device, const Budget& budget,
                                              const std::vector<std::string>& names) {
  const auto machine = make_machine(device);
  std::vector<MeasuredCeiling> measured;
  for (std::size_t i = 0; i < machine->ceilings().size(); ++i) {
    const Ceiling& ceiling = machine->ceilings()[i];
    if (!names.empty() && std::find(names.begin(), names.end(), ceiling.name) == names.end()) continue;
    measured.push_back({ceiling, {}});
    if (!ceiling.refused.empty()) continue;
    measured.back().time = measure(budget, [&](std::int64_t runs) { return machine->timed_run(i, runs); });
  }
  return measured;
}

void run_machine(const BenchOptions& options, const DeviceInfo& device, cli::Console& console,
                 Report& report) {
  report.columns = {
      {"name", "ceiling"},  {"value", "value"},     {"best", "best"}, {"unit", "unit"},
      {"spread", "spread"}, {"repeats", "repeats"}, {"detail", "of"}, {"refused", "not measured, since"}};
  console.message("machine: the ceilings of this device");
  for (const MeasuredCeiling& measured : measure_ceilings(device, options.budget)) {
    report.results.push_back(row_of(measured));
  }
}

}  // namespace vaecuda::bench
