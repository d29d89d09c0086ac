#include "bench/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/number.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::bench {
namespace {

constexpr std::string_view kSummary =
    "Measures vaecuda: whole training steps, their ops, inference, and the device itself.\n"
    "Usage: vae_cuda_bench step|ops|infer|machine [options]\n"
    "Example: vae_cuda_bench step --shape A,C --json";
constexpr std::string_view kFooter =
    "step     a whole training step: ms, rows/s, TFLOP/s\n"
    "ops      each op of the training step beside a copy and a matrix product measured in the same run\n"
    "infer    encode, decode and score: rows/s; with --rows 1 the time of a call with one row\n"
    "machine  what the device can do at the most, and what starting and waiting cost on it\n"
    "\n"
    "Exit codes: 0 done, 1 runtime error, 2 wrong options, 4 out of memory, 5 no usable device, 6 diverged.";

constexpr std::array<CommandInfo, 4> kCommands{{
    {Command::step, "step", "a whole training step"},
    {Command::ops, "ops", "each op of the training step against its roofline"},
    {Command::infer, "infer", "encode, decode and score"},
    {Command::machine, "machine", "the ceilings of the device"},
}};

/// Options of the training program with the same meaning here.
constexpr std::array<std::string_view, 9> kShared{"--hidden",  "--latent-dim", "--batch-size",
                                                  "--samples", "--seed",       "--device",
                                                  "--threads", "--precision",  "--autotune"};
/// Options that describe a network other than the named shapes.
constexpr std::array<std::string_view, 5> kNetwork{"--input", "--hidden", "--latent-dim", "--batch-size",
                                                   "--samples"};
constexpr std::int64_t kMostColumns = std::int64_t{1} << 24;
constexpr std::int64_t kMostRows = 65536;
constexpr std::int64_t kMostRepeats = 1'000'000;
constexpr double kMostSeconds = 1e6;

bool is_shared(const Option& option) {
  return std::find(kShared.begin(), kShared.end(), option.flag) != kShared.end();
}

Command parse_command(const std::string& word) {
  std::vector<std::string_view> names;
  for (const CommandInfo& info : kCommands) {
    if (info.name == word) return info.command;
    names.push_back(info.name);
  }
  const std::string nearest = nearest_name(word, names);
  throw ConfigError(fmt::format("unknown sub-command '{}'; {}", word,
                                nearest.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                                : fmt::format("did you mean {}?", nearest)));
}

Values parse_values(const std::string& text) {
  constexpr std::array<std::string_view, 3> kNames{"bits", "bytes", "floats"};
  const auto* const found = std::find(kNames.begin(), kNames.end(), text);
  if (found == kNames.end()) {
    throw ConfigError(
        fmt::format("--values: '{}' is not one of {}", text, fmt::join(kNames.begin(), kNames.end(), ", ")));
  }
  return static_cast<Values>(found - kNames.begin());
}

Format parse_format(const cli::Arguments& arguments) {
  constexpr std::array<std::string_view, 3> kFlags{"--json", "--csv", "--markdown"};
  constexpr std::array<Format, 3> kFormats{Format::json, Format::csv, Format::markdown};
  Format format = Format::text;
  std::string_view chosen;
  for (std::size_t i = 0; i < kFlags.size(); ++i) {
    if (!arguments.flag(kFlags[i])) continue;
    if (!chosen.empty()) {
      throw ConfigError(
          fmt::format("{} and {} contradict each other: stdout takes one document", chosen, kFlags[i]));
    }
    chosen = kFlags[i];
    format = kFormats[i];
  }
  return format;
}

Budget parse_budget(const cli::Arguments& arguments) {
  Budget budget;
  if (const std::string* text = arguments.find("--time-limit")) {
    budget.seconds = cli::parse_positive("--time-limit", *text, kMostSeconds);
  }
  if (const std::string* text = arguments.find("--min-repeats")) {
    budget.min_repeats = cli::parse_integer("--min-repeats", *text, 1, kMostRepeats);
  }
  return budget;
}

Shape own_shape(const cli::Arguments& arguments, const RunConfig& config) {
  const std::string* input = arguments.find("--input");
  if (input == nullptr) {
    throw ConfigError("a network of your own needs --input N, the columns of its data; or take --shape");
  }
  Shape shape;
  shape.name = "custom";
  shape.input = cli::parse_integer("--input", *input, 1, kMostColumns);
  shape.hidden = config.model.hidden;
  shape.latent_dim = config.model.latent_dim;
  shape.batch_size = config.train.batch_size;
  shape.samples = config.objective.samples;
  shape.purpose = "given on the command line";
  return shape;
}

std::vector<Shape> parse_shapes(const cli::Arguments& arguments, const RunConfig& config) {
  const std::string* names = arguments.find("--shape");
  const auto* const own = std::find_if(kNetwork.begin(), kNetwork.end(), [&](std::string_view flag) {
    return arguments.find(flag) != nullptr;
  });
  if (names != nullptr && own != kNetwork.end()) {
    throw ConfigError(fmt::format("--shape and {} contradict each other: a named shape has its sizes", *own));
  }
  if (own != kNetwork.end()) return {own_shape(arguments, config)};
  return find_shapes(names != nullptr ? *names : "A");
}

std::vector<std::int64_t> parse_rows(const cli::Arguments& arguments) {
  const std::string* text = arguments.find("--rows");
  if (text == nullptr) return {};
  std::vector<std::int64_t> rows;
  for (std::size_t first = 0; first <= text->size();) {
    const std::size_t comma = std::min(text->find(',', first), text->size());
    rows.push_back(cli::parse_integer("--rows", text->substr(first, comma - first), 1, kMostRows));
    first = comma + 1;
  }
  return rows;
}

/// Options that the subcommand would ignore.
void refuse_useless(Command command, const cli::Arguments& arguments) {
  const auto refuse = [&](std::string_view flag, std::string_view why) {
    if (arguments.find(flag) != nullptr) {
      throw ConfigError(fmt::format("{}: {} has no use for it; {}", flag, name_of(command), why));
    }
  };
  if (command != Command::infer) refuse("--rows", "the number of rows is its batch");
  if (command == Command::infer) {
    refuse("--batch-size", "inference has blocks of a fixed size");
    refuse("--samples", "it draws one latent a row");
  }
  if (command != Command::machine) return;
  for (const std::string_view flag : kNetwork) refuse(flag, "it measures the device alone");
  for (const std::string_view flag : {"--shape", "--values", "--precision", "--autotune"}) {
    refuse(flag, "it measures the device alone, in every precision");
  }
}

}  // namespace

