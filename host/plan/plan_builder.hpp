// A plan under construction: the pieces that the training step and the inference passes share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/model/layout.hpp"
#include "host/plan/builder.hpp"
#include "host/plan/plan.hpp"

namespace vaecuda {

/// Adds buffers and ops in reading order; finish() checks the plan.
class PlanBuilder {
 public:
  /// `layout` must outlive the builder.
  PlanBuilder(const ParameterLayout& layout, const ModelConfig& model, std::string name, std::int64_t batch);

  /// What the forward pass of one hidden layer leaves for the backward pass.
  struct Hidden {
    View in;
    View out;
    View saved;
  };
  /// A stack of hidden layers and the linear layer on top of it.
  struct Network {
    std::vector<Hidden> hidden;
    View in;   ///< of the layer on top
    View out;  ///< of the layer on top
  };

  /// (rows, cols).
  [[nodiscard]] View activation(const std::string& name, std::int64_t rows, std::int64_t cols);
  /// (B, cols).
  [[nodiscard]] View activation(const std::string& name, std::int64_t cols) {
    return activation(name, plan_.batch, cols);
  }
  [[nodiscard]] View exchange(const std::string& name, std::int64_t rows, std::int64_t cols);
  /// (1, values); invalid where there are none.
  [[nodiscard]] View constant(const std::string& name, const std::vector<float>& values);

  /// Prepared rows; with conditions they are the first columns of what the encoder reads, and the decoder's
  /// condition lies ready unless nothing is decoded (`samples` 0).
  [[nodiscard]] View gather(const Preparation& preparation, DataShape data, RowOrder order,
                            std::uint64_t seed, std::int64_t samples = 1);
  /// Where the codes (rows,Z) go: with conditions the first columns of what the decoder reads.
  [[nodiscard]] View code(std::int64_t rows);
  /// The decoder's condition from "rows.condition", where the model has one: for passes without data.
  void load_condition(std::int64_t rows);
  /// The encoder: hidden layers and head. `keep` where a backward pass will need the pre-activations.
  [[nodiscard]] Network encoder(View x, bool keep);
  /// The decoder: hidden layers and output.
  [[nodiscard]] Network decoder(View z, bool keep);
  /// What the head becomes: the codes, and what their distribution costs.
  struct Latent {
    View z;          ///< (B·K,Z)
    View kl;         ///< (B,1); invalid: the code has no distribution
    View codes;      ///< (B,G): of a quantized latent
    View error;      ///< (B,1): of a quantized latent, ‖head − z‖²
    View log_ratio;  ///< (B·K,1), where it was asked for
  };
  /// `samples` of each row, K. `weighted`: their log-ratios too.
  Latent latent(View head, std::uint64_t seed, math::RandomPurpose purpose, std::int64_t samples,
                bool weighted = false);
  /// The bound that the samples give together (Burda et al.); `training`: with the weights that its gradient
  /// needs.
  ImportanceWeights importance_weights(View nll, View log_ratio, bool training);
  /// What the loss has in the place of the KL.
  LatentKl latent_kl(View head, math::KlTermKind kind, double free_bits);
  /// The one code that stands for a row: z = mu.
  View latent_mean(View head);
  /// −log p(x|z) of x (B,D) under the decoder's output (B·K,D), with its gradient in the place of `output`
  /// where a scale for it is given.
  LikelihoodForwardBackward likelihood(View output, View x, std::optional<float> gradient_scale = {});
  /// Gives the gradient by the head. `latent` is that of the forward pass of a training step.
  /// `kl_slope` and `weights` as in the op.
  View latent_backward(const Latent& latent, View head, View dz, std::uint64_t seed, float gradient_scale,
                       View kl_slope = {}, View weights = {});
  /// The same of a quantized latent; `commitment` is twice its weight times the gradient's scale.
  View quantize_backward(const Latent& latent, View head, View dz, float commitment);
  /// Quantized latent: moves the codebook by the optimizer's rule; gives the perplexities (G,1).
  View move_codes(const Latent& latent, View head, const OptimizerConfig& optimizer, std::uint64_t seed);
  /// Vectors (B,Z) of codes drawn alike from each codebook.
  View sample_codes(std::uint64_t seed);
  /// Deterministic code: its mean square per row. `dz` may be invalid.
  View latent_penalty(View z, View dz, float gradient_scale);

  /// The gradients of the likelihood's own parameters, where it has any: before the update.
  void likelihood_backward(const LikelihoodForwardBackward& likelihood);

  /// Back through the decoder from the gradient by its output; gives the gradient by z.
  View decoder_backward(const Network& network, View d);
  /// Back through the encoder from the gradient by its head.
  void encoder_backward(const Network& network, View d);

  /// Decoder and mean of p(x|z), stored as "rows.mean".
  void observation_mean(View z, std::int64_t rows);
  void store(View batch, const std::string& name, std::int64_t rows);

  template <typename O>
  void add(const O& op) {
    plan_.ops.emplace_back(op);
  }

  /// A training step, as it stands.
  [[nodiscard]] Plan finish();
  /// A pass without training, which moves on to the next rows.
  [[nodiscard]] Plan finish_inference();

 private:
  Latent quantize(View head);
  [[nodiscard]] CodebookParameters codebook() const;
  /// `out`: where the top layer's result goes; invalid: a buffer of its own.
  Network network(const std::vector<Layer>& layers, const Layer& top, View in, const std::string& name,
                  bool keep, View out = {});
  /// A matrix whose rows begin on 16 bytes: a condition of any width stands behind the values.
  [[nodiscard]] View aligned(const std::string& name, std::int64_t rows, std::int64_t cols);
  /// From the gradient by the top layer's output to that by the input of the lowest layer, which is called
  /// `input_name`; an empty name: the input is the data, whose gradient nobody wants.
  View backward(const std::vector<Layer>& layers, const Layer& top, const Network& network, View d,
                const std::string& input_name);

  const ParameterLayout& layout_;
  math::ActivationKind activation_;
  math::LikelihoodParameters likelihood_;
  LatentKind latent_;
  math::ScaleHead scale_head_;
  std::int64_t data_dim_;
  std::int64_t latent_dim_;
  std::int64_t condition_dim_;
  View encoder_in_;  ///< [x | c]; invalid without conditions
  View decoder_in_;  ///< [z | c]
  Plan plan_;
};

}  // namespace vaecuda
