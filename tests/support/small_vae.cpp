#include "support/small_vae.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace vaecuda::test {
namespace {

std::vector<double> relu(std::vector<double> x) {
  for (double& v : x) v = std::max(v, 0.0);
  return x;
}

}  // namespace

ModelFile small_model(Likelihood likelihood) {
  ModelFile file;
  file.model.input_dim = 7;
  file.model.hidden = {5};
  file.model.latent_dim = 3;
  file.model.likelihood = likelihood;
  file.seed = 11;
  initialize(file);
  return file;
}

void initialize(ModelFile& file, std::uint64_t seed) {
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.assign(static_cast<std::size_t>(layout.size), 0.0f);
  initialize_parameters(layout, file.model, seed, file.parameters.data());
}

Vae open_model(const ModelFile& file, std::int64_t batch_size, std::int64_t threads) {
  const TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  save_model(path, file);
  RunOn on;
  on.device = "cpu";
  on.threads = threads;
  on.batch_size = batch_size;
  return Vae::load(path, on);
}

std::vector<float> some_rows(std::int64_t rows, std::int64_t columns) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    values.push_back(static_cast<float>((i * 7919 + 13) % 1009) / 1009.0f);
  }
  return values;
}

std::vector<float> slice(const std::vector<float>& values, std::int64_t row, std::int64_t count,
                         std::int64_t columns) {
  return {values.begin() + row * columns, values.begin() + (row + count) * columns};
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

double mean_of(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void check_near(std::span<const float> actual, const std::vector<double>& expected, double tolerance) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("element " << i);
    CHECK(std::fabs(static_cast<double>(actual[i]) - expected[i]) <=
          tolerance * (1.0 + std::fabs(expected[i])));
  }
}

std::vector<double> NetworkInDoubles::linear(const std::string& name, const std::vector<double>& x) const {
  const auto find = [&](const std::string& tensor) {
    for (const ModelTensor& t : tensors_) {
      if (t.name == name + tensor) return t;
    }
    throw std::runtime_error("no tensor " + name + tensor);
  };
  const ModelTensor weight = find(".weight");
  const ModelTensor bias = find(".bias");
  std::vector<double> y(bias.values.begin(), bias.values.end());
  for (std::size_t o = 0; o < y.size(); ++o) {
    for (std::size_t i = 0; i < x.size(); ++i)
      y[o] += static_cast<double>(weight.values[o * x.size() + i]) * x[i];
  }
  return y;
}

std::vector<double> NetworkInDoubles::head(const std::vector<double>& x) const {
  return linear("head", relu(linear("encoder.0", x)));
}

std::vector<double> NetworkInDoubles::output(const std::vector<double>& z) const {
  return linear("output", relu(linear("decoder.0", z)));
}

}  // namespace vaecuda::test
