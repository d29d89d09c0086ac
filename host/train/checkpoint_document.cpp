#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

#include "host/config/limits.hpp"
#include "host/config/utf8.hpp"
#include "host/model/json_scanner.hpp"
#include "host/model/json_writer.hpp"
#include "host/train/checkpoint.hpp"

namespace vaecuda {
namespace {

// Caps on lists that a hostile file could make long.
constexpr std::size_t kMostAlgorithms = 4096;
constexpr std::size_t kMostOptions = 1024;
constexpr std::size_t kFingerprintDigits = 16;

void write_quantization(JsonWriter& json, const std::optional<QuantizationTerms>& terms) {
  json.key("quantization");
  if (!terms) return json.null();
  json.open_object();
  json.member("error", terms->error);
  json.member("least_perplexity", terms->least_perplexity);
  json.member("perplexity", terms->perplexity);
  json.close_object();
}

void write_sums(JsonWriter& json, std::string_view key, const MetricsSums& sums) {
  json.key(key);
  json.open_object();
  json.member("count", sums.count);
  json.member("gradient_norm", sums.gradient_norm);
  json.member("kl", sums.kl);
  json.member("kl_weight", sums.loss_weight);
  json.member("loss", sums.loss);
  json.member("lr", sums.lr);
  write_quantization(json, sums.quantization);
  json.member("reconstruction", sums.reconstruction);
  json.close_object();
}

void write_best(JsonWriter& json, const std::optional<BestModel>& best) {
  json.key("best");
  if (!best) return json.null();
  json.open_object();
  json.member("epoch", best->epoch);
  json.member("kl", best->valid.kl);
  json.member("loss", best->valid.loss);
  write_quantization(json, best->valid.quantization);
  json.member("reconstruction", best->valid.reconstruction);
  json.member("step", best->step);
  json.close_object();
}

std::optional<QuantizationTerms> read_quantization(JsonScanner& scanner) {
  static constexpr std::array<std::string_view, 3> kKeys = {"error", "least_perplexity", "perplexity"};
  if (scanner.accept_null()) return std::nullopt;
  QuantizationTerms terms;
  const std::array<double*, 3> values = {&terms.error, &terms.least_perplexity, &terms.perplexity};
  scanner.object(kKeys, [&](std::size_t key) { *values[key] = scanner.real(); });
  return terms;
}

std::int64_t read_count(JsonScanner& scanner, std::string_view key, std::int64_t most) {
  const std::int64_t value = scanner.natural();
  if (value > most) scanner.fail(fmt::format("{} is {}; expected at most {}", key, value, most));
  return value;
}

MetricsSums read_sums(JsonScanner& scanner) {
  static constexpr std::array<std::string_view, 8> kKeys = {
      "count", "gradient_norm", "kl", "kl_weight", "loss", "lr", "reconstruction", "quantization"};
  MetricsSums sums;
  const std::array<double*, 7> reals = {
      nullptr, &sums.gradient_norm, &sums.kl, &sums.loss_weight, &sums.loss, &sums.lr, &sums.reconstruction};
  scanner.object(
      kKeys,
      [&](std::size_t key) {
        if (key == 0) {
          sums.count = read_count(scanner, kKeys[key], config::kSteps.max);
        } else if (key == reals.size()) {
          sums.quantization = read_quantization(scanner);
        } else {
          *reals[key] = scanner.real();
        }
      },
      reals.size());
  return sums;
}

std::optional<BestModel> read_best(JsonScanner& scanner) {
  static constexpr std::array<std::string_view, 6> kKeys = {"epoch",          "kl",   "loss",
                                                            "reconstruction", "step", "quantization"};
  if (scanner.accept_null()) return std::nullopt;
  BestModel best;
  scanner.object(
      kKeys,
      [&](std::size_t key) {
        switch (key) {
          case 0:
            best.epoch = read_count(scanner, kKeys[key], std::numeric_limits<std::int64_t>::max());
            return;
          case 1:
            best.valid.kl = scanner.real();
            return;
          case 2:
            best.valid.loss = scanner.real();
            return;
          case 3:
            best.valid.reconstruction = scanner.real();
            return;
          case 4:
            best.step = read_count(scanner, kKeys[key], config::kSteps.max);
            return;
          default:
            best.valid.quantization = read_quantization(scanner);
            return;
        }
      },
      kKeys.size() - 1);
  return best;
}

std::uint64_t read_fingerprint(JsonScanner& scanner, std::string_view key) {
  const std::string_view text = scanner.string();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != kFingerprintDigits || error != std::errc{} || end != text.data() + text.size()) {
    scanner.fail(fmt::format("{} is {}; expected {} hexadecimal digits", key, config::quoted(text),
                             kFingerprintDigits));
  }
  return value;
}

void read_nonfinite(JsonScanner& scanner, TrainingState& state) {
  static constexpr std::array<std::string_view, 3> kKeys = {"restores", "skipped", "skipped_in_row"};
  scanner.object(kKeys, [&](std::size_t key) {
    std::int64_t& target = key == 0 ? state.restores : key == 1 ? state.skipped : state.skipped_in_row;
    target = read_count(scanner, kKeys[key], key == 0 ? config::kRestores.max : config::kSteps.max);
  });
}

void read_options(JsonScanner& scanner, RunIdentity& identity) {
  scanner.each_member([&](std::string_view key) {
    if (identity.options.size() == kMostOptions)
      scanner.fail(fmt::format("more than {} options", kMostOptions));
    std::string value(scanner.string());
    if (!identity.options.emplace(key, std::move(value)).second) {
      scanner.fail(fmt::format("option {} stands here twice", config::quoted(key)));
    }
  });
}

}  // namespace

