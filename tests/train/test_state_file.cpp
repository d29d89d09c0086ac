// state.safetensors: no damaged file is taken for a state, whatever of it is damaged.
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "host/io/seekable_bytes.hpp"
#include "host/train/checkpoint.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/safetensors_parts.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::test {
namespace {

using Json = nlohmann::json;

Checkpoint small_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.parameters = {0.5F, -0.0F, 1e-40F, 3e38F};
  checkpoint.moment1 = {1.0F, 2.0F, 3.0F, 4.0F};
  checkpoint.moment2 = {0.0F, 1e-30F, 1.0F, 2.0F};
  MetricsSums sums;
  sums.count = 3;
  sums.loss = 1.0 / 3.0;
  sums.lr = 1e-3;
  sums.quantization = QuantizationTerms{0.25, 3.5, 1.5};
  checkpoint.state.line_mean = MetricsMean(sums);
  sums.quantization.reset();
  checkpoint.state.epoch_mean = MetricsMean(sums);
  BestModel best;
  best.epoch = 2;
  best.step = 40;
  best.valid.loss = 12.5;
  best.valid.quantization = QuantizationTerms{0.5, 2.5, 1.25};
  best.parameters = {9.0F, 8.0F, 7.0F, 6.0F};
  checkpoint.state.best = best;
  checkpoint.state.step = 41;
  checkpoint.state.boundary_open = true;
  checkpoint.state.skipped = 5;
  checkpoint.state.skipped_in_row = 2;
  checkpoint.state.restores = 1;
  checkpoint.identity.device = "cpu";
  checkpoint.identity.algorithms = {"gemm \"a\"", "b"};
  checkpoint.identity.data = 0x0123456789012345U;
  checkpoint.identity.length = 100;
  checkpoint.identity.options = {{"model.latent_dim", "2"}, {"optimizer.lr", "0.001"}};
  return checkpoint;
}

std::string saved_bytes(const Checkpoint& checkpoint) {
  const TempDir folder;
  const std::string path = (folder.path() / "state.safetensors").string();
  save_checkpoint(path, checkpoint);
  return read_file(path);
}

Checkpoint parse_state(const std::string& bytes) {
  return load_checkpoint(bytes_in_memory("s.safetensors", std::as_bytes(std::span(bytes))));
}

struct StateParts : SafetensorsParts {
  explicit StateParts(const std::string& bytes) : SafetensorsParts(bytes, "state") {}
};

}  // namespace

TEST_CASE("state file: what is saved comes back to the last bit", "[state_file]") {
  const std::string bytes = saved_bytes(small_checkpoint());
  CHECK(saved_bytes(parse_state(bytes)) == bytes);
  Checkpoint bare = small_checkpoint();
  bare.state.best.reset();
  bare.identity.algorithms.clear();
  bare.identity.options.clear();
  const Checkpoint back = parse_state(saved_bytes(bare));
  CHECK(!back.state.best);
  CHECK(back.identity.algorithms.empty());
  CHECK(back.parameters == bare.parameters);
  CHECK(back.state.line_mean.sums().quantization->perplexity ==
        bare.state.line_mean.sums().quantization->perplexity);
  // Written before there were quantized latents.
  StateParts old(bytes);
  old.document["line"].erase("quantization");
  old.document["best"].erase("quantization");
  CHECK(!parse_state(old.join()).state.line_mean.sums().quantization);
}

