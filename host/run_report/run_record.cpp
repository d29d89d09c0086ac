#include "host/run_report/run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double number(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : kNaN;
}

LossTerms terms_of(const Json& json) {
  LossTerms terms{number(json, "loss"), number(json, "reconstruction"), number(json, "kl"), std::nullopt};
  if (json.contains("quantization_error")) {
    terms.quantization = QuantizationTerms{number(json, "quantization_error"), number(json, "perplexity"),
                                           number(json, "least_perplexity")};
  }
  return terms;
}

/// Nothing for text that is no line of metrics.
std::optional<RecordLine> line_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return std::nullopt;
  RecordLine line;
  line.step = json["step"].get<std::int64_t>();
  line.epoch = number(json, "epoch");
  if (line.step < 1 || !std::isfinite(line.epoch) || line.epoch <= 0.0) return std::nullopt;
  line.loss = terms_of(json);
  line.gradient_norm = number(json, "gradient_norm");
  line.lr = number(json, "lr");
  line.kl_weight = number(json, "kl_weight");
  line.seconds = number(json, "seconds");
  if (const auto valid = json.find("valid"); valid != json.end() && valid->is_object()) {
    line.valid = terms_of(*valid);
  }
  return line;
}

void read_lines(const fs::path& path, RunRecord& run) {
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) {
    const std::optional<RecordLine> line = line_of(text);
    if (!line) {
      ++run.broken_lines;
      continue;
    }
    // A step that is told again belongs to a run that went on from an earlier state.
    while (!run.lines.empty() && run.lines.back().step >= line->step) run.lines.pop_back();
    run.lines.push_back(*line);
  }
}

std::string bytes_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The step after which the epoch before the one of `step` was over.
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

RunRecord read_run(const fs::path& dir) {
  const fs::path config = dir / "config.toml";
  std::error_code error;
  if (!fs::exists(config, error)) {
    throw FileError(fmt::format(
        "{}: this folder holds no run: there is no config.toml; name the folder that --out named in training",
        dir.string()));
  }
  RunRecord run;
  fs::path named = fs::absolute(dir, error).lexically_normal();
  if (named.filename().empty()) named = named.parent_path();
  run.name = named.filename().string();
  const RunConfig defaults;
  run.config = load_config(config.string(), defaults);
  read_lines(dir / "metrics.jsonl", run);
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
  const auto rows =
      static_cast<std::int64_t>(std::llround(static_cast<double>(last.step * batch) / last.epoch));
  const std::int64_t start = epoch_start(last.step, batch, std::max<std::int64_t>(1, rows));
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