std::string write_checkpoint_document(const Checkpoint& checkpoint) {
  const TrainingState& state = checkpoint.state;
  const RunIdentity& identity = checkpoint.identity;
  JsonWriter json;
  json.open_object();
  json.array("algorithms", identity.algorithms);
  write_best(json, state.best);
  json.member("boundary_open", state.boundary_open);
  json.member("data", fmt::format("{:016x}", identity.data));
  json.member("device", identity.device);
  write_sums(json, "epoch", state.epoch_mean.sums());
  json.member("length", identity.length);
  write_sums(json, "line", state.line_mean.sums());
  json.key("nonfinite");
  json.open_object();
  json.member("restores", state.restores);
  json.member("skipped", state.skipped);
  json.member("skipped_in_row", state.skipped_in_row);
  json.close_object();
  json.key("options");
  json.open_object();
  for (const auto& [key, value] : identity.options) json.member(key, value);
  json.close_object();
  json.member("step", state.step);
  if (identity.test) json.member("test", fmt::format("{:016x}", *identity.test));
  json.close_object();
  return json.take();
}

Checkpoint read_checkpoint_document(std::span<char> text, const std::string& place) {
  static constexpr std::array<std::string_view, 12> kKeys = {
      "algorithms", "best", "boundary_open", "data",    "device", "epoch",
      "length",     "line", "nonfinite",     "options", "step",   "test"};
  Checkpoint checkpoint;
  TrainingState& state = checkpoint.state;
  RunIdentity& identity = checkpoint.identity;
  JsonScanner scanner(text, place);
  const auto take = [&](std::size_t key) {
    switch (key) {
      case 0:
        return scanner.each_element(kMostAlgorithms,
                                    [&] { identity.algorithms.emplace_back(scanner.string()); });
      case 1:
        state.best = read_best(scanner);
        return;
      case 2:
        state.boundary_open = scanner.boolean();
        return;
      case 3:
        identity.data = read_fingerprint(scanner, "data");
        return;
      case 4:
        identity.device = scanner.string();
        return;
      case 5:
        state.epoch_mean = MetricsMean(read_sums(scanner));
        return;
      case 6:
        identity.length = read_count(scanner, kKeys[key], config::kSteps.max);
        return;
      case 7:
        state.line_mean = MetricsMean(read_sums(scanner));
        return;
      case 8:
        return read_nonfinite(scanner, state);
      case 9:
        return read_options(scanner, identity);
      case 10:
        state.step = read_count(scanner, kKeys[key], config::kSteps.max);
        return;
      default:
        identity.test = read_fingerprint(scanner, "test");
        return;
    }
  };
  scanner.object(kKeys, take, kKeys.size() - 1);
  scanner.expect_end();
  return checkpoint;
}

}  // namespace vaecuda
