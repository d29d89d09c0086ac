// vae_cuda reconstruct: rows encoded and decoded by the model.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"
#include "vae_cuda/row_watch.hpp"

namespace vaecuda::tool {
namespace {

constexpr std::int64_t kPictures = 32;
constexpr std::int64_t kMostPictures = 4096;

void draw_pairs(const cli::Arguments& arguments, cli::Console& console, const Vae& vae, RowSource& rows,
                const std::string& out) {
  const ModelInfo& info = vae.info();
  const std::optional<ImageShape> shape = shape_for(arguments, info);
  const std::int64_t most = integer_or(arguments, "--count", kPictures, 1, kMostPictures);
  const Dataset originals = first_rows(rows, most);
  std::vector<float> values;  // in the order of the model's columns
  std::vector<float> means;
  const std::int64_t count = vae.reconstruct(*rows_of(originals), [&](const ReconstructedBlock& block) {
    values.insert(values.end(), block.x.begin(), block.x.end());
    means.insert(means.end(), block.mean.begin(), block.mean.end());
  });
  OverflowWatch watch(info.model.input_dim);
  watch.add(means);
  const std::vector<std::string> warnings = watch.warnings(rows.name());
  print_warnings(console, warnings);
  write_pair_sheet(out, values, means, info.model.input_dim, shape, sheet_for(info, shape, values));
  report(arguments, console, fmt::format("{}: {} rows, each above its reconstruction", out, count),
         {{"rows", count}, {"columns", info.model.input_dim}, {"out", out}, {"warnings", warnings}});
}

int run_reconstruct(const cli::Arguments& arguments, cli::Console& console) {
  const std::string& out = required(arguments, "--out");
  const OutputKind kind = kind_of(out);
  const Vae vae = load_model(arguments, console);
  const ModelInfo& info = vae.info();
  const auto rows = open_data(arguments, info);
  cli::say_notes(console, rows->notes());
  if (kind == OutputKind::sheet) {
    draw_pairs(arguments, console, vae, *rows, out);
    return 0;
  }
  if (arguments.find("--count") != nullptr) {
    throw ConfigError("--count chooses how many rows a picture shows; an array holds all rows");
  }
  RowWriter writer(out, info.model.input_dim, RowType::f32, info.column_names);
  const RowCount done(console, "reconstructing", rows->rows());
  OverflowWatch watch(info.model.input_dim);
  const std::int64_t count = vae.reconstruct(*rows, [&](const ReconstructedBlock& block) {
    watch.add(block.mean);
    done.tell(block.first + block.rows);
    writer.append(block.mean);
  });
  writer.commit();
  const std::vector<std::string> warnings = watch.warnings(rows->name());
  print_warnings(console, warnings);
  report(arguments, console, fmt::format("{}: {} rows of {} values", out, count, info.model.input_dim),
         {{"rows", count}, {"columns", info.model.input_dim}, {"out", out}, {"warnings", warnings}});
  return 0;
}

}  // namespace

Command reconstruct_command() {
  std::vector<cli::ProgramOption> options = joined(
      {kModel}, joined(data_options(),
                       {{"--out", "FILE",
                         ".npy or .csv: all rows, in the units of the data; .png: the first ones, each above "
                         "its reconstruction"},
                        {"-n,--count", "N", "rows in a picture [32]"},
                        kImage}));
  return {.name = "reconstruct",
          .summary = "rows encoded to their posterior mean and decoded",
          .details = "Example: vae_cuda reconstruct model.safetensors --data shapes --out pairs.png",
          .options = std::move(options),
          .run = run_reconstruct};
}

}  // namespace vaecuda::tool
