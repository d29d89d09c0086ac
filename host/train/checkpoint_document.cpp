#include <fmt/format.h>

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

/// Reads a number into `to`.
JsonMember real_member(JsonScanner& scanner, std::string_view key, double& to) {
  return {key, [&scanner, &to] { to = scanner.real(); }};
}

std::optional<QuantizationTerms> read_quantization(JsonScanner& scanner) {
  if (scanner.accept_null()) return std::nullopt;
  QuantizationTerms terms;
  scanner.object({real_member(scanner, "error", terms.error),
                  real_member(scanner, "least_perplexity", terms.least_perplexity),
                  real_member(scanner, "perplexity", terms.perplexity)});
  return terms;
}

/// Reads a whole number of at most `most` into `to`.
JsonMember count_member(JsonScanner& scanner, std::string_view key, std::int64_t most, std::int64_t& to) {
  return {key, [&scanner, key, most, &to] {
            to = scanner.natural();
            if (to > most) scanner.fail(fmt::format("{} is {}; expected at most {}", key, to, most));
          }};
}

MetricsSums read_sums(JsonScanner& scanner) {
  MetricsSums sums;
  const std::vector<JsonMember> members = {
      count_member(scanner, "count", config::kSteps.max, sums.count),
      real_member(scanner, "gradient_norm", sums.gradient_norm),
      real_member(scanner, "kl", sums.kl),
      real_member(scanner, "kl_weight", sums.loss_weight),
      real_member(scanner, "loss", sums.loss),
      real_member(scanner, "lr", sums.lr),
      real_member(scanner, "reconstruction", sums.reconstruction),
      {"quantization", [&] { sums.quantization = read_quantization(scanner); }}};
  scanner.object(members, members.size() - 1);
  return sums;
}

std::optional<BestModel> read_best(JsonScanner& scanner) {
  if (scanner.accept_null()) return std::nullopt;
  BestModel best;
  const std::vector<JsonMember> members = {
      count_member(scanner, "epoch", std::numeric_limits<std::int64_t>::max(), best.epoch),
      real_member(scanner, "kl", best.valid.kl),
      real_member(scanner, "loss", best.valid.loss),
      real_member(scanner, "reconstruction", best.valid.reconstruction),
      count_member(scanner, "step", config::kSteps.max, best.step),
      {"quantization", [&] { best.valid.quantization = read_quantization(scanner); }}};
  scanner.object(members, members.size() - 1);
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
  Checkpoint checkpoint;
  TrainingState& state = checkpoint.state;
  RunIdentity& identity = checkpoint.identity;
  JsonScanner scanner(text, place);
  const auto read_algorithm = [&] { identity.algorithms.emplace_back(scanner.string()); };
  const auto read_nonfinite = [&] {
    scanner.object({count_member(scanner, "restores", config::kRestores.max, state.restores),
                    count_member(scanner, "skipped", config::kSteps.max, state.skipped),
                    count_member(scanner, "skipped_in_row", config::kSteps.max, state.skipped_in_row)});
  };
  const std::vector<JsonMember> members = {
      {"algorithms", [&] { scanner.each_element(kMostAlgorithms, read_algorithm); }},
      {"best", [&] { state.best = read_best(scanner); }},
      {"boundary_open", [&] { state.boundary_open = scanner.boolean(); }},
      {"data", [&] { identity.data = read_fingerprint(scanner, "data"); }},
      {"device", [&] { identity.device = scanner.string(); }},
      {"epoch", [&] { state.epoch_mean = MetricsMean(read_sums(scanner)); }},
      count_member(scanner, "length", config::kSteps.max, identity.length),
      {"line", [&] { state.line_mean = MetricsMean(read_sums(scanner)); }},
      {"nonfinite", read_nonfinite},
      {"options", [&] { read_options(scanner, identity); }},
      count_member(scanner, "step", config::kSteps.max, state.step),
      {"test", [&] { identity.test = read_fingerprint(scanner, "test"); }}};
  scanner.object(members, members.size() - 1);
  scanner.expect_end();
  return checkpoint;
}

}  // namespace vaecuda
