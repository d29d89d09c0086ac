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

class Latent;

/// Adds buffers and ops in reading order; finish() checks the plan.
class PlanBuilder {
 public:
  /// `layout` and `model` must outlive the builder.
  PlanBuilder(const ParameterLayout& layout, const ModelConfig& model, std::string name, std::int64_t batch);

  [[nodiscard]] const ParameterLayout& layout() const { return layout_; }
  [[nodiscard]] const ModelConfig& model() const { return model_; }
  /// The one that the decoder reads.
  [[nodiscard]] const Latent& latent() const;
  [[nodiscard]] std::int64_t batch() const { return plan_.batch; }  ///< B

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
  /// The encoder: hidden layers and head, of gathered rows and their condition. `keep` where a backward pass
  /// will need the pre-activations.
  [[nodiscard]] Network encoder(View x, bool keep);
  /// The decoder: hidden layers and output, of codes and their condition.
  [[nodiscard]] Network decoder(View z, bool keep);
  /// The bound that the samples give together (Burda et al.); `training`: with the weights that its gradient
  /// needs.
  ImportanceWeights importance_weights(View nll, View log_ratio, bool training);
  /// What a likelihood leaves for the rest of a step.
  struct Reconstruction {
    View nll;                 ///< (B·K,1)
    View gradient;            ///< by the decoder's output; invalid: not asked for
    View parameter_gradient;  ///< (B·K,·) by the likelihood's own parameters, where it has any; or invalid
  };
  /// −log p(x|z) of x (B,D) under the decoder's output (B·K,P·D), with its gradients where a scale for them
  /// is given. That by the output may take the output's place.
  [[nodiscard]] Reconstruction likelihood(View output, View x, std::optional<float> gradient_scale = {});
  /// The gradients of the likelihood's own parameters, where it has any: before the update.
  void likelihood_backward(const Reconstruction& reconstruction);

  /// Back through the decoder from the gradient by its output; gives the gradient by z.
  View decoder_backward(const Network& network, View d);
  /// Back through the encoder from the gradient by its head.
  void encoder_backward(const Network& network, View d);

  /// Decoder and mean of p(x|z), stored as "rows.mean". `x`: the rows that z comes from, whose sums counts
  /// have; invalid: there are none.
  void observation_mean(View z, std::int64_t rows, View x = {});
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
  Reconstruction element_likelihood(View output, View x, std::optional<float> gradient_scale);
  Reconstruction count_likelihood(View output, View x, std::optional<float> gradient_scale);
  /// `out`: where the top layer's result goes; invalid: a buffer of its own.
  Network network(const NetworkLayout& layers, View in, bool keep, View out = {});
  /// [z | c] of so many rows: the same each time.
  [[nodiscard]] View decoder_input(std::int64_t rows);
  /// What a network reads: values alone, or `both`, of which they are the first columns.
  [[nodiscard]] View with_condition(View values, View both) const;
  /// A matrix whose rows begin on 16 bytes: a condition of any width stands behind the values.
  [[nodiscard]] View aligned(const std::string& name, std::int64_t rows, std::int64_t cols);
  /// From the gradient by the top layer's output to that by the input of the lowest layer, which is called
  /// `input_name`; an empty name: the input is the data, whose gradient nobody wants.
  View backward(const NetworkLayout& layers, const Network& network, View d, const std::string& input_name);

  const ParameterLayout& layout_;
  const ModelConfig& model_;
  math::ActivationKind activation_;
  math::LikelihoodParameters likelihood_;
  math::CountParameters counts_;  ///< of a likelihood of counts
  bool has_counts_;
  std::int64_t data_dim_;
  std::int64_t latent_dim_;
  std::int64_t condition_dim_;
  View encoder_in_;  ///< [x | c]; invalid without conditions and without a transform
  View decoder_in_;  ///< [z | c]
  Plan plan_;
};

}  // namespace vaecuda
