// The parameter arena: names, places, sizes, and fresh parameters.
#include "host/model/layout.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "host/latents/codebook.hpp"
#include "support/catch.hpp"
#include "vaecuda/error.hpp"

using namespace vaecuda;

namespace {

ModelConfig model_of(std::int64_t input, std::vector<std::int64_t> hidden, std::int64_t latent) {
  ModelConfig model;
  model.input_dim = input;
  model.hidden = std::move(hidden);
  model.latent_dim = latent;
  return model;
}

std::vector<float> initialized(const ParameterLayout& layout, Initialization init, std::uint64_t seed) {
  std::vector<float> arena(static_cast<std::size_t>(layout.size), 123.0f);
  ModelConfig model;
  model.init = init;
  initialize_parameters(layout, model, seed, arena.data());
  return arena;
}

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
  double largest = 0.0;
};

Moments moments_of(const std::vector<float>& arena, std::int64_t offset, std::int64_t count) {
  Moments m;
  for (std::int64_t i = offset; i < offset + count; ++i) {
    const auto v = static_cast<double>(arena[static_cast<std::size_t>(i)]);
    m.mean += v / static_cast<double>(count);
    m.variance += v * v / static_cast<double>(count);
    m.largest = std::fmax(m.largest, std::fabs(v));
  }
  m.variance -= m.mean * m.mean;
  return m;
}

// U(−bound, bound): mean 0 with deviation bound/√(3n), variance bound²/3 with relative deviation √(0.8/n).
void check_uniform(const Moments& m, double bound, std::int64_t count) {
  const auto n = static_cast<double>(count);
  CHECK(m.largest <= bound * (1.0 + 0x1p-23));
  CHECK(m.largest >= bound * (1.0 - 10.0 / n));
  CHECK(std::fabs(m.mean) <= 4.0 * bound / std::sqrt(3.0 * n));
  CHECK(std::fabs(m.variance / (bound * bound / 3.0) - 1.0) <= 4.0 * std::sqrt(0.8 / n));
}

}  // namespace

TEST_CASE("layers have PyTorch's shapes and follow the forward pass", "[layout]") {
  const ParameterLayout layout = make_layout(model_of(784, {400, 100}, 20));
  const std::vector<Layer> layers = layout.layers();
  const std::vector<std::string> names = {"encoder.0", "encoder.1", "head",
                                          "decoder.0", "decoder.1", "output"};
  const std::vector<std::int64_t> ins = {784, 400, 100, 20, 100, 400};
  const std::vector<std::int64_t> outs = {400, 100, 40, 100, 400, 784};
  REQUIRE(layers.size() == names.size());
  std::int64_t parameters = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    CHECK(layers[i].name == names[i]);
    CHECK(layers[i].in == ins[i]);
    CHECK(layers[i].out == outs[i]);
    parameters += ins[i] * outs[i] + outs[i];
  }
  CHECK(layout.parameters == parameters);
  CHECK(layout.network("encoder").hidden.size() == 2);
  CHECK(layout.network("decoder").hidden.size() == 2);
}

TEST_CASE("tensors are aligned, disjoint and inside the arena", "[layout]") {
  for (const ModelConfig& model :
       {model_of(1, {1}, 1), model_of(784, {400}, 20), model_of(13, {7, 5, 3}, 2), model_of(31, {}, 4)}) {
    const ParameterLayout layout = make_layout(model);
    std::vector<int> owners(static_cast<std::size_t>(layout.size), 0);
    const auto claim = [&](std::int64_t offset, std::int64_t count) {
      CHECK(offset % 16 == 0);  // 64 bytes
      for (std::int64_t i = offset; i < offset + count; ++i) ++owners.at(static_cast<std::size_t>(i));
    };
    std::int64_t claimed = 0;
    for (const Layer& layer : layout.layers()) {
      claim(layer.weight, layer.out * layer.in);
      claim(layer.bias, layer.out);
      claimed += layer.out * layer.in + layer.out;
      CHECK(layout.tensor_at(layer.weight) == layer.name + ".weight");
      CHECK(layout.tensor_at(layer.weight + layer.out * layer.in - 1) == layer.name + ".weight");
      CHECK(layout.tensor_at(layer.bias + layer.out - 1) == layer.name + ".bias");
    }
    CHECK(std::set<int>(owners.begin(), owners.end()).count(2) == 0);
    CHECK(claimed == layout.parameters);
    // The gaps stay below one boundary a tensor.
    CHECK(layout.size - layout.parameters <= 2 * 16 * static_cast<std::int64_t>(layout.layers().size()));
    for (const Initialization init : {Initialization::torch, Initialization::glorot}) {
      const std::vector<float> arena = initialized(layout, init, 1);
      for (std::size_t i = 0; i < arena.size(); ++i) {
        if (owners[i] == 0) REQUIRE(arena[i] == 0.0f);
      }
    }
  }
}

