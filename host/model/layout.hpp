// The parameters of a model: which tensors there are, their names, and where each lies in the flat arena.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaecuda/config.hpp"

namespace vaecuda {

/// One linear layer: W (out, in) row-major and b (out), as offsets in floats into the parameter arena.
struct Layer {
  std::string name;  ///< "encoder.0": its tensors are name.weight and name.bias
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t weight = 0;
  std::int64_t bias = 0;
};

/// A stack of hidden layers and the linear layer on top of it.
struct NetworkLayout {
  std::string name;
  std::vector<Layer> hidden;
  Layer top;
};

/// A tensor that belongs to a latent.
struct LatentTensor {
  std::string name;
  std::vector<std::int64_t> sizes;  ///< in files all but the last are one
  std::int64_t offset = 0;
  std::int64_t count = 0;
  double bound = 0.0;  ///< fresh ones are drawn from U(−bound, bound)
};

/// A latent between the networks (host/latents/latent.hpp).
struct LatentLayout {
  LatentKind kind{};
  std::int64_t columns = 0;  ///< Z
  std::vector<LatentTensor> tensors;
};

/// How a training step changes a part of the arena.
enum class UpdateRule {
  adam,            ///< by its gradient
  moving_average,  ///< codes that follow the rows that they stand for; their sums are kept in Adam's moments
};

/// A part of the arena, with the gaps in it.
struct Region {
  std::int64_t offset = 0;
  std::int64_t count = 0;
  UpdateRule rule = UpdateRule::adam;
};

/// One named tensor of the arena.
struct ParameterTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t offset = 0;
  std::int64_t count = 0;
};

/// Every parameter of an MLP VAE (with a condition of C numbers, the first layers of encoder and decoder have
/// D + C and Z + C columns, the last C for the condition) in one flat buffer; gradients and Adam's moments
/// have the same layout. Each tensor starts on a 64-byte boundary; the gaps hold zeros for ever.
struct ParameterLayout {
  /// In the order of the forward pass. "encoder", whose top layer "head" gives what the latent's kind asks
  /// for: (2Z, H), rows 0..Z-1 mu and the rest logvar, or (Z, H). "decoder", whose top layer is "output" (D,
  /// H); σ from the decoder: (2D, H), means, then raw log σ; of counts likewise rates, log θ, zero logits.
  std::vector<NetworkLayout> networks;
  std::vector<LatentLayout> latents;
  std::int64_t log_sigma = -1;  ///< learned σ: the offset of "likelihood.log_sigma" (1); −1: there is none
  /// The offset of "likelihood.log_dispersion" (1) or (D); −1: there is none.
  std::int64_t log_dispersion = -1;
  std::int64_t dispersions = 0;  ///< numbers in it
  std::int64_t size = 0;         ///< floats in the arena, gaps included
  std::int64_t parameters = 0;   ///< numbers that are learned

  /// \throws std::logic_error if there is none of that name (a mistake of the caller)
  [[nodiscard]] const NetworkLayout& network(std::string_view name) const;
  /// The one that the decoder reads. \throws std::logic_error unless there is exactly one
  [[nodiscard]] const LatentLayout& latent() const;
  /// Gives a latent a tensor behind all others. \throws ConfigError where the arena exceeds 2^40 floats
  void place(LatentLayout& latent, std::string name, std::vector<std::int64_t> sizes, double bound);
  /// All layers in the order of the forward pass.
  [[nodiscard]] std::vector<Layer> layers() const;
  /// All tensors in the order of the arena.
  [[nodiscard]] std::vector<ParameterTensor> tensors() const;
  /// The whole arena in order, cut where the rule changes.
  [[nodiscard]] std::vector<Region> regions(const OptimizerConfig& optimizer) const;
  /// The name of the tensor that holds arena element `offset`.
  [[nodiscard]] std::string tensor_at(std::int64_t offset) const;
};

/// \throws ConfigError if a size is not positive or the arena exceeds 2^40 floats.
[[nodiscard]] ParameterLayout make_layout(const ModelConfig& model);

/// Fills `arena` (layout.size floats) with fresh parameters: a pure function of init, seed and, for a learned
/// σ, of what it starts from.
void initialize_parameters(const ParameterLayout& layout, const ModelConfig& model, std::uint64_t seed,
                           float* arena);

/// Sets the bias of the output layer as model.output_bias says. `means` (D): those of the prepared training
/// rows; a Bernoulli mean is taken into [0.001, 0.999] before its logit.
void initialize_output_bias(const ParameterLayout& layout, const ModelConfig& model,
                            std::span<const double> means, float* arena);

}  // namespace vaecuda
