// The subcommands: each measures and returns its report.
#pragma once

#include "bench/options.hpp"
#include "bench/report.hpp"
#include "cli/console.hpp"
#include "vaecuda/device.hpp"

namespace vaecuda::bench {

/// Fills in results and columns. \throws DeviceError, OutOfMemoryError, DivergedError
void run_step(const BenchOptions& options, const DeviceInfo& device, cli::Console& console, Report& report);
void run_ops(const BenchOptions& options, const DeviceInfo& device, cli::Console& console, Report& report);
void run_infer(const BenchOptions& options, const DeviceInfo& device, cli::Console& console, Report& report);
void run_machine(const BenchOptions& options, const DeviceInfo& device, cli::Console& console,
                 Report& report);
/// The results of `infer --rows` for a network: for each number of rows and pass, the time of a call and the
/// time to read the weights once.
[[nodiscard]] std::vector<Json> measure_few_rows(const BenchOptions& options, const Shape& shape);
/// The list of what can be measured.
[[nodiscard]] Report list_report();

}  // namespace vaecuda::bench
