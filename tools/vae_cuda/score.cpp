// vae_cuda score: how unusual each row is.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "cli/summary_json.hpp"
#include "vae_cuda/command.hpp"
#include "vae_cuda/result.hpp"
#include "vae_cuda/row_watch.hpp"

namespace vaecuda::tool {
namespace {

enum class Metric { elbo, nll, reconstruction };

struct Measure {
  Metric metric = Metric::elbo;
  std::string_view name = "elbo";
  std::int64_t samples = 1;  ///< latents drawn per row
  std::uint64_t seed = 0;
};

Measure measure_of(const cli::Arguments& arguments) {
  constexpr std::int64_t kImportanceSamples = 500;
  constexpr std::int64_t kMostSamples = 1'000'000;
  Measure measure;
  const std::string* text = arguments.find("--metric");
  if (text != nullptr && *text == "reconstruction") {
    measure.metric = Metric::reconstruction;
    measure.name = "reconstruction";
  } else if (text != nullptr && *text == "nll") {
    measure.metric = Metric::nll;
    measure.name = "nll";
    measure.samples = kImportanceSamples;
  } else if (text != nullptr && *text != "elbo") {
    throw ConfigError(fmt::format("--metric: '{}' is not elbo, nll or reconstruction", *text));
  }
  measure.samples = integer_or(arguments, "--samples", measure.samples, 1, kMostSamples);
  return measure;
}

/// The scores of one block, and its first row.
using ScoreSink = std::function<void(std::int64_t first, std::span<const float> scores)>;

std::int64_t score_rows(const Vae& vae, RowSource& rows, const Measure& measure, const ScoreSink& sink) {
  std::vector<float> scores;
  if (measure.metric == Metric::nll) {
    return vae.log_likelihood(rows, measure.samples, measure.seed, [&](const LogLikelihoodBlock& block) {
      scores.assign(block.log_likelihood.begin(), block.log_likelihood.end());
      std::transform(scores.begin(), scores.end(), scores.begin(), std::negate<>());
      sink(block.first, scores);
    });
  }
  return vae.elbo(rows, measure.samples, measure.seed, [&](const ElboBlock& block) {
    scores.assign(block.reconstruction.begin(), block.reconstruction.end());
    if (measure.metric == Metric::elbo) {
      std::transform(scores.begin(), scores.end(), block.kl.begin(), scores.begin(), std::plus<>());
    }
    sink(block.first, scores);
  });
}

/// A quantile of the scored rows themselves reads them twice, and so does a reference that is the same pipe.
void require_rows_again(const cli::Arguments& arguments) {
  if (arguments.find("--threshold-quantile") == nullptr) return;
  const std::string& data = required(arguments, "--data");
  const std::string* reference = arguments.find("--reference");
  if (reference != nullptr && *reference != data) return;
  cli::require_read_again("--data", data, "score --threshold-quantile", "twice (without a --reference)");
  if (const std::string* labels = arguments.find("--labels")) {
    cli::require_read_again("--labels", *labels, "score --threshold-quantile", "twice");
  }
}

struct Threshold {
  std::optional<float>
      value;           ///< float like the scores, so that a printed score is read back as the same value
  double shown = 0.0;  ///< the value as given
  std::optional<double> quantile;
  std::vector<std::string> warnings;  ///< warnings already shown
};

void refuse_idle_reference(const cli::Arguments& arguments, bool has_quantile) {
  if (arguments.find("--reference") != nullptr) {
    if (!has_quantile) throw ConfigError("--reference belongs to --threshold-quantile");
    return;
  }
  for (const std::string_view flag : {"--reference-part", "--reference-labels", "--reference-label-column"}) {
    if (arguments.find(flag) != nullptr) throw ConfigError(fmt::format("{} belongs to --reference", flag));
  }
}

/// The quantile is that of --reference; without it, that of the scored rows, with a warning.
Threshold threshold_of(const cli::Arguments& arguments, cli::Console& console, const Vae& vae,
                       const Measure& measure, const RowSource& data) {
  Threshold threshold;
  constexpr auto kMost = static_cast<double>(std::numeric_limits<float>::max());
  if (arguments.find("--threshold") != nullptr) {
    if (arguments.find("--threshold-quantile") != nullptr) {
      throw ConfigError("--threshold and --threshold-quantile contradict each other: give one");
    }
    threshold.shown = real_or(arguments, "--threshold", 0.0, -kMost, kMost);
    threshold.value = static_cast<float>(threshold.shown);
  } else if (arguments.find("--threshold-quantile") != nullptr) {
    threshold.quantile = real_or(arguments, "--threshold-quantile", 0.0, 0.0, 1.0);
    std::vector<float> scores;
    const bool has_reference = arguments.find("--reference") != nullptr;
    if (!has_reference) {
      threshold.warnings.push_back(fmt::format(
          "--threshold-quantile without --reference takes its quantile from the very rows that it "
          "flags: about {:.4g}% of them are flagged, unusual or not; --reference PATH takes it from usual "
          "rows",
          100.0 * (1.0 - *threshold.quantile)));
      print_warnings(console, threshold.warnings);
    }
    const auto rows =
        has_reference ? open_reference(arguments, vae.info(), data) : open_data(arguments, vae.info());
    if (has_reference) cli::say_notes(console, rows->notes());
    const RowCount done(console, "scoring the reference", rows->rows());
    ScoreWatch watch(vae.info());
    score_rows(vae, *rows, measure, [&](std::int64_t first, std::span<const float> block) {
      done.tell(first + static_cast<std::int64_t>(block.size()));
      watch.add(block);
      scores.insert(scores.end(), block.begin(), block.end());
    });
    threshold.value = quantile(vae, scores, *threshold.quantile);
    threshold.shown = static_cast<double>(*threshold.value);
    if (has_reference) {
      threshold.warnings = watch.warnings(rows->name());
      print_warnings(console, threshold.warnings);
    }
    if (!std::isfinite(*threshold.value)) {
      throw FileError(
          fmt::format("{}: the quantile {} of its scores is infinite, and no score lies above: too many of "
                      "its rows have values "
                      "far too large for this model; leave them out",
                      rows->name(), *threshold.quantile));
    }
  } else if (arguments.find("--flags") != nullptr) {
    throw ConfigError("the flags of --flags belong to --threshold-quantile or --threshold: give one of them");
  }
  refuse_idle_reference(arguments, threshold.quantile.has_value());
  return threshold;
}

/// Output of the scores: a table with a line per row, or an array.
class ScoreFile {
 public:
  ScoreFile(const std::string* path, bool flagged) : flagged_(flagged) {
    if (path == nullptr) return;
    if (path->size() > 4 && path->substr(path->size() - 4) == ".csv") {
      table_.emplace(*path);
      table_->write(header());
    } else {
      array_.emplace(*path, 0);
    }
  }
  void append(std::int64_t first, std::span<const float> scores, std::optional<float> threshold) {
    if (array_) return array_->append(scores);
    begin();
    std::string lines;
    for (const float score : scores) {
      fmt::format_to(std::back_inserter(lines), FMT_COMPILE("{},{}"), first++, score);
      if (threshold) lines += score > *threshold ? ",1" : ",0";
      lines += '\n';
    }
    table_ ? table_->write(lines) : print(lines);
  }
  void commit() {
    if (array_) return array_->commit();
    begin();
    if (table_) table_->commit();
  }

