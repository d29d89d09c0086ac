#include "vae_cuda/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <span>
#include <system_error>

#include "cli/number.hpp"
#include "vae_cuda/command.hpp"

namespace vaecuda::tool {
namespace {

/// Applies the given options among `flags`, by the rules of the option table.
RunConfig table_values(const cli::Arguments& arguments, std::span<const std::string_view> flags) {
  RunConfig config;
  for (const Option& option : options()) {
    if (std::find(flags.begin(), flags.end(), option.flag) == flags.end()) continue;
    if (const std::string* text = arguments.find(option.flag)) option.set(config, *text, option.flag);
  }
  return config;
}

DataPart part_of(const cli::Arguments& arguments, std::string_view flag) {
  const std::string* part = arguments.find(flag);
  if (part != nullptr && *part != "train" && *part != "test") {
    throw ConfigError(fmt::format("{}: '{}' is not train or test", flag, *part));
  }
  return part != nullptr && *part == "test" ? DataPart::test : DataPart::train;
}

std::unique_ptr<RowSource> open_for(const DataSource& source, DataPart part, const ModelInfo& model,
                                    std::string_view labels_flag) {
  DataSource known = source;
  known.value_columns = model.column_names;
  known.label_vector_columns = model.label_vector_names;
  auto rows = open_rows(known, part);
  if (rows->has_label_vectors() && !model.model.conditional) {
    throw ConfigError(fmt::format(
        "{}: vectors for the rows of {}, which only a conditional model uses; give one label per row",
        labels_flag, rows->name()));
  }
  return rows;
}

}  // namespace

const std::vector<cli::ProgramOption>& common_options() {
  static const std::vector<cli::ProgramOption> kOptions = {
      {"--device", "auto|cpu|cuda|cuda:N", "where to compute; auto takes a GPU if there is one [auto]"},
      {"--threads", "N", "CPU threads; 0 is one per core that may be used. Never changes a result [0]"},
      {"--precision", "fp32|tf32|bf16", "of the matrix products; tf32 and bf16 need a GPU [fp32]"},
      {"--batch-size", "N", "rows at a time; by default as many as 32 MiB hold. Never changes a result"},
      {"--seed", "N", "of everything that is drawn; by default the model's own"},
      {"--json", "", "print one JSON document on stdout"},
      {"--quiet", "", "no messages; errors remain"},
  };
  return kOptions;
}

std::vector<cli::ProgramOption> data_options() {
  return {
      {"--data", "PATH",
       "rows: IDX, .npy, .csv, sparse .mtx or svmlight text (each also .gz), SciPy's sparse .npz, CIFAR-10 "
       ".bin, a folder with MNIST, CIFAR-10 or 10x counts, or "
       "shapes[:32x32x3][:n=100000]"},
      {"--part", "train|test", "which part of a folder with both [train; evaluate: test]"},
      {"--labels", "PATH",
       "one label per row of --data: IDX, .npy or a one-column CSV; for a conditional model also a vector "
       "per row"},
      {"--label-column", "NAME|INDEX|none",
       "CSV column that holds labels; without it, one named label, class or target"},
      {"--header", "auto|yes|no",
       "whether the first line of a CSV file names its columns; auto: as the lines tell [auto]"},
  };
}

std::vector<cli::ProgramOption> joined(std::vector<cli::ProgramOption> first,
                                       const std::vector<cli::ProgramOption>& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

const std::string& required(const cli::Arguments& arguments, std::string_view flag) {
  const std::string* text = arguments.find(flag);
  if (text == nullptr) throw ConfigError(fmt::format("{} is missing; --help shows an example", flag));
  return *text;
}

std::int64_t integer_of(const cli::Arguments& arguments, std::string_view flag, std::int64_t min,
                        std::int64_t max) {
  return cli::parse_integer(flag, required(arguments, flag), min, max);
}

std::int64_t integer_or(const cli::Arguments& arguments, std::string_view flag, std::int64_t otherwise,
                        std::int64_t min, std::int64_t max) {
  const std::string* text = arguments.find(flag);
  return text == nullptr ? otherwise : cli::parse_integer(flag, *text, min, max);
}

double real_or(const cli::Arguments& arguments, std::string_view flag, double otherwise, double min,
               double max) {
  const std::string* text = arguments.find(flag);
  return text == nullptr ? otherwise : cli::parse_real(flag, *text, min, max);
}

std::vector<std::int64_t> integers(const cli::Arguments& arguments, std::string_view flag, std::int64_t min,
                                   std::int64_t max) {
  std::vector<std::int64_t> values;
  std::string_view rest = required(arguments, flag);
  for (;;) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    values.push_back(cli::parse_integer(flag, rest.substr(0, comma), min, max));
    if (comma == rest.size()) return values;
    rest.remove_prefix(comma + 1);
  }
}

std::uint64_t seed_or(const cli::Arguments& arguments, std::uint64_t otherwise) {
  static constexpr std::string_view kFlags[] = {"--seed"};
  return arguments.find("--seed") == nullptr ? otherwise : table_values(arguments, kFlags).train.seed;
}

RunOn run_on(const cli::Arguments& arguments) {
  static constexpr std::string_view kFlags[] = {"--device", "--threads", "--precision", "--batch-size"};
  const TrainConfig train = table_values(arguments, kFlags).train;
  RunOn on;
  on.device = train.device;
  on.threads = train.threads;
  on.precision = train.precision;
  on.batch_size = arguments.find("--batch-size") == nullptr ? 0 : train.batch_size;
  return on;
}

Vae load_model(const cli::Arguments& arguments, cli::Console& console) {
  RunOn on = run_on(arguments);
  on.message = [&console](const std::string& line) { console.message(line); };
  Vae vae = Vae::load(required(arguments, "MODEL"), on);
  if (!vae.device_note().empty()) console.message(vae.device_note());
  return vae;
}

DataSource data_source(const cli::Arguments& arguments) {
  static constexpr std::string_view kFlags[] = {"--data", "--labels", "--label-column", "--header"};
  static_cast<void>(required(arguments, "--data"));
  return table_values(arguments, kFlags).data.train;
}

DataPart data_part(const cli::Arguments& arguments) {
  return part_of(arguments, "--part");
}

std::unique_ptr<RowSource> open_data(const cli::Arguments& arguments, const ModelInfo& model,
                                     std::optional<DataPart> part) {
  return open_for(data_source(arguments), part.value_or(data_part(arguments)), model, "--labels");
}

std::unique_ptr<RowSource> open_reference(const cli::Arguments& arguments, const ModelInfo& model,
                                          const RowSource& data) {
  DataSource source;
  source.path = required(arguments, "--reference");
  source.header = data_source(arguments).header;
  if (const std::string* labels = arguments.find("--reference-labels")) source.labels_path = *labels;
  if (const std::string* column = arguments.find("--reference-label-column")) {
    source.label_column = *column;
  } else if (const std::string* same = arguments.find("--label-column")) {
    // An index refers to --data; the column may have another index here.
    source.label_column = data.label_column().empty() ? *same : data.label_column();
    source.label_column_may_lack = true;
  }
  return open_for(source, part_of(arguments, "--reference-part"), model, "--reference-labels");
}

Dataset first_rows(RowSource& rows, std::int64_t most) {
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  std::vector<float> vectors;
  const auto count = [&] { return static_cast<std::int64_t>(values.size()) / rows.columns(); };
  while (count() < most) {
    const std::span<const float> block = rows.next(most - count());
    if (block.empty()) break;
    values.insert(values.end(), block.begin(), block.end());
    labels.insert(labels.end(), rows.labels().begin(), rows.labels().end());
    vectors.insert(vectors.end(), rows.label_vectors().begin(), rows.label_vectors().end());
  }
  const std::int64_t found = count();
  Dataset data(std::move(values), found, rows.columns());
  data.set_name(rows.name());
  data.set_column_names(rows.column_names());
  data.set_label_column(rows.label_column());
  if (rows.has_labels()) data.set_labels(std::move(labels), rows.label_names());
  if (!vectors.empty()) {
    data.set_label_vectors(std::move(vectors));
    data.set_label_vector_names(rows.label_vector_names());
  }
  return data;
}

void check_files(const cli::Arguments& arguments) {
  constexpr std::array<std::string_view, 5> kOutputs = {"--out", "--rows", "--flags", "--logvar", "--codes"};
  constexpr std::array<std::string_view, 6> kInputs = {
      "MODEL", "--data", "--labels", "--reference", "--reference-labels", "--latents"};
  const auto named = [&arguments](std::span<const std::string_view> flags) {
    std::vector<NamedFile> files;
    for (const std::string_view flag : flags) {
      if (const std::string* path = arguments.find(flag)) files.push_back({std::string(flag), *path});
    }
    return files;
  };
  std::vector<NamedFile> outputs = named(kOutputs);
  if (outputs.empty()) return;
  if (arguments.flag("--json") || arguments.find("--out") == nullptr)
    outputs.push_back({"stdout", "/dev/stdout"});
  require_separate_files(outputs, named(kInputs));
}

OutputKind kind_of(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".png") return OutputKind::sheet;
  if (ending == ".npy" || ending == ".csv") return OutputKind::rows;
  throw ConfigError(fmt::format(
      "--out {}: the ending says what is written: .png for a picture, .npy or .csv for rows", path));
}

