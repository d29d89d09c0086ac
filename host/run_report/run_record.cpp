#include "host/run_report/run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "host/config/limits.hpp"
#include "host/config/scopes.hpp"
#include "host/io/folder.hpp"
#include "host/io/path_links.hpp"
#include "host/model/json_scanner.hpp"
#include "host/train/run_replacement.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLatents = std::size_t{1} << 24U;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Values that are not finite are null in JSON.
double number(JsonScanner& json) {
  return json.accept_null() ? kNaN : json.real();
}

QuantizationTerms& quantization_of(LossTerms& terms) {
  if (!terms.quantization) terms.quantization = QuantizationTerms{kNaN, kNaN, kNaN};
  return *terms.quantization;
}
LatentTerms& latents_of(LossTerms& terms) {
  if (!terms.latents) terms.latents.emplace();
  return *terms.latents;
}

/// Reads the value of `key` if it is one of LossTerms; otherwise leaves it.
bool take_term(JsonScanner& json, std::string_view key, LossTerms& terms) {
  if (key == "loss") {
    terms.loss = number(json);
  } else if (key == "reconstruction") {
    terms.reconstruction = number(json);
  } else if (key == "kl") {
    terms.kl = number(json);
  } else if (key == "quantization_error") {
    quantization_of(terms).error = number(json);
  } else if (key == "perplexity") {
    quantization_of(terms).perplexity = number(json);
  } else if (key == "least_perplexity") {
    quantization_of(terms).least_perplexity = number(json);
  } else if (key == "active_units") {
    latents_of(terms).active_units = json.natural();
  } else if (key == "kl_per_latent") {
    std::vector<double>& kl = latents_of(terms).kl;
    kl.clear();
    json.each_element(kMostLatents, [&] { kl.push_back(number(json)); });
  } else {
    return false;
  }
  return true;
}

LossTerms terms_of(JsonScanner& json) {
  LossTerms terms{kNaN, kNaN, kNaN, std::nullopt};
  json.each_member([&](std::string_view key) {
    if (!take_term(json, key, terms)) json.skip_value();
  });
  return terms;
}

/// \throws FileError for text that is not a line of metrics
RecordLine line_of(std::string& text) {
  JsonScanner json(text, "metrics.jsonl");
  RecordLine line;
  line.loss = {kNaN, kNaN, kNaN, std::nullopt};
  line.epoch = line.gradient_norm = line.lr = line.kl_weight = line.seconds = kNaN;
  json.each_member([&](std::string_view key) {
    if (key == "step") {
      line.step = json.natural();
    } else if (key == "epoch") {
      line.epoch = number(json);
    } else if (key == "gradient_norm") {
      line.gradient_norm = number(json);
    } else if (key == "lr") {
      line.lr = number(json);
    } else if (key == "kl_weight") {
      line.kl_weight = number(json);
    } else if (key == "seconds") {
      line.seconds = number(json);
    } else if (key == "valid") {
      if (!json.accept_null()) line.valid = terms_of(json);
    } else if (!take_term(json, key, line.loss)) {
      json.skip_value();  // written by a version with more keys
    }
  });
  json.expect_end();
  const bool has_step = line.step >= 1 && line.step <= config::kSteps.max;
  if (!has_step || !std::isfinite(line.epoch) || line.epoch <= 0.0) json.fail("no step or no epoch");
  return line;
}

std::string bytes_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The last step of the epoch before that of `step`.
std::int64_t epoch_start(std::int64_t step, std::int64_t batch, std::int64_t rows) {
  const std::int64_t epochs = (step - 1) * batch / rows;
  return (epochs * rows + batch - 1) / batch;
}

void add(LossTerms& sum, const LossTerms& terms, double weight) {
  sum.loss += weight * terms.loss;
  sum.reconstruction += weight * terms.reconstruction;
  sum.kl += weight * terms.kl;
  if (!terms.quantization) return;
  if (!sum.quantization) sum.quantization = QuantizationTerms{};
  sum.quantization->error += weight * terms.quantization->error;
  sum.quantization->perplexity += weight * terms.quantization->perplexity;
  sum.quantization->least_perplexity += weight * terms.quantization->least_perplexity;
}

}  // namespace

void read_metrics(std::istream& file, RunRecord& run) {
  for (std::string text; std::getline(file, text);) {
    try {
      RecordLine line = line_of(text);
      // A step that occurs again was written by a run resumed from an earlier state.
      while (!run.lines.empty() && run.lines.back().step >= line.step) run.lines.pop_back();
      if (!run.lines.empty() && run.lines.back().epoch > line.epoch) {
        ++run.broken_lines;  // an earlier epoch at a later step is not possible
        continue;
      }
      run.lines.push_back(std::move(line));
    } catch (const FileError&) {
      ++run.broken_lines;
    }
  }
}

RunRecord read_run(const fs::path& dir) {
  const fs::path config = dir / "config.toml";
  std::error_code error;
  if (!fs::exists(config, error)) {
    throw FileError(fmt::format(
        "{}: this folder holds no run: there is no config.toml; name the folder that --out named in training",
        dir.string()));
  }
  refuse_pipes(dir);
  if (has_open_replacement(dir)) {
    throw FileError(
        fmt::format("{}: the run in this folder was killed while it replaced an older one, and the folder "
                    "has files of both; vae_cuda_train --resume completes the replacement",
                    dir.string()));
  }
  RunRecord run;
  fs::path named = absolute_path(dir);
  if (named.filename().empty()) named = named.parent_path();
  run.name = named.filename().string();
  run.config = config::load_kept_config(config.string());
  std::ifstream metrics(dir / "metrics.jsonl");
  read_metrics(metrics, run);
  for (const char* name : {"reconstructions", "samples", "manifold"}) {
    std::string bytes = bytes_of_file(dir / (std::string(name) + ".png"));
    if (!bytes.empty()) run.pictures[name] = std::move(bytes);
  }
  return run;
}

std::optional<LossTerms> last_epoch(const RunRecord& run) {
  if (run.lines.empty()) return std::nullopt;
  const RecordLine& last = run.lines.back();
  const std::int64_t batch = run.config.train.batch_size;
  constexpr double kMostRows = 1e18;  // the file may claim any epoch
  const double rows = std::clamp(static_cast<double>(last.step * batch) / last.epoch, 1.0, kMostRows);
  const std::int64_t start = epoch_start(last.step, batch, std::llround(rows));
  LossTerms sum;
  std::int64_t before = 0;
  std::int64_t count = 0;
  for (const RecordLine& line : run.lines) {
    const std::int64_t steps = line.step - std::max(before, start);
    before = line.step;
    if (line.step <= start) continue;
    add(sum, line.loss, static_cast<double>(steps));
    count += steps;
  }
  LossTerms mean;
  add(mean, sum, 1.0 / static_cast<double>(count));
  return mean;
}

const RecordLine* best_line(const RunRecord& run) {
  const RecordLine* best = nullptr;
  for (const RecordLine& line : run.lines) {
    if (!line.valid || !std::isfinite(line.valid->loss)) continue;
    if (best == nullptr || line.valid->loss < best->valid->loss) best = &line;
  }
  return best;
}

double rows_per_second(const RunRecord& run, std::size_t index) {
  const RecordLine before = index == 0 ? RecordLine{} : run.lines[index - 1];
  const RecordLine& line = run.lines[index];
  const double seconds = line.seconds - before.seconds;
  if (!(seconds > 0.0)) return kNaN;
  return static_cast<double>((line.step - before.step) * run.config.train.batch_size) / seconds;
}

}  // namespace vaecuda
