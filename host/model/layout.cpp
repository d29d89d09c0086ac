#include "host/model/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "host/config/likelihood_traits.hpp"
#include "host/latents/latent.hpp"
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

}  // namespace

const NetworkLayout& ParameterLayout::network(std::string_view name) const {
  for (const NetworkLayout& one : networks) {
    if (one.name == name) return one;
  }
  throw std::logic_error(fmt::format("a model without a network called {}", name));
}

const LatentLayout& ParameterLayout::latent() const {
  if (latents.size() != 1) throw std::logic_error("one latent expected");
  return latents.front();
}

void ParameterLayout::place(LatentLayout& latent, std::string name, std::vector<std::int64_t> sizes,
                            double bound) {
  std::int64_t count = 1;
  for (const std::int64_t n : sizes) {
    if (n > (kLargest - size) / count) throw ConfigError("the model has more than 2^40 parameters");
    count *= n;
  }
  latent.tensors.push_back(
      {.name = std::move(name), .sizes = std::move(sizes), .offset = size, .count = count, .bound = bound});
  parameters += count;
  size = align(size + count);
}

std::vector<Layer> ParameterLayout::layers() const {
  std::vector<Layer> all;
  for (const NetworkLayout& network : networks) {
    all.insert(all.end(), network.hidden.begin(), network.hidden.end());
    all.push_back(network.top);
  }
  return all;
}

std::vector<ParameterTensor> ParameterLayout::tensors() const {
  std::vector<ParameterTensor> all;
  for (const Layer& layer : layers()) {
    all.push_back({layer.name + ".weight", {layer.out, layer.in}, layer.weight, layer.out * layer.in});
    all.push_back({layer.name + ".bias", {layer.out}, layer.bias, layer.out});
  }
  if (log_sigma >= 0) all.push_back({"likelihood.log_sigma", {1}, log_sigma, 1});
  if (log_dispersion >= 0)
    all.push_back({"likelihood.log_dispersion", {dispersions}, log_dispersion, dispersions});
  for (const LatentLayout& latent : latents) {
    for (const LatentTensor& tensor : latent.tensors) {
      const std::int64_t columns = tensor.sizes.back();
      all.push_back({tensor.name, {tensor.count / columns, columns}, tensor.offset, tensor.count});
    }
  }
  return all;
}

std::vector<Region> ParameterLayout::regions(const OptimizerConfig& optimizer) const {
  std::vector<Region> all;
  const auto add = [&all](std::int64_t begin, std::int64_t end, UpdateRule rule) {
    if (begin == end) return;
    if (!all.empty() && all.back().rule == rule) {
      all.back().count += end - begin;
    } else {
      all.push_back({begin, end - begin, rule});
    }
  };
  std::int64_t done = 0;
  for (const LatentLayout& latent : latents) {
    const UpdateRule rule = latent_of(latent.kind).rule(optimizer);
    for (const LatentTensor& tensor : latent.tensors) {
      add(done, tensor.offset, UpdateRule::adam);
      done = align(tensor.offset + tensor.count);
      add(tensor.offset, done, rule);
    }
  }
  add(done, size, UpdateRule::adam);
  return all;
}

std::string ParameterLayout::tensor_at(std::int64_t offset) const {
  for (const ParameterTensor& tensor : tensors()) {
    if (offset >= tensor.offset && offset < tensor.offset + tensor.count) return tensor.name;
  }
  return fmt::format("element {} of the parameters", offset);
}

ParameterLayout make_layout(const ModelConfig& model) {
  if (model.latent_dim < 1 || model.latent_dim > kLargest) {
    throw ConfigError(
        fmt::format("a latent of {} dimensions: it must have from 1 to 2^40", model.latent_dim));
  }
  ParameterLayout layout;
  const Latent& kind = latent_of(model.latent);
  const auto add_network = [&layout](std::string name, std::int64_t width, auto hidden_begin, auto hidden_end,
                                     std::string top, std::int64_t out) {
    NetworkLayout network;
    network.name = std::move(name);
    for (auto at = hidden_begin; at != hidden_end; ++at) {
      network.hidden.push_back({fmt::format("{}.{}", network.name, network.hidden.size()), width, *at});
      width = *at;
      place(network.hidden.back(), layout);
    }
    network.top = {std::move(top), width, out};
    place(network.top, layout);
    layout.networks.push_back(std::move(network));
  };
  add_network("encoder", model.input_dim + model.condition_dim, model.hidden.begin(), model.hidden.end(),
              "head", kind.head_columns(model.latent_dim));
  add_network("decoder", model.latent_dim + model.condition_dim, model.hidden.rbegin(), model.hidden.rend(),
              "output", output_planes(model) * model.input_dim);
  if (model.sigma_source == SigmaSource::learned) {
    layout.log_sigma = layout.size;
    layout.size = align(layout.size + 1);
    ++layout.parameters;
  }
  layout.dispersions = dispersion_parameters(model);
  if (layout.dispersions > 0) {
    layout.log_dispersion = layout.size;
    layout.size = align(layout.size + layout.dispersions);
    layout.parameters += layout.dispersions;
  }
  LatentLayout latent{model.latent, model.latent_dim, {}};
  kind.place(model, layout, latent);
  layout.latents.push_back(std::move(latent));
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
  for (const LatentLayout& latent : layout.latents) {
    for (const LatentTensor& one : latent.tensors) fill(one.offset, one.count, one.bound);
  }
  if (layout.log_sigma >= 0) arena[layout.log_sigma] = static_cast<float>(std::log(model.sigma));
}

void initialize_output_bias(const ParameterLayout& layout, const ModelConfig& model,
                            std::span<const double> means, float* arena) {
  if (model.output_bias == OutputBias::init) return;
  const Layer& output = layout.network("decoder").top;
  float* bias = arena + output.bias;
  if (model.output_bias == OutputBias::zero) {
    std::fill_n(bias, output.out, 0.0f);
    return;
  }
  // Raw log σ of a decoder that gives it keep what --init drew; log θ and zero logits as well.
  math::with_element_likelihood(kind_of(model.likelihood), [&](auto likelihood) {
    for (std::size_t i = 0; i < means.size(); ++i) {
      const bool is_share = likelihood.kDomain == math::ValueDomain::unit;
      bias[i] =
          static_cast<float>(likelihood.output_of(is_share ? std::clamp(means[i], 0.001, 0.999) : means[i]));
    }
  });
  if (traits_of(model.likelihood).domain != ValueDomain::count) return;
  const double sum = std::accumulate(means.begin(), means.end(), 0.0);
  const double exposure = rates_have_row_sum(model) && sum > 0.0 ? sum : 1.0;
  const bool is_share = rates_are_shares(model);
  const double least = 0.001 / static_cast<double>(means.size());  // of a column that was always 0
  for (std::size_t i = 0; i < means.size(); ++i) {
    const double rate = std::max(means[i] / exposure, least);
    bias[i] = static_cast<float>(is_share ? std::log(rate) : std::log(std::expm1(rate)));
  }
}

}  // namespace vaecuda
