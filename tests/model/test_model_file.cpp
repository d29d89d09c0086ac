// Model files: what is saved comes back bit for bit, and no damaged file is taken for a model.
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/model_bench.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::bytes_of;
using test::check_error;

/// Small, and with every feature: 4 columns, a picture, names, standardization, numbers that are hard to
/// print.
ModelFile small_model() {
  ModelFile file;
  file.model.input_dim = 4;
  file.model.hidden = {3, 2};
  file.model.latent_dim = 2;
  file.model.activation = Activation::gelu_tanh;
  file.model.init = Initialization::glorot;
  file.model.likelihood = Likelihood::gaussian;
  file.model.sigma = 0.1 + 0.2;
  file.model.output_bias = OutputBias::data_mean;
  file.preparation.scale = 1.0F / 255.0F;
  file.preparation.binarize = Binarize::stochastic;
  file.preparation.mean = {0.1F, -2.0F, 1e-40F, 3e38F};
  file.preparation.inverse_deviation = {1.0F, 0.5F, 1e-40F, 3e38F};
  file.image = ImageShape{2, 2, 1};
  file.column_names = {"a", "b \"quoted\"\n", "caf\xc3\xa9", ""};
  file.model.logvar_head = LogvarHead::logsigma;
  file.objective.beta = 1.0 / 3.0;
  file.objective.latent_l2 = 1.0 / 7.0;
  file.objective.samples = 100'000;
  file.objective.kind = ObjectiveKind::iwae;
  file.objective.beta_schedule = {BetaScheduleKind::cyclical, 77, 0.1};
  file.objective.capacity = 0.1;
  file.objective.capacity_steps = 100'000'000'000;
  file.objective.free_bits = 1.0 / 9.0;
  file.objective.reduce = Reduction::sum;
  file.seed = std::numeric_limits<std::uint64_t>::max();
  file.steps = 100'000'000'000;
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.resize(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, file.model, 7, file.parameters.data());
  file.parameters[0] = -0.0F;
  file.parameters[1] = std::numeric_limits<float>::denorm_min();
  return file;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

void check_same(const ModelFile& a, const ModelFile& b) {
  CHECK(a.model.input_dim == b.model.input_dim);
  CHECK(a.model.hidden == b.model.hidden);
  CHECK(a.model.latent_dim == b.model.latent_dim);
  CHECK(a.model.latent == b.model.latent);
  CHECK(a.model.codebook_size == b.model.codebook_size);
  CHECK(a.model.codebooks == b.model.codebooks);
  CHECK(a.model.activation == b.model.activation);
  CHECK(a.model.init == b.model.init);
  CHECK(a.model.likelihood == b.model.likelihood);
  CHECK(a.model.sigma == b.model.sigma);
  CHECK(a.model.sigma_source == b.model.sigma_source);
  CHECK(a.model.output_bias == b.model.output_bias);
  CHECK(a.preparation.scale == b.preparation.scale);
  CHECK(a.preparation.binarize == b.preparation.binarize);
  CHECK(same_bits(a.preparation.mean, b.preparation.mean));
  CHECK(same_bits(a.preparation.inverse_deviation, b.preparation.inverse_deviation));
  CHECK(a.image == b.image);
  CHECK(a.column_names == b.column_names);
  CHECK(a.model.logvar_head == b.model.logvar_head);
  CHECK(a.model.conditional == b.model.conditional);
  CHECK(a.model.condition_dim == b.model.condition_dim);
  CHECK(a.condition_names == b.condition_names);
  CHECK(a.objective.beta == b.objective.beta);
  CHECK(a.objective.latent_l2 == b.objective.latent_l2);
  CHECK(a.objective.samples == b.objective.samples);
  CHECK(a.objective.commitment == b.objective.commitment);
  CHECK(a.objective.kind == b.objective.kind);
  CHECK(a.objective.beta_schedule == b.objective.beta_schedule);
  CHECK(a.objective.capacity == b.objective.capacity);
  CHECK(a.objective.capacity_steps == b.objective.capacity_steps);
  CHECK(a.objective.free_bits == b.objective.free_bits);
  CHECK(a.objective.reduce == b.objective.reduce);
  CHECK(a.seed == b.seed);
  CHECK(a.steps == b.steps);
  CHECK(same_bits(a.parameters, b.parameters));
}

std::string saved(const ModelFile& file) {
  const test::TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  save_model(path, file);
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

ModelFile load(const std::string& bytes) {
  return load_model(bytes_in_memory("m.safetensors", std::as_bytes(std::span(bytes))));
}

/// A file in parts that a test can change: header and configuration as JSON, data as bytes.
struct Parts {
  nlohmann::json header;
  nlohmann::json config;
  std::string data;

  explicit Parts(const std::string& bytes) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    header = nlohmann::json::parse(bytes.substr(8, length));
    config = nlohmann::json::parse(header["__metadata__"]["config"].get<std::string>());
    data = bytes.substr(8 + length);
  }
  [[nodiscard]] std::string join() const {
    nlohmann::json whole = header;
    auto& metadata = whole["__metadata__"];
    if (metadata.is_object() && metadata.contains("config")) {
      metadata["config"] = config.dump();
    }
    return pack(whole.dump(), data);
  }
  static std::string pack(const std::string& header, const std::string& data) {
    return bytes_of(std::vector<std::uint64_t>{header.size()}) + header + data;
  }
  void set_value(const std::string& tensor, float value) {
    const auto begin = header[tensor]["data_offsets"][0].get<std::size_t>();
    std::memcpy(data.data() + begin, &value, sizeof value);
  }
};

TEST_CASE("model file: every kind of model comes back", "[model_file]") {
  for (const test::ModelVariant& variant : test::model_variants()) {
    INFO(variant.name);
    RunConfig config;
    config.model.input_dim = 4;
    config.model.hidden = {3};
    config.model.latent_dim = 2;
    variant.apply(config);
    ModelFile file;
    file.model = config.model;
    file.objective = config.objective;
    if (config.model.conditional && !variant.label_vectors) file.condition_names = {"a", "b", "c"};
    const ParameterLayout layout = make_layout(file.model);
    file.parameters.resize(static_cast<std::size_t>(layout.size));
    initialize_parameters(layout, file.model, 7, file.parameters.data());
    check_same(load(saved(file)), file);
  }
}

TEST_CASE("model file: what is saved is loaded, bit for bit", "[model_file]") {
  const test::TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  ModelFile file = small_model();
  save_model(path, file);
  check_same(load_model(path), file);

  ModelFile quantized = file;
  quantized.model.latent = LatentKind::vq;
  quantized.model.codebooks = 2;
  quantized.model.codebook_size = 3;
  quantized.objective.commitment = 0.5;
  const ParameterLayout layout = make_layout(quantized.model);
  quantized.parameters.assign(static_cast<std::size_t>(layout.size), 0.0F);
  initialize_parameters(layout, quantized.model, 5, quantized.parameters.data());
  const std::string path_of_codes = (folder.path() / "codes.safetensors").string();
  save_model(path_of_codes, quantized);
  check_same(load_model(path_of_codes), quantized);
  CHECK(Parts(saved(quantized)).header["codebook"]["shape"] == nlohmann::json({6, 1}));

  file.image.reset();
  file.column_names.clear();
  file.preparation = {};
  file.model.hidden.clear();
  file.parameters.assign(static_cast<std::size_t>(make_layout(file.model).size), 0.0F);
  file.seed = 0;
  file.steps = 0;
  file.objective.beta = 0.0;
  save_model(path, file);
  check_same(load_model(path), file);
}

TEST_CASE("model file: the same model gives the same bytes", "[model_file]") {
  const std::string bytes = saved(small_model());
  CHECK(saved(small_model()) == bytes);
  CHECK(saved(load(bytes)) == bytes);
  ModelFile other = small_model();
  --other.steps;
  CHECK(saved(other) != bytes);
  // The gaps of the arena are no part of the model.
  other = small_model();
  other.parameters.back() = 1.0F;
  CHECK(saved(other) == bytes);
}

TEST_CASE("model file: names, shapes and places are those that others expect", "[model_file]") {
  const ModelFile file = small_model();
  const std::string bytes = saved(file);
  const Parts parts(bytes);
  CHECK(parts.header["__metadata__"]["format"] == "vaecuda-model");
  CHECK(parts.header["__metadata__"]["version"] == "1");
  CHECK(parts.header.size() == 1 + 2 * 6 + 2);
  const auto values_of = [&](const std::string& name, const nlohmann::json& shape) {
    INFO(name);
    REQUIRE(parts.header.contains(name));
    CHECK(parts.header[name]["dtype"] == "F32");
    CHECK(parts.header[name]["shape"] == shape);
    const auto begin = parts.header[name]["data_offsets"][0].get<std::size_t>();
    const auto end = parts.header[name]["data_offsets"][1].get<std::size_t>();
    std::vector<float> values((end - begin) / sizeof(float));
    std::memcpy(values.data(), parts.data.data() + begin, end - begin);
    return values;
  };
  CHECK(values_of("encoder.0.weight", {3, 4}).size() == 12);
  CHECK(values_of("encoder.0.bias", nlohmann::json::array({3})).size() == 3);
  CHECK(values_of("encoder.1.weight", {2, 3}).size() == 6);
  CHECK(values_of("head.weight", {4, 2}).size() == 8);
  CHECK(values_of("decoder.0.weight", {2, 2}).size() == 4);
  CHECK(values_of("decoder.1.weight", {3, 2}).size() == 6);
  CHECK(values_of("output.weight", {4, 3}).size() == 12);
  CHECK(values_of("data.mean", nlohmann::json::array({4})) == file.preparation.mean);
  const Layer output = make_layout(file.model).output;
  const auto* const first = file.parameters.data() + output.bias;
  CHECK(values_of("output.bias", nlohmann::json::array({4})) == std::vector<float>(first, first + 4));
  CHECK(parts.config["model"]["sigma"] == file.model.sigma);
  CHECK(parts.config["seed"] == "18446744073709551615");
}

TEST_CASE("model file: a file from before an option was there means its default", "[model_file]") {
  Parts parts(saved(small_model()));
  parts.config["model"].erase("logvar_head");
  parts.config["model"].erase("codebook_size");
  parts.config["model"].erase("codebooks");
  const double beta = parts.config["objective"]["beta"];
  parts.config["objective"] = {{"beta", beta}};
  const ModelFile file = load(parts.join());
  CHECK(file.model.logvar_head == LogvarHead::logvar);
  CHECK(file.objective.samples == 1);
  CHECK(file.objective.kind == ObjectiveKind::elbo);
  CHECK(file.objective.beta_schedule == BetaSchedule{});
  CHECK(file.objective.reduce == Reduction::mean);
  CHECK(file.objective.beta == 1.0 / 3.0);
}

TEST_CASE("model file: each kind of bad file is refused with its reason", "[model_file]") {
  struct Case {
    std::string_view needle;
    std::function<void(Parts&)> damage;
  };
  using Json = nlohmann::json;
  const auto model = [](const char* key, const Json& value) {
    return [=](Parts& p) { p.config["model"][key] = value; };
  };
  const auto config = [](const char* key, const Json& value) {
    return [=](Parts& p) { p.config[key] = value; };
  };
  const auto metadata = [](const char* key, const Json& value) {
    return [=](Parts& p) { p.header["__metadata__"][key] = value; };
  };
  const auto in_tensor = [](const char* name, const char* key, const Json& value) {
    return [=](Parts& p) { p.header[name][key] = value; };
  };
  const Json names5 = {"a", "b", "c", "d", "e"};
  const std::vector<Case> cases = {
      {"'format' is missing", [](Parts& p) { p.header["__metadata__"].erase("format"); }},
      {"'format' is missing", [](Parts& p) { p.header["__metadata__"] = Json::object(); }},
      {"'format' is 'pt'", metadata("format", "pt")},
      {"'version' is missing", [](Parts& p) { p.header["__metadata__"].erase("version"); }},
      {"'version' is '2'; expected '1': a newer vaecuda", metadata("version", "2")},
      {"'version' is '1.0'; expected '1'", metadata("version", "1.0")},
      {"'config' is missing", [](Parts& p) { p.header["__metadata__"].erase("config"); }},
      {"unknown metadata key 'author'", metadata("author", "me")},
      {"config, byte 0: expected '{'", [](Parts& p) { p.config = Json::array(); }},
      {"key 'steps' is missing", [](Parts& p) { p.config.erase("steps"); }},
      {"key 'beta' is missing", [](Parts& p) { p.config["objective"].erase("beta"); }},
      {"unknown key 'latent_dims'", model("latent_dims", 2)},
      {"unknown key 'epochs'", config("epochs", 2)},
      {"unknown key 'mean'", [](Parts& p) { p.config["data"]["mean"] = 1; }},
      {"model.activation: 'swish'", model("activation", "swish")},
      {"model.init: 'zero'", model("init", "zero")},
      {"model.likelihood: the value is empty", model("likelihood", "")},
      {"model.latent: 'none'", model("latent", "none")},
      {"tensor 'head.weight' has the shape [4, 2]; expected [2, 2]", model("latent", "deterministic")},
      {"tensor 'head.weight' has the shape [4, 2]; expected [2, 2]", model("latent", "vq")},
      {"model.codebooks is 0", model("codebooks", 0)},
      {"model.codebook_size is 16777217", model("codebook_size", 16777217)},
      {"3 codebooks of 512 codes for a latent of 2",
       [](Parts& p) {
         p.config["model"]["latent"] = "vq";
         p.config["model"]["codebooks"] = 3;
       }},
      {"objective.commitment is -1", [](Parts& p) { p.config["objective"]["commitment"] = -1; }},
      {"objective.latent_l2 is -1", [](Parts& p) { p.config["objective"]["latent_l2"] = -1; }},
      {"data.binarize: 'yes'", [](Parts& p) { p.config["data"]["binarize"] = "yes"; }},
      {"model.input_dim is 0", model("input_dim", 0)},
      {"model.input_dim is 16777217", model("input_dim", 16777217)},
      {"whole number from 0", model("input_dim", -4)},
      {"whole number from 0", model("latent_dim", 2.0)},
      {"whole number from 0", model("latent_dim", "2")},
      {"whole number from 0", model("latent_dim", nullptr)},
      {"model.latent_dim is 0", model("latent_dim", 0)},
      {"expected '['", model("hidden", 3)},
      {"model.hidden is 0", model("hidden", {3, 0})},
      {"at most 64 elements", model("hidden", std::vector<int>(65, 1))},
      {"product below 2^40", model("hidden", {16777216, 16777216})},
      {"model.sigma_source: 'decoder'", model("sigma_source", "decoder")},
      {"tensor 'output.weight' has the shape [4, 3]; expected [8, 3]", model("sigma_source", "head")},
      {"tensor 'likelihood.log_sigma' of shape [1] is missing", model("sigma_source", "learned")},
      {"model.sigma_source is not fixed",
       [](Parts& p) {
         p.config["model"]["likelihood"] = "bernoulli";
         p.config["model"]["sigma_source"] = "learned";
       }},
      {"model.sigma is 0", model("sigma", 0)},
      {"model.sigma is -1", model("sigma", -1)},
      {"expected a number", model("sigma", nullptr)},
      {"model.sigma is 1e+300", model("sigma", 1e300)},
      {"model.logvar_head: 'variance'", model("logvar_head", "variance")},
      {"objective.kind: 'vae'", [](Parts& p) { p.config["objective"]["kind"] = "vae"; }},
      {"objective.beta_schedule: steps: the value is empty",
       [](Parts& p) { p.config["objective"]["beta_schedule"] = "linear"; }},
      {"objective.free_bits is -1", [](Parts& p) { p.config["objective"]["free_bits"] = -1; }},
      {"objective.capacity_steps is 100000000001",
       [](Parts& p) { p.config["objective"]["capacity_steps"] = 100000000001; }},
      {"objective.samples is 0", [](Parts& p) { p.config["objective"]["samples"] = 0; }},
      {"objective.samples is 100001", [](Parts& p) { p.config["objective"]["samples"] = 100001; }},
      {"objective.beta is -1", [](Parts& p) { p.config["objective"]["beta"] = -1; }},
      {"data.scale is 0", [](Parts& p) { p.config["data"]["scale"] = 0; }},
      {"data.scale is -1", [](Parts& p) { p.config["data"]["scale"] = -1; }},
      {"data.scale is 0.1; expected a number that fp32 holds",
       [](Parts& p) { p.config["data"]["scale"] = 0.1; }},
      {"data.scale is 1e+300", [](Parts& p) { p.config["data"]["scale"] = 1e300; }},
      {"true or false", [](Parts& p) { p.config["data"]["standardize"] = 1; }},
      {"unknown tensor 'data.inverse_deviation'", [](Parts& p) { p.config["data"]["standardize"] = false; }},
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
       [](Parts& p) {
         p.header["head.bios"] = p.header["head.bias"];
         p.header.erase("head.bias");
       }},
      {"unknown tensor 'extra'",
       [](Parts& p) {
         p.header["extra"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
       }},
      {"'head.weight' holds nan at element 0",
       [](Parts& p) { p.set_value("head.weight", std::numeric_limits<float>::quiet_NaN()); }},
      {"'output.bias' holds -inf",
       [](Parts& p) { p.set_value("output.bias", -std::numeric_limits<float>::infinity()); }},
      {"'data.mean' holds inf",
       [](Parts& p) { p.set_value("data.mean", std::numeric_limits<float>::infinity()); }},
      {"'data.inverse_deviation' holds 0", [](Parts& p) { p.set_value("data.inverse_deviation", 0.0F); }},
      {"4 bytes follow the last tensor", [](Parts& p) { p.data += "1234"; }},
  };
  const std::string bytes = saved(small_model());
  CHECK_NOTHROW(load(Parts(bytes).join()));
  for (const Case& bad : cases) {
    INFO("case: " << bad.needle);
    Parts parts(bytes);
    bad.damage(parts);
    check_error<FileError>([&] { (void)load(parts.join()); }, {"m.safetensors", bad.needle});
  }
}

TEST_CASE("model file: repeated keys and trailing text in the configuration are refused", "[model_file]") {
  const Parts parts(saved(small_model()));
  const auto check_config = [&](const std::string& from, const std::string& to, std::string_view needle) {
    std::string text = parts.config.dump();
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    auto header = parts.header;
    header["__metadata__"]["config"] = text;
    check_error<FileError>([&] { (void)load(Parts::pack(header.dump(), parts.data)); }, {"config", needle});
  };
  check_config("\"seed\":", "\"seed\":\"1\",\"seed\":", "key 'seed' stands here twice");
  check_config("\"sigma\":", "\"sigma\":1,\"sigma\":", "key 'sigma' stands here twice");
  check_config("\"steps\":100000000000}", "\"steps\":1}}", "nothing more");
  check_config("\"steps\":100000000000}", "\"steps\":1", "',' or '}'");
  check_config("\"sigma\":0", "\"sigma\":NaN0", "expected a number");
  check_config("\"beta\":0", "\"beta\":1e9990", "that a double can hold");
  check_config("[\"a\",", "[\"a\\q\",", "an escape that JSON knows");
  check_config("[\"a\",", "[\"a,", "expected");
}

TEST_CASE("model file: every truncation is refused", "[model_file]") {
  const std::string bytes = saved(small_model());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    INFO("length " << length);
    REQUIRE_THROWS_AS(load(bytes.substr(0, length)), FileError);
  }
}