 private:
  /// The header is written with the first scores, so that stdout stays empty if rows cannot be scored.
  void begin() {
    if (is_begun_) return;
    is_begun_ = true;
    if (!table_) print(header());
  }
  [[nodiscard]] std::string header() const { return flagged_ ? "row,score,flag\n" : "row,score\n"; }
  static void print(const std::string& text) { cli::write_output(text); }
  bool flagged_;
  bool is_begun_ = false;
  std::optional<OutputFile> table_;
  std::optional<RowWriter> array_;
};

struct Summary {
  double sum = 0.0;
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();
  std::int64_t flagged = 0;

  void add(float score, std::optional<float> threshold) {
    const auto value = static_cast<double>(score);
    sum += value;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
    if (threshold && score > *threshold) ++flagged;
  }
};

int run_score(const cli::Arguments& arguments, cli::Console& console) {
  Measure measure = measure_of(arguments);
  const std::string* out = arguments.find("--out");
  if (out == nullptr && arguments.flag("--json")) {
    throw ConfigError("--json takes the place of the table on stdout; give --out a file for the scores");
  }
  require_rows_again(arguments);
  const Vae vae = load_model(arguments, console);
  measure.seed = seed_or(arguments, vae.info().seed);
  const auto rows = open_data(arguments, vae.info());
  cli::say_notes(console, rows->notes());
  const Threshold threshold = threshold_of(arguments, console, vae, measure, *rows);
  ScoreFile file(out, threshold.value.has_value());
  std::optional<RowWriter> flags;
  if (const std::string* path = arguments.find("--flags")) flags.emplace(*path, 0, RowType::u8);
  Summary summary;
  std::vector<std::uint8_t> marks;
  const RowCount done(console, "scoring", rows->rows());
  ScoreWatch watch(vae.info());
  // Rows printed on a terminal show the progress themselves.
  if (out == nullptr && cli::shows_output()) console.idle();
  const std::int64_t count =
      score_rows(vae, *rows, measure, [&](std::int64_t first, std::span<const float> scores) {
        watch.add(scores);
        if (out != nullptr || !cli::shows_output())
          done.tell(first + static_cast<std::int64_t>(scores.size()));
        file.append(first, scores, threshold.value);
        marks.clear();
        for (const float score : scores) {
          summary.add(score, threshold.value);
          marks.push_back(threshold.value && score > *threshold.value ? 1 : 0);
        }
        if (flags) flags->append(marks);
      });
  file.commit();
  if (flags) flags->commit();
  const double mean = summary.sum / static_cast<double>(count);
  std::string line = fmt::format("{} rows: mean {:.8g}, least {:.8g}, greatest {:.8g} nats", count, mean,
                                 summary.least, summary.greatest);
  nlohmann::ordered_json document{{"rows", count},
                                  {"metric", measure.name},
                                  {"seed", measure.seed},
                                  {"mean", cli::json_number(mean)},
                                  {"min", cli::json_number(summary.least)},
                                  {"max", cli::json_number(summary.greatest)}};
  document["samples"] = measure.samples;
  if (threshold.value) {
    line += fmt::format("; {} above {:.4f}", summary.flagged, threshold.shown);
    document["threshold"] = cli::json_number(threshold.shown);
    if (threshold.quantile) document["quantile"] = *threshold.quantile;
    document["flagged"] = summary.flagged;
  }
  if (out != nullptr) document["out"] = *out;
  const std::vector<std::string> warnings = watch.warnings(rows->name());
  document["warnings"] = threshold.warnings;
  for (const std::string& warning : warnings) document["warnings"].push_back(warning);
  print_warnings(console, warnings);
  report(arguments, console, line, document);
  return 0;
}

}  // namespace

Command score_command() {
  return {
      .name = "score",
      .summary = "how unusual each row is, in nats",
      .details =
          "A score per row, high where the model does not expect it: the negative ELBO, its reconstruction "
          "term, "
          "or -log p(x) by importance sampling (nll). "
          "With a threshold, rows above it are flagged.\n"
          "Example: vae_cuda score model.safetensors --data new.csv --threshold-quantile 0.99 --reference "
          "train.csv "
          "--out scores.csv",
      .options = joined(
          {kModel},
          joined(
              data_options(),
              {{"--out", "FILE", ".csv: row,score[,flag]; .npy: scores; without it the table on stdout"},
               {"--metric", "elbo|nll|reconstruction", "what is scored [elbo]"},
               {"--samples", "K",
                "latents drawn for each row; more are sharper and slower. elbo, reconstruction: their "
                "mean is "
                "taken [1]; nll: importance samples [500]"},
               {"--threshold", "X", "flag rows with a score above this"},
               {"--threshold-quantile", "Q", "flag rows above this quantile of the scores of --reference"},
               {"--reference", "PATH",
                "rows whose scores give the quantile, usual ones; --label-column holds for them too, where "
                "they have that column [--data]"},
               {"--reference-part", "train|test", "which part of a folder with both [train]"},
               {"--reference-labels", "PATH", "one label per row of --reference, as --labels"},
               {"--reference-label-column", "NAME|INDEX|none", "that of --reference [--label-column]"},
               {"--flags", "FILE", "flags as .npy (0 or 1, one byte) or .csv"}})),
      .run = run_score};
}

}  // namespace vaecuda::tool