TEST_CASE("impossible sizes are refused", "[layout]") {
  CHECK_THROWS_AS(make_layout(model_of(0, {4}, 2)), ConfigError);
  CHECK_THROWS_AS(make_layout(model_of(4, {0}, 2)), ConfigError);
  CHECK_THROWS_AS(make_layout(model_of(4, {4}, 0)), ConfigError);
  CHECK_THROWS_AS(make_layout(model_of(4, {-3}, 2)), ConfigError);
  CHECK_THROWS_AS(make_layout(model_of(std::int64_t{1} << 30, {std::int64_t{1} << 30}, 2)), ConfigError);
  CHECK_THROWS_AS(make_layout(model_of(4, {4}, std::int64_t{1} << 62)), ConfigError);
  CHECK_THROWS_AS(make_layout(model_of(4, {4}, INT64_MAX)), ConfigError);
}

TEST_CASE("torch's initialization is uniform within 1/sqrt(in)", "[layout]") {
  const ParameterLayout layout = make_layout(model_of(300, {200}, 64));
  const std::vector<float> arena = initialized(layout, Initialization::torch, 5);
  for (const Layer& layer : layout.layers()) {
    INFO(layer.name);
    const double bound = 1.0 / std::sqrt(static_cast<double>(layer.in));
    check_uniform(moments_of(arena, layer.weight, layer.out * layer.in), bound, layer.out * layer.in);
    check_uniform(moments_of(arena, layer.bias, layer.out), bound, layer.out);
  }
}

TEST_CASE("Glorot's initialization is uniform within sqrt(6/(in+out)), biases zero", "[layout]") {
  const ParameterLayout layout = make_layout(model_of(300, {200}, 64));
  const std::vector<float> arena = initialized(layout, Initialization::glorot, 5);
  for (const Layer& layer : layout.layers()) {
    INFO(layer.name);
    const double bound = std::sqrt(6.0 / static_cast<double>(layer.in + layer.out));
    check_uniform(moments_of(arena, layer.weight, layer.out * layer.in), bound, layer.out * layer.in);
    CHECK(moments_of(arena, layer.bias, layer.out).largest == 0.0);
  }
}

TEST_CASE("fresh parameters are a function of the seed alone", "[layout]") {
  const ParameterLayout layout = make_layout(model_of(30, {20}, 4));
  const std::vector<float> a = initialized(layout, Initialization::torch, 5);
  CHECK(initialized(layout, Initialization::torch, 5) == a);
  CHECK(initialized(layout, Initialization::torch, 6) != a);
  CHECK(initialized(layout, Initialization::torch, 5 + (std::uint64_t{1} << 32)) != a);
  // Two tensors of one shape do not share their numbers.
  const ParameterLayout square = make_layout(model_of(8, {8, 8}, 8));
  const std::vector<float> b = initialized(square, Initialization::torch, 5);
  const auto tensor = [&](const Layer& layer) {
    return std::vector<float>(b.begin() + layer.weight, b.begin() + layer.weight + 64);
  };
  CHECK(tensor(square.network("encoder").hidden[0]) != tensor(square.network("encoder").hidden[1]));
  CHECK(tensor(square.network("encoder").hidden[0]) != tensor(square.network("decoder").hidden[1]));
}

