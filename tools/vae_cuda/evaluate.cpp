// vae_cuda evaluate: evaluation of a model on data.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cli/summary_json.hpp"
#include "vae_cuda/command.hpp"
#include "vae_cuda/evaluation_text.hpp"
#include "vae_cuda/result.hpp"
#include "vae_cuda/row_watch.hpp"
#include "vaecuda/latent.hpp"

namespace vaecuda::tool {
namespace {

constexpr std::int64_t kMostImportanceSamples = 1'000'000;

EvaluateOptions options_of(const cli::Arguments& arguments, const ModelInfo& model) {
  EvaluateOptions options;
  options.seed = seed_or(arguments, model.seed);
  options.elbo_samples =
      integer_or(arguments, "--elbo-samples", options.elbo_samples, 1, kMostImportanceSamples);
  options.samples = integer_or(arguments, "--samples", options.samples, 0, kMostImportanceSamples);
  if (arguments.find("--samples") != nullptr && options.samples > 0 &&
      !traits_of(model.model.latent).has_density) {
    throw ConfigError("--samples: this model's latent has no density, and so its data no likelihood; give 0");
  }
  options.active_threshold = real_or(arguments, "--active-threshold", options.active_threshold, 0.0,
                                     std::numeric_limits<double>::max());
  options.bins = integer_or(arguments, "--bins", options.bins, 2, 10'000);
  if (const std::string* label = arguments.find("--anomaly-label")) options.anomaly_label = *label;
  return options;
}

std::vector<std::string> row_columns(bool has_nll) {
  std::vector<std::string> names = {"negative_elbo", "reconstruction", "kl", "squared_error", "norm"};
  if (has_nll) names.emplace_back("nll");
  return names;
}

void write_rows(RowWriter& writer, const RowFigures& rows) {
  std::vector<float> line;
  for (std::size_t i = 0; i < rows.kl.size(); ++i) {
    line = {rows.reconstruction[i] + rows.kl[i], rows.reconstruction[i], rows.kl[i], rows.squared_error[i],
            rows.norm[i]};
    if (!rows.nll.empty()) line.push_back(rows.nll[i]);
    writer.append(line);
  }
  writer.commit();
}

/// The test part, if the data have one.
DataPart part_to_evaluate(const cli::Arguments& arguments, cli::Console& console) {
  const DataPart asked = data_part(arguments);
  if (arguments.find("--part") != nullptr || !has_test_part(data_source(arguments))) return asked;
  if (!arguments.flag("--json")) {
    console.message(
        fmt::format("{}: the test part (--part train: the other)", required(arguments, "--data")));
  }
  return DataPart::test;
}

int run_evaluate(const cli::Arguments& arguments, cli::Console& console) {
  const std::string& path = required(arguments, "MODEL");
  const ModelInfo info = read_model_info(path);
  EvaluateOptions options = options_of(arguments, info);
  cli::require_read_again("--data", required(arguments, "--data"), "evaluate", "four times");
  if (const std::string* labels = arguments.find("--labels")) {
    cli::require_read_again("--labels", *labels, "evaluate", "four times");
  }
  // Outputs that cannot be written are reported before anything is computed.
  const std::string* out = arguments.find("--rows");
  std::optional<RowWriter> writer;
  if (out != nullptr) {
    const auto names = row_columns(options.samples > 0 && traits_of(info.model.latent).has_density);
    writer.emplace(*out, static_cast<std::int64_t>(names.size()), RowType::f32, names);
  }
  const Vae vae = load_model(arguments, console);
  // Opened once before anything is computed, so that errors in the data are reported first.
  const DataPart part = part_to_evaluate(arguments, console);
  std::unique_ptr<RowSource> first = open_data(arguments, info, part);
  cli::say_notes(console, first->notes());
  const std::string name = first->name();
  options.progress = [&console](const PassProgress& now) { console.progress(now); };
  const RowOpener open = [&] { return first ? std::move(first) : open_data(arguments, info, part); };
  const Evaluation evaluation = evaluate(vae, open, options);
  if (writer) write_rows(*writer, evaluation.per_row);
  console.idle();
  print_warnings(console, evaluation.warnings);
  if (evaluation.nll && arguments.find("--samples") == nullptr && !arguments.flag("--json")) {
    console.message(
        fmt::format("-log p(x) by {} importance samples a row; the literature's figures have --samples 5000, "
                    "in {} times the time",
                    evaluation.samples, 5000 / evaluation.samples));
  }
  if (arguments.flag("--json")) {
    nlohmann::ordered_json document = evaluation_json(evaluation, info);
    if (has_test_part(data_source(arguments))) document["part"] = part == DataPart::test ? "test" : "train";
    if (out != nullptr) document["out"] = *out;
    cli::write_output(cli::dump_line(document));
  } else {
    cli::write_output(evaluation_text(evaluation, info, name));
    if (out != nullptr) console.message(fmt::format("{}: {} rows", *out, evaluation.rows));
  }
  return 0;
}

}  // namespace

Command evaluate_command() {
  return {
      .name = "evaluate",
      .summary = "what a model is worth on data",
      .details =
          "The negative ELBO with its terms, reconstruction error, KL and variance of each latent, active "
          "units, "
          "what the latents tell about rows, labels and known factors, and how well scores show labelled "
          "anomalies. docs/evaluation.md defines each figure.\n"
          "Example: vae_cuda evaluate model.safetensors --data mnist/ --part test --rows figures.csv",
      .options = joined(
          {kModel},
          joined(
              data_options(),
              {{"--rows", "FILE", "figures of every row: .csv or .npy"},
               {"--samples", "S",
                "importance samples of each row for -log p(x); 0: none. Most of the time goes here; the "
                "literature has 5000 [100]"},
               {"--elbo-samples", "K",
                "latents drawn for each row of the negative ELBO, of which the mean is taken; as a score of "
                "anomalies it gains by some 30 [1]"},
               {"--anomaly-label", "LABEL",
                "label that marks anomalies; by default 1 where the labels are 0 and 1"},
               {"--active-threshold", "X",
                "a latent is active if its posterior mean varies by more than this [0.01]"},
               {"--bins", "N", "bins of a latent's posterior means, for the information [20]"}})),
      .run = run_evaluate};
}

}  // namespace vaecuda::tool