TEST_CASE("state file: each kind of bad file is refused with its reason", "[state_file]") {
  struct Fault {
    std::string_view message;
    std::function<void(StateParts&)> damage;
  };
  const auto set = [](const char* pointer, const Json& value) {
    return [=](StateParts& p) { p.document[Json::json_pointer(pointer)] = value; };
  };
  const auto metadata = [](const char* key, const Json& value) {
    return [=](StateParts& p) { p.header["__metadata__"][key] = value; };
  };
  const auto in_tensor = [](const char* name, const char* key, const Json& value) {
    return [=](StateParts& p) { p.header[name][key] = value; };
  };
  Json many_options = Json::object();
  for (int i = 0; i <= 1024; ++i) many_options[std::to_string(i)] = "";
  std::vector<Fault> faults = {
      {"'format' is 'vaecuda-model'", metadata("format", "vaecuda-model")},
      {"'format' is missing", [](StateParts& p) { p.header["__metadata__"].erase("format"); }},
      {"'version' is '2'", metadata("version", "2")},
      {"'version' is missing", [](StateParts& p) { p.header["__metadata__"].erase("version"); }},
      {"'state' is missing", [](StateParts& p) { p.header["__metadata__"].erase("state"); }},
      {"unknown keys beside format, state, version", metadata("author", "me")},
      {"state, byte 0: expected '{'", set("", Json::array())},
      {"unknown key 'steps'", set("/steps", 1)},
      {"step is 100000000001; expected at most 100000000000", set("/step", 100'000'000'001)},
      {"whole number from 0", set("/step", -1)},
      {"length is 100000000001", set("/length", 100'000'000'001)},
      {"whole number from 0 to 9223372036854775807, found '1.5", set("/length", 1.5)},
      {"true or false", set("/boundary_open", 1)},
      {"data is '0123'; expected 16 hexadecimal digits", set("/data", "0123")},
      {"data is '012345678901234g'", set("/data", "012345678901234g")},
      {"data is '-123456789012345'", set("/data", "-123456789012345")},
      {"expected a string", set("/data", 7)},
      {"expected a string, found 'null", set("/device", nullptr)},
      {"at most 4096 elements", set("/algorithms", std::vector<std::string>(4097, "a"))},
      {"expected a string, found '3", set("/algorithms", {3})},
      {"expected '[', found '{}", set("/algorithms", Json::object())},
      {"more than 1024 options", set("/options", many_options)},
      {"expected a string, found '1", set("/options/optimizer.lr", 1)},
      {"expected '{', found '[]", set("/options", Json::array())},
      {"restores is 1001; expected at most 1000", set("/nonfinite/restores", 1001)},
      {"skipped is 100000000001", set("/nonfinite/skipped", 100'000'000'001)},
      {"skipped_in_row is 100000000001", set("/nonfinite/skipped_in_row", 100'000'000'001)},
      {"unknown key 'seconds'", set("/nonfinite/seconds", 1)},
      {"count is 100000000001", set("/line/count", 100'000'000'001)},
      {"expected a number, found 'null", set("/line/loss", nullptr)},
      {"unknown key 'valid'", set("/epoch/valid", 1)},
      {"expected '{', found '3", set("/epoch", 3)},
      {"expected a number, found '\"", set("/line/quantization/error", "0.25")},
      {"key 'perplexity' is missing",
       [](StateParts& p) { p.document["line"]["quantization"].erase("perplexity"); }},
      {"step is 100000000002", set("/best/step", 100'000'000'002)},
      {"whole number from 0 to 9223372036854775807, found '9223372036854775'",
       set("/best/epoch", std::uint64_t{1} << 63U)},
      {"expected a number, found 'true", set("/best/kl", true)},
      {"unknown key 'parameters'", set("/best/parameters", 1)},
      {"4 tensors; expected parameters, adam.moment1, adam.moment2", set("/best", nullptr)},
      {"tensor 'parameters' is missing",
       [](StateParts& p) {
         p.header["params"] = p.header["parameters"];
         p.header.erase("parameters");
       }},
      {"5 tensors; expected parameters, adam.moment1, adam.moment2, best.parameters",
       [](StateParts& p) {
         p.header["more"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
       }},
      {"'adam.moment1' is I32 of shape [4]; expected F32 of shape [4]",
       in_tensor("adam.moment1", "dtype", "I32")},
      {"'adam.moment2' is F32 of shape [2, 2]; expected F32 of shape [4]",
       in_tensor("adam.moment2", "shape", {2, 2})},
      {"'parameters' is F32 of shape [1, 4]; expected F32 of shape [P]",
       in_tensor("parameters", "shape", {1, 4})},
      {"'best.parameters' holds nan at element 0",
       [](StateParts& p) { p.set_value("best.parameters", std::numeric_limits<float>::quiet_NaN()); }},
      {"'adam.moment2' holds inf at element 0",
       [](StateParts& p) { p.set_value("adam.moment2", std::numeric_limits<float>::infinity()); }},
      {"follow the last tensor", [](StateParts& p) { p.data += '\0'; }},
  };
  // All keys but one are required; the messages name it.
  const std::string bytes = saved_bytes(small_checkpoint());
  std::vector<std::string> missing;
  for (const char* table : {"", "/line", "/best", "/nonfinite"}) {
    const Json keys = StateParts(bytes).document[Json::json_pointer(table)];
    for (const auto& [key, value] : keys.items()) {
      if (key == "quantization") continue;
      const std::string message = "key '" + key + "' is missing";
      INFO(table << "/" << key);
      StateParts parts(bytes);
      parts.document[Json::json_pointer(table)].erase(key);
      check_error<FileError>([&] { (void)parse_state(parts.join()); }, {"s.safetensors: state", message});
      missing.push_back(message);
    }
  }
  CHECK(missing.size() == 11 + 7 + 5 + 3);
  std::set<std::string_view> messages;
  for (const Fault& fault : faults) {
    INFO("fault: " << fault.message);
    StateParts parts(bytes);
    fault.damage(parts);
    check_error<FileError>([&] { (void)parse_state(parts.join()); }, {"s.safetensors", fault.message});
    messages.insert(fault.message);
  }
  CHECK(messages.size() >= 40);
}

TEST_CASE("state file: arenas of other lengths, repeated options and trailing text are refused",
          "[state_file]") {
  Checkpoint checkpoint = small_checkpoint();
  checkpoint.moment1.pop_back();
  check_error<FileError>([&] { (void)parse_state(saved_bytes(checkpoint)); },
                         {"'adam.moment1' is F32 of shape [3]; expected F32 of shape [4]"});
  checkpoint = small_checkpoint();
  checkpoint.parameters.clear();
  check_error<FileError>([&] { (void)parse_state(saved_bytes(checkpoint)); },
                         {"'parameters' is F32 of shape [0]; expected F32 of shape [P]"});
  const StateParts parts(saved_bytes(small_checkpoint()));
  const auto check_text = [&](const std::string& from, const std::string& to, std::string_view needle) {
    std::string text = parts.document.dump();
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    Json header = parts.header;
    header["__metadata__"]["state"] = text;
    check_error<FileError>([&] { (void)parse_state(StateParts::pack(header.dump(), parts.data)); },
                           {"s.safetensors: state, byte", needle});
  };
  check_text("\"optimizer.lr\":", "\"optimizer.lr\":\"1\",\"optimizer.lr\":",
             "option 'optimizer.lr' stands here twice");
  check_text("\"step\":41}", "\"step\":41}}", "nothing more");
  check_text("\"step\":41}", "\"step\":41,\"step\":41}", "key 'step' stands here twice");
}

TEST_CASE("state file: every truncation is refused", "[state_file]") {
  const std::string bytes = saved_bytes(small_checkpoint());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO("length " << length);
    REQUIRE_THROWS_AS(parse_state(bytes.substr(0, length)), FileError);
  }
}

TEST_CASE("state file: a flipped header byte is refused or read as what it then says", "[state_file]") {
  const std::string bytes = saved_bytes(small_checkpoint());
  const Json header = StateParts(bytes).whole();
  std::size_t accounted = 0;
  // Beside counts, means and texts nothing may become another: names and places of tensors, format, version.
  const auto account = [&](const Checkpoint& checkpoint, const std::string& damaged) {
    ++accounted;
    const Json said = StateParts(damaged).whole();
    REQUIRE(StateParts(saved_bytes(checkpoint)).whole() == said);
    for (const auto& change : Json::diff(header, said)) {
      INFO(change);
      REQUIRE(change["path"].get<std::string>().find("/__metadata__/state/") == 0);
    }
  };
  const HeaderFlips flips = flip_header(bytes, parse_state, account);
  INFO(flips.bytes << " bytes, " << flips.refused << " refused, " << flips.read << " read");
  CHECK(flips.refused + accounted == 9 * flips.bytes);
  CHECK(accounted < 2 * flips.bytes);
}

}  // namespace vaecuda::test
