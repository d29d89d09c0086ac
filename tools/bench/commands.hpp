// The sub-commands: each measures and gives its report.
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
/// What there is to measure.
[[nodiscard]] Report list_report();

}  // namespace vaecuda::bench
