// A small model with parameters by a seed, rows for it, and its network in doubles.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda::test {

/// 7 columns, 5 hidden units, 3 latents.
[[nodiscard]] ModelFile small_model(Likelihood likelihood = Likelihood::gaussian);
/// Parameters by the seed for what `file.model` now is.
void initialize(ModelFile& file, std::uint64_t seed = 5);
/// Saves the model and loads it on the CPU: the way that a user comes by a Vae.
[[nodiscard]] Vae open_model(const ModelFile& file, std::int64_t batch_size = 0, std::int64_t threads = 1);

/// Values in [0, 1), no two rows alike.
[[nodiscard]] std::vector<float> some_rows(std::int64_t rows, std::int64_t columns);
[[nodiscard]] std::vector<float> slice(const std::vector<float>& values, std::int64_t row, std::int64_t count,
                                       std::int64_t columns);
[[nodiscard]] bool same_bits(const std::vector<float>& a, const std::vector<float>& b);
[[nodiscard]] double mean_of(const std::vector<float>& values);
/// Element by element |actual − expected| ≤ tolerance · (1 + |expected|).
void check_near(std::span<const float> actual, const std::vector<double>& expected, double tolerance = 2e-6);

/// Encoder and decoder of a small model in doubles, straight from the tensors: no code of the product but
/// their places.
class NetworkInDoubles {
 public:
  explicit NetworkInDoubles(const ModelFile& file) : tensors_(tensors_of(file)) {}
  [[nodiscard]] std::vector<double> head(const std::vector<double>& x) const;
  [[nodiscard]] std::vector<double> output(const std::vector<double>& z) const;

 private:
  [[nodiscard]] std::vector<double> linear(const std::string& name, const std::vector<double>& x) const;

  std::vector<ModelTensor> tensors_;
};

}  // namespace vaecuda::test
