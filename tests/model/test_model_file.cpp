// Model files: what is saved comes back bit for bit, and what could not come back is not saved.
#include <cstring>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "host/config/enumerators.hpp"
#include "host/model/model_file.hpp"
#include "support/catch.hpp"
#include "support/model_bench.hpp"
#include "support/model_file_parts.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::full_featured_model;
using test::ModelFileParts;
using test::parse_model;
using test::saved_bytes;

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// The options that a model file keeps, as texts.
RunConfig options_of(const ModelFile& file) {
  RunConfig config;
  config.model = file.model;
  config.objective = file.objective;
  return config;
}

void check_same(const ModelFile& a, const ModelFile& b) {
  for (const Option& option : options()) {
    INFO(option.key);
    if (option.is_stored_in_model) CHECK(option.get(options_of(a)) == option.get(options_of(b)));
  }
  CHECK(a.model.input_dim == b.model.input_dim);
  CHECK(a.model.condition_dim == b.model.condition_dim);
  CHECK(a.model.conditional == b.model.conditional);
  CHECK(a.model.sigma == b.model.sigma);
  CHECK(a.model.sigma_source == b.model.sigma_source);
  CHECK(a.preparation.scale == b.preparation.scale);
  CHECK(a.preparation.binarize == b.preparation.binarize);
  CHECK(a.trained_on == b.trained_on);
  CHECK(same_bits(a.preparation.mean, b.preparation.mean));
  CHECK(same_bits(a.preparation.inverse_deviation, b.preparation.inverse_deviation));
  CHECK(a.image == b.image);
  CHECK(a.column_names == b.column_names);
  CHECK(a.condition_names == b.condition_names);
  CHECK(a.label_vector_names == b.label_vector_names);
  CHECK(a.seed == b.seed);
  CHECK(a.steps == b.steps);
  CHECK(same_bits(a.parameters, b.parameters));
}

TEST_CASE("every likelihood and latent is among the kinds of model that tests go through", "[model_file]") {
  const auto are_there = [](auto get, int count) {
    std::set<int> found;
    for (const test::ModelVariant& variant : test::model_variants()) {
      RunConfig config;
      variant.apply(config);
      found.insert(static_cast<int>(get(config.model)));
    }
    return static_cast<int>(found.size()) == count;
  };
  CHECK(are_there([](const ModelConfig& model) { return model.likelihood; },
                  config::enumerator_count<Likelihood>()));
  CHECK(are_there([](const ModelConfig& model) { return model.latent; },
                  config::enumerator_count<LatentKind>()));
}

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
    if (variant.label_vectors) file.label_vector_names = {"p", "q", "r"};
    const ParameterLayout layout = make_layout(file.model);
    file.parameters.resize(static_cast<std::size_t>(layout.size));
    initialize_parameters(layout, file.model, 7, file.parameters.data());
    check_same(parse_model(saved_bytes(file)), file);
  }
}

TEST_CASE("model file: what is saved is loaded, bit for bit", "[model_file]") {
  const test::TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  ModelFile file = full_featured_model();
  save_model(path, file);
  check_same(load_model(path), file);

  ModelFile quantized = file;
  quantized.model.latent = LatentKind::vq;
  quantized.model.codebooks = 2;
  quantized.model.codebook_size = 3;
  quantized.objective.commitment = 0.5;
  quantized.trained_on = ValueSizes{255.0F, 6.125};
  const ParameterLayout layout = make_layout(quantized.model);
  quantized.parameters.assign(static_cast<std::size_t>(layout.size), 0.0F);
  initialize_parameters(layout, quantized.model, 5, quantized.parameters.data());
  const std::string path_of_codes = (folder.path() / "codes.safetensors").string();
  save_model(path_of_codes, quantized);
  check_same(load_model(path_of_codes), quantized);
  CHECK(ModelFileParts(saved_bytes(quantized)).header["codebook"]["shape"] == nlohmann::json({6, 1}));

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
  const std::string bytes = saved_bytes(full_featured_model());
  CHECK(saved_bytes(full_featured_model()) == bytes);
  CHECK(saved_bytes(parse_model(bytes)) == bytes);
  ModelFile other = full_featured_model();
  --other.steps;
  CHECK(saved_bytes(other) != bytes);
  // The gaps of the arena are no part of the model.
  other = full_featured_model();
  other.parameters.back() = 1.0F;
  CHECK(saved_bytes(other) == bytes);
}

TEST_CASE("model file: names, shapes and places are those that others expect", "[model_file]") {
  const ModelFile file = full_featured_model();
  const std::string bytes = saved_bytes(file);
  const ModelFileParts parts(bytes);
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
  const Layer output = make_layout(file.model).network("decoder").top;
  const auto* const first = file.parameters.data() + output.bias;
  CHECK(values_of("output.bias", nlohmann::json::array({4})) == std::vector<float>(first, first + 4));
  CHECK(parts.document["model"]["sigma"] == file.model.sigma.value());
  CHECK(parts.document["seed"] == "18446744073709551615");
}

TEST_CASE("model file: a file from before an option was there means its default", "[model_file]") {
  ModelFileParts parts(saved_bytes(full_featured_model()));
  parts.document["model"].erase("logvar_head");
  parts.document["model"].erase("codebook_size");
  parts.document["model"].erase("codebooks");
  const double beta = parts.document["objective"]["beta"];
  parts.document["objective"] = {{"beta", beta}};
  const ModelFile file = parse_model(parts.join());
  CHECK(file.model.logvar_head == LogvarHead::logvar);
  CHECK(file.objective.samples == 1);
  CHECK(file.objective.kind == ObjectiveKind::elbo);
  CHECK(file.objective.beta_schedule == BetaSchedule{});
  CHECK(file.objective.reduce == Reduction::mean);
  CHECK(file.objective.beta == 1.0 / 3.0);
}

TEST_CASE("model file: what could not be loaded is not saved", "[model_file]") {
  const test::TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  const auto check_refused = [&](const std::function<void(ModelFile&)>& damage, std::string_view needle) {
    ModelFile file = full_featured_model();
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
  check_refused([](ModelFile& f) { f.trained_on = ValueSizes{0.0F, 1.0}; }, "data.largest");
  check_refused([](ModelFile& f) { f.steps = -1; }, "steps");
  check_refused([](ModelFile& f) { f.image->width = 3; }, "image is 2x3x1");
  check_error<RuntimeError>([&] { save_model((folder.path() / "no" / "m").string(), full_featured_model()); },
                            {"no/m"});
}

TEST_CASE("model file: column names in another encoding do not cost the model", "[model_file]") {
  ModelFile file = full_featured_model();
  file.column_names[2] = "caf\xe9";
  const ModelFile back = parse_model(saved_bytes(file));
  CHECK(back.column_names[2] == "caf\xef\xbf\xbd");
  CHECK(back.column_names[1] == file.column_names[1]);
}

}  // namespace
}  // namespace vaecuda