TEST_CASE("model file: a flipped header byte is refused or gives another sound model", "[model_file]") {
  const std::string bytes = saved(small_model());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  std::size_t refused = 0;
  std::size_t loaded = 0;
  for (std::size_t at = 0; at < 8 + length; ++at) {
    for (const unsigned flip : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U, 255U}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      INFO("byte " << at << " flipped by " << flip);
      std::optional<ModelFile> model;
      try {
        model = load(damaged);
      } catch (const FileError& error) {
        ++refused;
        // A message is one printable line, whatever the file holds.
        REQUIRE(std::string_view(error.what()).find_first_of("\n\r\033") == std::string_view::npos);
        continue;
      }
      ++loaded;
      REQUIRE(same_bits(model->parameters, small_model().parameters));
    }
  }
  // Digits of seed and steps and letters of column names have other sound values; structure has none.
  CHECK(loaded < refused / 10);
  CHECK(refused > 8 * 9);
}

TEST_CASE("model file: what could not be loaded is not saved", "[model_file]") {
  const test::TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  const auto check_refused = [&](const std::function<void(ModelFile&)>& damage, std::string_view needle) {
    ModelFile file = small_model();
    damage(file);
    check_error<RuntimeError>([&] { save_model(path, file); }, {"m.safetensors", needle});
    CHECK(std::filesystem::is_empty(folder.path()));
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  check_refused([](ModelFile& f) { f.parameters[2] = kNan; }, "'encoder.0.weight' holds nan at element 2");
  check_refused([](ModelFile& f) { f.preparation.mean[1] = kNan; }, "'data.mean' holds nan");
  check_refused([](ModelFile& f) { f.preparation.mean.pop_back(); }, "data.mean has not");
  check_refused([](ModelFile& f) { f.preparation.inverse_deviation.clear(); }, "data.inverse_deviation");
  check_refused([](ModelFile& f) { f.preparation.inverse_deviation[0] = 0.0F; }, "positive");
  check_refused([](ModelFile& f) { f.parameters.pop_back(); }, "parameters");
  check_refused([](ModelFile& f) { f.column_names.pop_back(); }, "column_names");
  check_refused([](ModelFile& f) { f.model.input_dim = 0; }, "model.input_dim");
  check_refused([](ModelFile& f) { f.model.sigma = std::numeric_limits<double>::quiet_NaN(); },
                "model.sigma");
  check_refused([](ModelFile& f) { f.preparation.scale = 0.0F; }, "data.scale");
  check_refused([](ModelFile& f) { f.steps = -1; }, "steps");
  check_refused([](ModelFile& f) { f.image->width = 3; }, "image is 2x3x1");
  check_error<RuntimeError>([&] { save_model((folder.path() / "no" / "m").string(), small_model()); },
                            {"no/m"});
}

TEST_CASE("model file: column names in another encoding do not cost the model", "[model_file]") {
  ModelFile file = small_model();
  file.column_names[2] = "caf\xe9";
  const ModelFile back = load(saved(file));
  CHECK(back.column_names[2] == "caf\xef\xbf\xbd");
  CHECK(back.column_names[1] == file.column_names[1]);
}

}  // namespace
}  // namespace vaecuda
