// No damaged file is taken for a model: every kind of fault that is made by hand, every truncation, every
// flipped byte of a header; in the library and through the program.
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/model_file_parts.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::full_featured_model;
using test::ModelFileParts;
using test::parse_model;
using test::saved_bytes;

/// A kind of bad file: what the message must say, and how it is made of a good one.
struct Damage {
  std::string_view message;
  std::function<void(ModelFileParts&)> damage;
};

std::vector<Damage> faults() {
  using Json = nlohmann::json;
  const auto model = [](const char* key, const Json& value) {
    return [=](ModelFileParts& p) { p.document["model"][key] = value; };
  };
  const auto config = [](const char* key, const Json& value) {
    return [=](ModelFileParts& p) { p.document[key] = value; };
  };
  const auto metadata = [](const char* key, const Json& value) {
    return [=](ModelFileParts& p) { p.header["__metadata__"][key] = value; };
  };
  const auto in_tensor = [](const char* name, const char* key, const Json& value) {
    return [=](ModelFileParts& p) { p.header[name][key] = value; };
  };
  const Json names5 = {"a", "b", "c", "d", "e"};
  return {
      {"'format' is missing", [](ModelFileParts& p) { p.header["__metadata__"].erase("format"); }},
      {"'format' is missing", [](ModelFileParts& p) { p.header["__metadata__"] = Json::object(); }},
      {"'format' is 'pt'", metadata("format", "pt")},
      {"'version' is missing", [](ModelFileParts& p) { p.header["__metadata__"].erase("version"); }},
      {"'version' is '2'; expected '1': a newer vaecuda", metadata("version", "2")},
      {"'version' is '1.0'; expected '1'", metadata("version", "1.0")},
      {"'config' is missing", [](ModelFileParts& p) { p.header["__metadata__"].erase("config"); }},
      {"unknown metadata key 'author'", metadata("author", "me")},
      {"config, byte 0: expected '{'", [](ModelFileParts& p) { p.document = Json::array(); }},
      {"key 'steps' is missing", [](ModelFileParts& p) { p.document.erase("steps"); }},
      {"key 'beta' is missing", [](ModelFileParts& p) { p.document["objective"].erase("beta"); }},
      {"unknown key 'latent_dims'", model("latent_dims", 2)},
      {"unknown key 'epochs'", config("epochs", 2)},
      {"unknown key 'mean'", [](ModelFileParts& p) { p.document["data"]["mean"] = 1; }},
      {"model.activation: 'swish'", model("activation", "swish")},
      {"model.init: 'zero'", model("init", "zero")},
      {"model.likelihood: the value is empty", model("likelihood", "")},
      {"model.latent: 'none'", model("latent", "none")},
      {"tensor 'head.weight' has the shape [4, 2]; expected [2, 2]", model("latent", "deterministic")},
      {"tensor 'head.weight' has the shape [4, 2]; expected [2, 2]", model("latent", "vq")},
      {"model.condition_dim is 16777217", model("condition_dim", 16777217)},
      {"model.codebooks is 0", model("codebooks", 0)},
      {"model.codebook_size is 16777217", model("codebook_size", 16777217)},
      {"3 codebooks of 512 codes for a latent of 2",
       [](ModelFileParts& p) {
         p.document["model"]["latent"] = "vq";
         p.document["model"]["codebooks"] = 3;
       }},
      {"objective.commitment is -1", [](ModelFileParts& p) { p.document["objective"]["commitment"] = -1; }},
      {"objective.latent_l2 is -1", [](ModelFileParts& p) { p.document["objective"]["latent_l2"] = -1; }},
      {"data.binarize: 'yes'", [](ModelFileParts& p) { p.document["data"]["binarize"] = "yes"; }},
      {"model.input_dim is 0", model("input_dim", 0)},
      {"model.input_dim is 16777217", model("input_dim", 16777217)},
      {"whole number from 0", model("input_dim", -4)},
      {"whole number from 0", model("latent_dim", 2.0)},
      {"whole number from 0", model("latent_dim", "2")},
      {"whole number from 0", model("latent_dim", nullptr)},
      {"model.latent_dim is 0", model("latent_dim", 0)},
      {"expected '['", model("hidden", 3)},
      {"model.hidden is 3,0", model("hidden", {3, 0})},
      {"at most 64 elements", model("hidden", std::vector<int>(65, 1))},
      {"product below 2^40", model("hidden", {16777216, 16777216})},
      {"model.sigma_source: 'decoder'", model("sigma_source", "decoder")},
      {"tensor 'output.weight' has the shape [4, 3]; expected [8, 3]", model("sigma_source", "head")},
      {"tensor 'likelihood.log_sigma' of shape [1] is missing", model("sigma_source", "learned")},
      {"model.sigma_source is not fixed",
       [](ModelFileParts& p) {
         p.document["model"]["likelihood"] = "bernoulli";
         p.document["model"]["sigma_source"] = "learned";
       }},
      {"model.sigma is 0", model("sigma", 0)},
      {"model.sigma is -1", model("sigma", -1)},
      {"expected a number", model("sigma", nullptr)},
      {"model.sigma is 1e+300", model("sigma", 1e300)},
      {"model.logvar_head: 'variance'", model("logvar_head", "variance")},
      {"objective.kind: 'vae'", [](ModelFileParts& p) { p.document["objective"]["kind"] = "vae"; }},
      {"objective.beta_schedule: steps: the value is empty",
       [](ModelFileParts& p) { p.document["objective"]["beta_schedule"] = "linear"; }},
      {"objective.free_bits is -1", [](ModelFileParts& p) { p.document["objective"]["free_bits"] = -1; }},
      {"objective.capacity_steps is 100000000001",
       [](ModelFileParts& p) { p.document["objective"]["capacity_steps"] = 100000000001; }},
      {"objective.samples is 0", [](ModelFileParts& p) { p.document["objective"]["samples"] = 0; }},
      {"objective.samples is 100001", [](ModelFileParts& p) { p.document["objective"]["samples"] = 100001; }},
      {"objective.beta is -1", [](ModelFileParts& p) { p.document["objective"]["beta"] = -1; }},
      {"data.scale is 0", [](ModelFileParts& p) { p.document["data"]["scale"] = 0; }},
      {"data.scale is -1", [](ModelFileParts& p) { p.document["data"]["scale"] = -1; }},
      {"data.scale is 0.1; expected a number that fp32 holds",
       [](ModelFileParts& p) { p.document["data"]["scale"] = 0.1; }},
      {"data.scale is 1e+300", [](ModelFileParts& p) { p.document["data"]["scale"] = 1e300; }},
      {"data.largest is -1", [](ModelFileParts& p) { p.document["data"]["largest"] = -1; }},
      {"data.largest is 0.1; expected a number that fp32 holds",
       [](ModelFileParts& p) { p.document["data"]["largest"] = 0.1; }},
      {"data.exponent is 129",
       [](ModelFileParts& p) {
         p.document["data"]["largest"] = 1;
         p.document["data"]["exponent"] = 129;
       }},
      {"data.largest is 0", [](ModelFileParts& p) { p.document["data"]["exponent"] = 1; }},
      {"true or false", [](ModelFileParts& p) { p.document["data"]["standardize"] = 1; }},
      {"unknown tensor 'data.inverse_deviation'",
       [](ModelFileParts& p) { p.document["data"]["standardize"] = false; }},
      {"image is 2x3x1", config("image", {2, 3, 1})},
      {"image is 0", config("image", {4, 0, 1})},
      {"image is 16777216x16777216x16777216", config("image", {16777216, 16777216, 16777216})},
      {"image is 9223372036854775807", config("image", {std::numeric_limits<std::int64_t>::max(), 1, 1})},
      {"expected ','", config("image", {2, 2})},
      {"expected '['", config("column_names", nullptr)},
      {"at most 4 elements", config("column_names", names5)},
      {"1 names; expected none, or 4", config("column_names", {"a"})},
      {"expected a string", config("column_names", {1, 2, 3, 4})},
      {"expected a string", config("seed", 1)},
      {"seed is '-1'", config("seed", "-1")},
      {"seed is '01'", config("seed", "01")},
      {"seed is '18446744073709551616'", config("seed", "18446744073709551616")},
      {"steps is 100000000001", config("steps", 100'000'000'001)},
      {"'head.bias' has the shape [2, 2]; expected [4]", in_tensor("head.bias", "shape", {2, 2})},
      {"'encoder.0.weight' has the shape [4, 3]; expected [3, 4]",
       in_tensor("encoder.0.weight", "shape", {4, 3})},
      {"'head.bias' is I32; expected F32", in_tensor("head.bias", "dtype", "I32")},
      {"tensor 'head.bias' of shape [4] is missing",
       [](ModelFileParts& p) {
         p.header["head.bios"] = p.header["head.bias"];
         p.header.erase("head.bias");
       }},
      {"unknown tensor 'extra'",
       [](ModelFileParts& p) {
         p.header["extra"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
       }},
      {"'head.weight' holds nan at element 0",
       [](ModelFileParts& p) { p.set_value("head.weight", std::numeric_limits<float>::quiet_NaN()); }},
      {"'output.bias' holds -inf",
       [](ModelFileParts& p) { p.set_value("output.bias", -std::numeric_limits<float>::infinity()); }},
      {"'data.mean' holds inf",
       [](ModelFileParts& p) { p.set_value("data.mean", std::numeric_limits<float>::infinity()); }},
      {"'data.inverse_deviation' holds 0",
       [](ModelFileParts& p) { p.set_value("data.inverse_deviation", 0.0F); }},
      {"4 bytes follow the last tensor", [](ModelFileParts& p) { p.data += "1234"; }},
  };
}

/// The bytes of a small model with that fault.
std::string bad_bytes(const Damage& fault) {
  ModelFileParts parts(saved_bytes(full_featured_model()));
  fault.damage(parts);
  return parts.join();
}

TEST_CASE("model file: each kind of bad file is refused with its reason", "[model_file]") {
  CHECK_NOTHROW(parse_model(ModelFileParts(saved_bytes(full_featured_model())).join()));
  std::set<std::string_view> messages;
  for (const Damage& fault : faults()) {
    INFO("fault: " << fault.message);
    check_error<FileError>([&] { (void)parse_model(bad_bytes(fault)); }, {"m.safetensors", fault.message});
    messages.insert(fault.message);
  }
  CHECK(messages.size() >= 75);
}

TEST_CASE("model file: the program refuses bad files with exit code 3 and writes nothing", "[model_file]") {
  const test::TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  const std::string out = (folder.path() / "rows.npy").string();
  const auto generate = [&](const std::string& bytes) {
    test::write_file(path, bytes);
    return test::run_program(VAECUDA_TOOL_PATH,
                             {"generate", path, "--count", "2", "--device", "cpu", "--out", out});
  };
  const std::string whole = saved_bytes(full_featured_model());
  const auto check_refused = [&](const std::string& bytes, std::string_view message) {
    INFO("fault: " << message);
    const test::ProgramResult result = generate(bytes);
    CHECK(result.exit_code == 3);
    CHECK(result.out.empty());
    CHECK(result.err.find(path) != std::string::npos);
    CHECK(result.err.find(message) != std::string::npos);
    CHECK(!std::filesystem::exists(out));
  };
  const std::vector<Damage> all = faults();
  constexpr std::size_t kStride = 5;
  for (std::size_t i = 0; i < all.size(); i += kStride) check_refused(bad_bytes(all[i]), all[i].message);
  check_refused("", "has 0 bytes");
  check_refused(whole.substr(0, 7), "has 7 bytes");
  check_refused(whole.substr(0, 100), "the file is truncated");
  check_refused(whole.substr(0, whole.size() - 1), "truncated");
  check_refused("PK\x03\x04 no model at all", "header of");
  CHECK(generate(whole).exit_code == 0);
  CHECK(std::filesystem::exists(out));
}

TEST_CASE("model file: repeated keys and trailing text in the configuration are refused", "[model_file]") {
  const ModelFileParts parts(saved_bytes(full_featured_model()));
  const auto check_config = [&](const std::string& from, const std::string& to, std::string_view needle) {
    std::string text = parts.document.dump();
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    auto header = parts.header;
    header["__metadata__"]["config"] = text;
    check_error<FileError>([&] { (void)parse_model(ModelFileParts::pack(header.dump(), parts.data)); },
                           {"config", needle});
  };
  check_config("\"seed\":", "\"seed\":\"1\",\"seed\":", "key 'seed' stands here twice");
  check_config("\"sigma\":", "\"sigma\":1,\"sigma\":", "key 'sigma' stands here twice");
  check_config("\"steps\":100000000000}", "\"steps\":1}}", "nothing more");
  check_config("\"steps\":100000000000}", "\"steps\":1", "',' or '}'");
  check_config("\"sigma\":0", "\"sigma\":NaN0", "expected a number");
  check_config("\"beta\":0", "\"beta\":1e9990", "that a double can hold");
  check_config("[\"a\",", "[\"a\\q\",", "an escape that JSON knows");
  check_config("[\"a\",", "[\"a,", "expected");
  check_config("column_names\":[\"a\"", "column_names\":[\"a\\\"", "expected");
}

TEST_CASE("model file: every truncation is refused", "[model_file]") {
  const std::string bytes = saved_bytes(full_featured_model());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO("length " << length);
    REQUIRE_THROWS_AS(parse_model(bytes.substr(0, length)), FileError);
  }
}

TEST_CASE("model file: a flipped header byte is refused or changes one free value", "[model_file]") {
  // What may be anything within its range. All else in a header follows from the rest or has few sound forms.
  const std::string config = "/__metadata__/config/";
  std::map<std::string, std::size_t> free_values;
  for (const char* key :
       {"column_names/0", "column_names/1", "column_names/2", "column_names/3", "model/codebook_size",
        "model/codebooks", "model/sigma", "objective/beta", "objective/beta_schedule", "objective/capacity",
        "objective/capacity_steps", "objective/commitment", "objective/free_bits", "objective/latent_l2",
        "objective/samples", "seed", "steps"}) {
    free_values[config + key] = 0;
  }
  const std::string bytes = saved_bytes(full_featured_model());
  const nlohmann::json header = ModelFileParts(bytes).whole();
  std::size_t accounted = 0;
  const auto account = [&](const ModelFile& model, const std::string& damaged) {
    ++accounted;
    const nlohmann::json said = ModelFileParts(damaged).whole();
    const nlohmann::json changes = nlohmann::json::diff(header, said);
    INFO(changes);
    REQUIRE(ModelFileParts(saved_bytes(model)).whole() == said);
    if (changes.empty()) return;  // 1e-40 and 1E-40
    REQUIRE(changes.size() == 1);
    const auto changed = free_values.find(changes[0]["path"].get<std::string>());
    REQUIRE(changed != free_values.end());
    ++changed->second;
  };
  const test::HeaderFlips flips = test::flip_header(bytes, parse_model, account);
  INFO(flips.bytes << " bytes, " << flips.refused << " refused, " << flips.read << " read");
  CHECK(flips.refused + accounted == 9 * flips.bytes);
  CHECK(accounted < flips.bytes / 4);
}

}  // namespace
}  // namespace vaecuda