std::span<const CommandInfo> commands() {
  return kCommands;
}

std::string_view name_of(Command command) {
  return kCommands[static_cast<std::size_t>(command)].name;
}

std::string_view name_of(Precision precision) {
  constexpr std::array<std::string_view, 3> kNames{"fp32", "tf32", "bf16"};
  return kNames[static_cast<std::size_t>(precision)];
}

cli::CommandLine bench_command_line() {
  return {"vae_cuda_bench",
          kSummary,
          kFooter,
          {{"--shape", "NAME[,NAME...]|all", "networks and batches by name; --list shows them [A]"},
           {"--input", "N", "columns of the data, for a network of your own"},
           {"--values", "bits|bytes|floats", "what the random data hold [bits]"},
           {"--rows", "N[,N...]",
            "infer: calls of so many rows through the public API, beside a reading of the weights"},
           {"--time-limit", "S", "seconds for each measurement at the most, its warm-up aside [5]"},
           {"--min-repeats", "N", "repeats of each measurement at the least, unless the time runs out [10]"},
           {"--json", "", "print one JSON document"},
           {"--csv", "", "print comma-separated values with a head line"},
           {"--markdown", "", "print Markdown tables"},
           {"--list", "", "show sub-commands and shapes, and exit"},
           {"--quiet", "", "no messages; errors remain"}},
          is_shared};
}

BenchOptions parse_options(std::vector<std::string> words) {
  BenchOptions options;
  const bool has_command = !words.empty() && words.front().substr(0, 1) != "-";
  if (has_command) {
    options.command = parse_command(words.front());
    words.erase(words.begin());
  }
  const cli::Arguments arguments = bench_command_line().parse(words);
  options.list = arguments.flag("--list");
  options.format = parse_format(arguments);
  options.quiet = arguments.flag("--quiet");
  options.budget = parse_budget(arguments);
  options.rows = parse_rows(arguments);
  if (const std::string* text = arguments.find("--values")) options.values = parse_values(*text);
  RunConfig config;
  for (const Option& option : vaecuda::options()) {
    if (!is_shared(option)) continue;
    if (const std::string* text = arguments.find(option.flag)) option.set(config, *text, option.flag);
  }
  options.train = config.train;
  if (options.list) return options;
  if (!has_command) {
    throw ConfigError("a sub-command comes first: step, ops, infer or machine; --help explains them");
  }
  refuse_useless(options.command, arguments);
  if (options.command != Command::machine) options.shapes = parse_shapes(arguments, config);
  return options;
}

}  // namespace vaecuda::bench