TEST_CASE("codebooks lie behind all layers", "[layout][codebook]") {
  ModelConfig model = model_of(784, {400}, 24);
  model.latent = LatentKind::deterministic;
  const ParameterLayout plain = make_layout(model);
  model.latent = LatentKind::vq;
  model.codebooks = 8;
  model.codebook_size = 100;
  const ParameterLayout layout = make_layout(model);
  const CodebookParameters book = codebook_of(layout);
  CHECK(plain.latent().tensors.empty());
  CHECK(book.groups == 8);
  CHECK(book.size == 100);
  CHECK(book.width == 3);
  CHECK(book.codes == plain.size);
  CHECK(book.codes % 16 == 0);
  CHECK(layout.size == plain.size + 2400);
  CHECK(layout.parameters == plain.parameters + 2400);
  CHECK(layout.network("encoder").top.out == 24);
  CHECK(layout.tensor_at(book.codes - 1) != "codebook");
  CHECK(layout.tensor_at(book.codes) == "codebook");
  CHECK(layout.tensor_at(book.codes + 2399) == "codebook");
  CHECK(layout.tensor_at(layout.network("decoder").top.weight) == "output.weight");
  for (const Initialization init : {Initialization::torch, Initialization::glorot}) {
    const std::vector<float> arena = initialized(layout, init, 7);
    check_uniform(moments_of(arena, book.codes, 2400), 0.01, 2400);
    // The layers' parameters are those of the model without codebooks.
    const std::vector<float> without = initialized(plain, init, 7);
    CHECK(std::memcmp(arena.data(), without.data(), without.size() * sizeof(float)) == 0);
  }
  model.codebooks = 5;
  CHECK_THROWS_AS(make_layout(model), ConfigError);
  model.codebooks = 0;
  CHECK_THROWS_AS(make_layout(model), ConfigError);
  model.codebooks = 24;
  model.codebook_size = std::int64_t{1} << 38;
  CHECK_THROWS_AS(make_layout(model), ConfigError);
}

TEST_CASE("what sigma and latent are decides the ends of the network", "[layout]") {
  ModelConfig model = model_of(13, {7, 5}, 2);
  const ParameterLayout plain = make_layout(model);
  CHECK(plain.network("encoder").top.out == 4);
  CHECK(plain.network("decoder").top.out == 13);
  CHECK(plain.log_sigma == -1);
  model.latent = LatentKind::deterministic;
  CHECK(make_layout(model).network("encoder").top.out == 2);
  model.likelihood = Likelihood::gaussian;
  model.sigma_source = SigmaSource::head;
  CHECK(make_layout(model).network("decoder").top.out == 26);
  model.sigma_source = SigmaSource::learned;
  model.sigma = 0.25;
  const ParameterLayout learned = make_layout(model);
  CHECK(learned.network("decoder").top.out == 13);
  REQUIRE(learned.log_sigma % 16 == 0);
  CHECK(learned.size == learned.log_sigma + 16);
  CHECK(learned.parameters == plain.parameters - 5 * 2 - 2 + 1);
  CHECK(learned.tensor_at(learned.log_sigma) == "likelihood.log_sigma");
  std::vector<float> arena(static_cast<std::size_t>(learned.size));
  initialize_parameters(learned, model, 3, arena.data());
  CHECK(arena[static_cast<std::size_t>(learned.log_sigma)] == static_cast<float>(std::log(0.25)));
}

TEST_CASE("the output's bias starts where it is asked to", "[layout]") {
  ModelConfig model = model_of(4, {}, 2);
  model.likelihood = Likelihood::gaussian;
  model.sigma_source = SigmaSource::head;
  const ParameterLayout layout = make_layout(model);
  const std::vector<double> means = {0.25, -3.0, 0.5, 7.0};
  const auto bias_of = [&](OutputBias start, Likelihood likelihood) {
    model.output_bias = start;
    model.likelihood = likelihood;
    std::vector<float> arena(static_cast<std::size_t>(layout.size));
    initialize_parameters(layout, model, 3, arena.data());
    initialize_output_bias(layout, model, means, arena.data());
    const auto first = arena.begin() + layout.network("decoder").top.bias;
    return std::vector<float>(first, first + layout.network("decoder").top.out);
  };
  const std::vector<float> drawn = bias_of(OutputBias::init, Likelihood::gaussian);
  CHECK(drawn[0] != 0.0f);
  CHECK(bias_of(OutputBias::zero, Likelihood::gaussian) == std::vector<float>(8, 0.0f));
  for (const Likelihood likelihood : {Likelihood::gaussian, Likelihood::laplace}) {
    const std::vector<float> mean = bias_of(OutputBias::data_mean, likelihood);
    CHECK(std::vector<float>(mean.begin(), mean.begin() + 4) == std::vector<float>{0.25f, -3.0f, 0.5f, 7.0f});
    // The other half is for sigma.
    CHECK(std::vector<float>(mean.begin() + 4, mean.end()) ==
          std::vector<float>(drawn.begin() + 4, drawn.end()));
  }
  const std::vector<float> logits = bias_of(OutputBias::data_mean, Likelihood::bernoulli);
  CHECK(static_cast<double>(logits[0]) == Approx(std::log(1.0 / 3.0)));
  CHECK(static_cast<double>(logits[1]) == Approx(-std::log(999.0)));
  CHECK(logits[2] == 0.0f);
  CHECK(static_cast<double>(logits[3]) == Approx(std::log(999.0)));
}
