#include "host/model/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/config/likelihood_traits.hpp"
#include "kernels/math/philox.h"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::int64_t kAlignment = 16;  // floats: 64 bytes
constexpr std::int64_t kLargest = std::int64_t{1} << 40;

std::int64_t align(std::int64_t v) {
  return (v + kAlignment - 1) / kAlignment * kAlignment;
}

void place(Layer& layer, ParameterLayout& layout) {
  if (layer.in < 1 || layer.out < 1 || layer.out > kLargest / layer.in) {
    throw ConfigError(
        fmt::format("layer {} has the shape {}x{}: sizes must be positive and their product below 2^40",
                    layer.name, layer.out, layer.in));
  }
  layer.weight = align(layout.size);
  layer.bias = align(layer.weight + layer.out * layer.in);
  layout.size = align(layer.bias + layer.out);
  layout.parameters += layer.out * layer.in + layer.out;
  if (layout.size > kLargest) throw ConfigError("the model has more than 2^40 parameters");
}

void place_codebook(const ModelConfig& model, ParameterLayout& layout) {
  Codebook& codebook = layout.codebook;
  codebook = {model.codebooks, model.codebook_size, 0, layout.size};
  if (codebook.groups < 1 || codebook.size < 1 || model.latent_dim % codebook.groups != 0) {
    throw ConfigError(fmt::format(
        "{} codebooks of {} codes for a latent of {} columns: the numbers must be positive, and the first "
        "divide the last",
        codebook.groups, codebook.size, model.latent_dim));
  }
  codebook.width = model.latent_dim / codebook.groups;
  if (codebook.size > (kLargest - layout.size) / model.latent_dim) {
    throw ConfigError("the model has more than 2^40 parameters");
  }
  layout.parameters += codebook.elements();
  layout.size += (codebook.elements() + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

std::vector<Layer> ParameterLayout::layers() const {
  std::vector<Layer> all = encoder;
  all.push_back(head);
  all.insert(all.end(), decoder.begin(), decoder.end());
  all.push_back(output);
  return all;
}

std::vector<ParameterTensor> ParameterLayout::tensors() const {
  std::vector<ParameterTensor> all;
  for (const Layer& layer : layers()) {
    all.push_back({layer.name + ".weight", {layer.out, layer.in}, layer.weight, layer.out * layer.in});
    all.push_back({layer.name + ".bias", {layer.out}, layer.bias, layer.out});
  }
  if (log_sigma >= 0) all.push_back({"likelihood.log_sigma", {1}, log_sigma, 1});
  if (codebook.groups > 0) {
    all.push_back(
        {"codebook", {codebook.groups * codebook.size, codebook.width}, codebook.codes, codebook.elements()});
  }
  return all;
}

std::vector<Region> ParameterLayout::regions(const OptimizerConfig& optimizer) const {
  if (codebook.groups == 0 || optimizer.codebook_update != CodebookUpdate::ema)
    return {{0, size, UpdateRule::adam}};
  const std::int64_t count = align(codebook.elements());
  std::vector<Region> all;
  if (codebook.codes > 0) all.push_back({0, codebook.codes, UpdateRule::adam});
  all.push_back({codebook.codes, count, UpdateRule::moving_average});
  const std::int64_t end = codebook.codes + count;
  if (end < size) all.push_back({end, size - end, UpdateRule::adam});
  return all;
}

std::string ParameterLayout::tensor_at(std::int64_t offset) const {
  for (const ParameterTensor& tensor : tensors()) {
    if (offset >= tensor.offset && offset < tensor.offset + tensor.count) return tensor.name;
  }
  if (offset >= codebook.codes && offset < codebook.codes + codebook.elements()) return "codebook";
  return fmt::format("element {} of the parameters", offset);
}

ParameterLayout make_layout(const ModelConfig& model) {
  if (model.latent_dim < 1 || model.latent_dim > kLargest) {
    throw ConfigError(
        fmt::format("a latent of {} dimensions: it must have from 1 to 2^40", model.latent_dim));
  }
  ParameterLayout layout;
  std::int64_t width = model.input_dim + model.condition_dim;
  for (std::size_t i = 0; i < model.hidden.size(); ++i) {
    layout.encoder.push_back({fmt::format("encoder.{}", i), width, model.hidden[i]});
    width = model.hidden[i];
    place(layout.encoder.back(), layout);
  }
  const bool has_spread = model.latent == LatentKind::gaussian;
  layout.head = {"head", width, (has_spread ? 2 : 1) * model.latent_dim};
  place(layout.head, layout);
  width = model.latent_dim + model.condition_dim;
  for (std::size_t i = 0; i < model.hidden.size(); ++i) {
    const std::int64_t out = model.hidden[model.hidden.size() - 1 - i];
    layout.decoder.push_back({fmt::format("decoder.{}", i), width, out});
    width = out;
    place(layout.decoder.back(), layout);
  }
  layout.output = {"output", width, (model.sigma_source == SigmaSource::head ? 2 : 1) * model.input_dim};
  place(layout.output, layout);
  if (model.sigma_source == SigmaSource::learned) {
    layout.log_sigma = layout.size;
    layout.size = align(layout.size + 1);
    ++layout.parameters;
  }
  if (model.latent == LatentKind::vq) place_codebook(model, layout);
  return layout;
}

void initialize_parameters(const ParameterLayout& layout, const ModelConfig& model, std::uint64_t seed,
                           float* arena) {
  std::fill_n(arena, layout.size, 0.0f);
  std::uint64_t tensor = 0;
  const auto fill = [&](std::int64_t offset, std::int64_t count, double bound) {
    for (std::int64_t i = 0; i < count; i += 4) {
      const math::Philox4 bits = math::philox(
          seed, tensor,
          math::random_block(math::RandomPurpose::initialization, static_cast<std::uint64_t>(i)));
      for (std::int64_t j = 0; j < std::min<std::int64_t>(4, count - i); ++j) {
        const double unit = (static_cast<double>(bits.v[j]) + 0.5) * 0x1p-32;
        arena[offset + i + j] = static_cast<float>((2.0 * unit - 1.0) * bound);
      }
    }
    ++tensor;
  };
  for (const Layer& layer : layout.layers()) {
    const double in = static_cast<double>(layer.in);
    const double out = static_cast<double>(layer.out);
    if (model.init == Initialization::torch) {
      // torch.nn.Linear: kaiming_uniform with a = √5, which is U(−1/√in, 1/√in), for weight and bias alike.
      fill(layer.weight, layer.out * layer.in, 1.0 / std::sqrt(in));
      fill(layer.bias, layer.out, 1.0 / std::sqrt(in));
    } else {
      // Glorot and Bengio 2010, equation 16; biases zero.
      fill(layer.weight, layer.out * layer.in, std::sqrt(6.0 / (in + out)));
      ++tensor;
    }
  }
  if (layout.codebook.groups > 0) {
    fill(layout.codebook.codes, layout.codebook.elements(), 1.0 / static_cast<double>(layout.codebook.size));
  }
  if (layout.log_sigma >= 0) arena[layout.log_sigma] = static_cast<float>(std::log(model.sigma));
}

void initialize_output_bias(const ParameterLayout& layout, const ModelConfig& model,
                            std::span<const double> means, float* arena) {
  if (model.output_bias == OutputBias::init) return;
  float* bias = arena + layout.output.bias;
  if (model.output_bias == OutputBias::zero) {
    std::fill_n(bias, layout.output.out, 0.0f);
    return;
  }
  // Raw log σ of a decoder that gives it keep what --init drew.
  math::with_likelihood(kind_of(model.likelihood), [&](auto likelihood) {
    for (std::size_t i = 0; i < means.size(); ++i) {
      const double mean = likelihood.kUnitTargets ? std::clamp(means[i], 0.001, 0.999) : means[i];
      bias[i] = static_cast<float>(likelihood.output_of(mean));
    }
  });
}

}  // namespace vaecuda