void check_output(const cli::Arguments& arguments) {
  static_cast<void>(kind_of(required(arguments, "--out")));
}

std::string label_for(const cli::Arguments& arguments, const ModelInfo& model) {
  const std::string* label = arguments.find("--label");
  if (label != nullptr && !model.model.conditional) {
    throw ConfigError("--label: this model was not trained with --conditional, so it has no classes");
  }
  if (label == nullptr && model.model.conditional) {
    std::string told = fmt::format("its classes are {}", fmt::join(model.condition_names, ", "));
    if (model.condition_names.empty()) {
      const bool has_names = !model.label_vector_names.empty();
      told = fmt::format("it is conditioned on vectors of {} numbers{}{}, separated by commas",
                         model.model.condition_dim, has_names ? ", " : "",
                         fmt::join(model.label_vector_names, ", "));
    }
    throw ConfigError("--label is missing: this model is conditional; " + told);
  }
  if (label == nullptr) return {};
  require_label(model, *label);
  return *label;
}

std::optional<ImageShape> shape_for(const cli::Arguments& arguments, const ModelInfo& model) {
  static constexpr std::string_view kFlags[] = {"--image"};
  if (arguments.find("--image") == nullptr) return model.image;
  const std::optional<ImageShape> shape = table_values(arguments, kFlags).data.train.image;
  if (shape && shape->size() != model.model.input_dim) {
    throw ConfigError(fmt::format("--image {}x{}x{} has {} values, but the model's rows have {}",
                                  shape->height, shape->width, shape->channels, shape->size(),
                                  model.model.input_dim));
  }
  return shape;
}

SheetOptions sheet_for(const ModelInfo& model, const std::optional<ImageShape>& shape,
                       std::span<const float> rows, std::int64_t cells_across) {
  SheetOptions options;
  options.cells_across = cells_across;
  if (!shape) return options;
  ValueRange range{0.0f, 1.0f / model.scale};
  for (const float value : rows) {
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
  options.range = range;
  return options;
}

}  // namespace vaecuda::tool
