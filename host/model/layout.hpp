// The parameters of a model: which tensors there are, their names, and where each lies in the flat arena.
#pragma once

#include <cstdint>
#include <span>
#include <string>
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

/// G codebooks of M codes, (G·M, L) row-major, as an offset in floats into the parameter arena.
struct Codebook {
  std::int64_t groups = 0;  ///< G; 0: the model has none
  std::int64_t size = 0;    ///< M
  std::int64_t width = 0;   ///< L = Z/G
  std::int64_t codes = 0;
  [[nodiscard]] std::int64_t elements() const { return groups * size * width; }
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
  std::vector<Layer> encoder;   ///< hidden layers
  Layer head;                   ///< (2Z, H): rows 0..Z-1 give mu, the rest logvar; else (Z, H)
  std::vector<Layer> decoder;   ///< hidden layers
  Codebook codebook;            ///< vq latent
  Layer output;                 ///< (D, H); σ from the decoder: (2D, H), means, then raw log σ
  std::int64_t log_sigma = -1;  ///< learned σ: the offset of "likelihood.log_sigma" (1); −1: there is none
  std::int64_t size = 0;        ///< floats in the arena, gaps included
  std::int64_t parameters = 0;  ///< numbers that are learned

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
