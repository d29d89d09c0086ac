// vae_cuda generate: rows drawn from the model, or decoded from the user's latents.
#include <fmt/format.h>

#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"
#include "vae_cuda/row_watch.hpp"

namespace vaecuda::tool {
namespace {

constexpr std::int64_t kSamples = 64;
constexpr std::int64_t kMostDrawn = std::int64_t{1} << 40;
constexpr std::int64_t kMostInPicture = 4096;
constexpr double kMostTemperature = 1e6;

/// Decodes rows and passes them on block by block; returns their number.
using Pass = std::function<std::int64_t(const std::function<void(const DecodedBlock&)>&)>;

/// `total`: number of rows, if known.
void write_drawn(const cli::Arguments& arguments, cli::Console& console, const Vae& vae, const Pass& pass,
                 std::optional<std::int64_t> total, nlohmann::ordered_json document) {
  const RowCount done(console, "generating", total);
  const std::string& out = required(arguments, "--out");
  const ModelInfo& info = vae.info();
  if (kind_of(out) == OutputKind::sheet) {
    std::vector<float> rows;
    pass([&](const DecodedBlock& block) {
      done.tell(block.first + block.rows);
      rows.insert(rows.end(), block.mean.begin(), block.mean.end());
      if (static_cast<std::int64_t>(rows.size()) > kMostInPicture * info.model.input_dim) {
        throw ConfigError(fmt::format("--out {}: a picture shows at most {} rows; write .npy or .csv", out,
                                      kMostInPicture));
      }
    });
    return write_result(arguments, console, info, rows, 0, std::move(document));
  }
  RowWriter writer(out, info.model.input_dim, RowType::f32, info.column_names);
  OverflowWatch watch(info.model.input_dim);
  const std::int64_t count = pass([&](const DecodedBlock& block) {
    watch.add(block.mean);
    done.tell(block.first + block.rows);
    writer.append(block.mean);
  });
  writer.commit();
  const std::vector<std::string> warnings = watch.decoded_warnings(out);
  print_warnings(console, warnings);
  document["rows"] = count;
  document["columns"] = info.model.input_dim;
  document["out"] = out;
  document["warnings"] = warnings;
  report(arguments, console, fmt::format("{}: {} rows of {} values", out, count, info.model.input_dim),
         document);
}

int run_generate(const cli::Arguments& arguments, cli::Console& console) {
  check_output(arguments);
  const bool drawn = arguments.find("--latents") == nullptr;
  for (const std::string_view flag : {"--count", "--temperature", "--seed"}) {
    if (!drawn && arguments.find(flag) != nullptr) {
      throw ConfigError(
          fmt::format("--latents and {} contradict each other: given latents are not drawn", flag));
    }
  }
  const std::int64_t count = integer_or(arguments, "--count", kSamples, 1, kMostDrawn);
  const double temperature = real_or(arguments, "--temperature", 1.0, 0.0, kMostTemperature);
  const Vae vae = load_model(arguments, console);
  const std::string label = label_for(arguments, vae.info());
  if (!drawn) {
    DataSource source;
    source.path = required(arguments, "--latents");
    source.label_column = "none";
    source.value_columns = latent_names(vae.info(), "z");
    const auto latents = open_rows(source);
    cli::say_notes(console, latents->notes());
    const auto labelled = with_label(*latents, label);
    RowSource& rows = label.empty() ? *latents : *labelled;
    write_drawn(arguments, console, vae, [&](const auto& sink) { return vae.decode(rows, sink); },
                rows.rows(), {{"latents", source.path}});
    return 0;
  }
  const std::uint64_t seed = seed_or(arguments, vae.info().seed);
  write_drawn(arguments, console, vae,
              [&](const auto& sink) { return vae.sample(count, seed, temperature, sink, label); }, count,
              {{"seed", seed}, {"temperature", temperature}});
  return 0;
}

}  // namespace

Command generate_command() {
  return {
      .name = "generate",
      .summary = "rows drawn from the model",
      .details =
          "Means of p(x|z) for z drawn from the prior, in the units of the training data. Row i depends on "
          "the seed "
          "and i alone.\nExample: vae_cuda generate model.safetensors -n 64 --out samples.png",
      .options = {kModel,
                  {"--out", "FILE", ".png: a sheet; .npy or .csv: rows"},
                  {"-n,--count", "N", "how many [64]"},
                  {"--temperature", "T", "standard deviation of z; below 1 nearer to the typical row [1]"},
                  {"--label", "CLASS|V1,V2,...",
                   "what to draw from a conditional model: one of its classes, as `info` lists them, or the "
                   "numbers of "
                   "a vector"},
                  {"--latents", "FILE",
                   "decode these latents (.npy or .csv, one a row) instead of drawing some"},
                  kImage},
      .run = run_generate};
}

}  // namespace vaecuda::tool
