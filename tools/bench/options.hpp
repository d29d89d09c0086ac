// The options of the benchmark.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/shapes.hpp"
#include "cli/command_line.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::bench {

enum class Command { step, ops, infer, machine };
enum class Format { text, json, csv, markdown };
/// The values in the rows of the random data set.
enum class Values {
  bits,    ///< floats 0 or 1, Bernoulli likelihood
  bytes,   ///< bytes 0 … 255, Bernoulli likelihood
  floats,  ///< normal floats, Gaussian likelihood
};

/// The time limits of one measurement.
struct Budget {
  double seconds = 5.0;  ///< upper limit, even if the spread is large
  std::int64_t min_repeats = 10;
};

struct BenchOptions {
  bool list = false;  ///< list what can be measured, without measuring
  Command command = Command::step;
  std::vector<Shape> shapes;
  std::vector<std::int64_t> rows;  ///< infer: rows per call of the public API; empty: passes over blocks
  TrainConfig train;               ///< device, precision, threads, autotune and seed
  Values values = Values::bits;
  Budget budget;
  Format format = Format::text;
  bool quiet = false;
};

[[nodiscard]] cli::CommandLine bench_command_line();
/// Parses the words of a command line after the program's name. \throws ConfigError
[[nodiscard]] BenchOptions parse_options(std::vector<std::string> words);

struct CommandInfo {
  Command command;
  std::string_view name;
  std::string_view purpose;
};
[[nodiscard]] std::span<const CommandInfo> commands();
[[nodiscard]] std::string_view name_of(Command command);
[[nodiscard]] std::string_view name_of(Precision precision);

}  // namespace vaecuda::bench
