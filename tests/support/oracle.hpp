// The oracle: every op of a VAE, and a whole training step, as straightforward loops in double precision,
// written from the formulas of the literature. It shares nothing with the product: no header of host/ or
// kernels/ may be included here.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace vaecuda::oracle {

/// A dense matrix, row-major.
struct Matrix {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<double> values;
  Matrix() = default;
  Matrix(std::int64_t r, std::int64_t c) : rows(r), cols(c), values(static_cast<std::size_t>(r * c)) {}
  double& at(std::int64_t r, std::int64_t c) { return values[static_cast<std::size_t>(r * cols + c)]; }
  [[nodiscard]] double at(std::int64_t r, std::int64_t c) const {
    return values[static_cast<std::size_t>(r * cols + c)];
  }
};

[[nodiscard]] Matrix from_floats(const std::vector<float>& values, std::int64_t rows, std::int64_t cols);

/// A result and, element by element, the size of the terms that make it: what a rounding error is measured
/// against.
struct Graded {
  Matrix value;
  Matrix magnitude;
  Graded() = default;
  Graded(std::int64_t r, std::int64_t c) : value(r, c), magnitude(r, c) {}
};

enum class Act { identity, relu, tanh, leaky_relu, gelu, gelu_tanh, silu };
enum class Lik { bernoulli, gaussian, laplace };
/// Where the deviation comes from: the last is log σ = 5·tanh(raw / 5), raw behind the means.
enum class SigmaFrom { constant, parameter, output };

[[nodiscard]] double activate(Act act, double a);
/// E[x | output o].
[[nodiscard]] double observation_mean(Lik lik, double o);
/// Derivative by the pre-activation a.
[[nodiscard]] double activation_slope(Act act, double a);

/// Pre-activations x·Wᵀ + b.
[[nodiscard]] Graded linear(const Matrix& x, const Matrix& weight, const std::vector<double>& bias);
[[nodiscard]] Graded activate(Act act, const Graded& pre);

struct LinearGradients {
  Graded weight;
  Graded bias;  ///< (1,out)
  Graded dx;    ///< by the input's pre-activation
};
/// `pre` (B,in): pre-activations of the layer that made `in`; ignored for identity.
[[nodiscard]] LinearGradients linear_backward(const Matrix& d, const Matrix& in, const Matrix& weight,
                                              Act act, const Matrix& pre);

struct LatentResult {
  Graded z;
  Graded kl;         ///< (B,1)
  Graded log_ratio;  ///< (B·K,1): log q(z|x) − log p(z)
};
/// What the right half of the head holds.
enum class Scale { logvar, logsigma };
/// head (B,2Z), epsilon (B·K,Z): row b·K + k is sample k of row b. z likewise.
[[nodiscard]] LatentResult latent_forward(const Matrix& head, const Matrix& epsilon,
                                          Scale scale = Scale::logvar);
[[nodiscard]] Graded latent_backward(const Matrix& head, const Matrix& dz, const Matrix& epsilon,
                                     double kl_weight, Scale scale = Scale::logvar);

/// Per latent, over the rows: the means of the KL.
[[nodiscard]] Graded latent_kl(const Matrix& head, Scale scale);
/// The gradient of Σ_j slope_j · (mean KL of latent j) · weight, and of the samples' part through z.
[[nodiscard]] Graded latent_backward(const Matrix& head, const Matrix& dz, const Matrix& epsilon,
                                     double kl_weight, Scale scale, const std::vector<double>& kl_slope);
/// The gradient of the samples' part through z, and of Σ_k weight_k · log_ratio_k.
[[nodiscard]] Graded weighted_latent_backward(const Matrix& head, const Matrix& dz, const Matrix& epsilon,
                                              const Matrix& weights, Scale scale);

struct ImportanceResult {
  Graded loss;            ///< (B,1): −log (1/K Σ w)
  Graded weights;         ///< (B·K,1), their sum over a row 1
  Graded reconstruction;  ///< (B,1): Σ weights · nll
  Graded kl;              ///< (B,1): Σ weights · log_ratio
};
/// nll, log_ratio (B·K,1).
[[nodiscard]] ImportanceResult importance(const Matrix& nll, const Matrix& log_ratio, std::int64_t samples);

struct PenaltyResult {
  Graded penalty;   ///< (B,1)
  Graded gradient;  ///< by z, unscaled
};
/// The mean square of a deterministic code.
[[nodiscard]] PenaltyResult latent_penalty(const Matrix& z);

struct LikelihoodResult {
  Graded nll;             ///< (B·K,1)
  Graded gradient;        ///< by the output, unscaled
  Graded sigma_gradient;  ///< (B·K,1), of the row by log σ
};
/// output (B·K,D), x (B,D). `sigma` is ignored where the output holds it: output is then (B·K,2D).
[[nodiscard]] LikelihoodResult likelihood(Lik lik, SigmaFrom from, double sigma, const Matrix& output,
                                          const Matrix& x);

/// Philox4x32-10 as in Salmon et al. 2011.
struct Block {
  std::uint32_t word[4];
};
[[nodiscard]] Block philox4x32(Block counter, std::uint32_t key0, std::uint32_t key1);

/// The documented table: counter = {column / 4, purpose, subsequence}, key = seed; word = column mod 4.
[[nodiscard]] std::uint32_t random_word(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence,
                                        std::int64_t column);
/// Uniform in (0,1], rounded to single precision as cuRAND's.
[[nodiscard]] double uniform(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence,
                             std::int64_t column);
/// Box and Muller on the words (0,1) and (2,3) of a block, sine first.
[[nodiscard]] double normal(std::uint64_t seed, std::uint32_t purpose, std::uint64_t subsequence,
                            std::int64_t column);
/// (rows, cols) normals; row i draws from subsequence first + i.
[[nodiscard]] Matrix normals(std::uint64_t seed, std::uint32_t purpose, std::uint64_t first,
                             std::int64_t rows, std::int64_t cols);

/// Likelihoods of counts (count_oracle.hpp).
enum class CountMass { poisson, nb, zinb, multinomial };
/// Where log θ comes from: one number, one for each column, or the output, behind the rates.
enum class DispersionFrom { none, scalar, column, output };

struct CountSpec {
  CountMass mass = CountMass::poisson;
  bool is_share = true;    ///< rates are softmax(output), else softplus(output)
  bool of_row_sum = true;  ///< times the row's sum
  DispersionFrom dispersion = DispersionFrom::none;
  [[nodiscard]] std::int64_t planes() const;
};

/// What an encoder reads of a row of counts.
enum class InputView { none, log1p, l2, binarize };
[[nodiscard]] Matrix view_of(InputView view, const Matrix& x);

/// A layer inside a flat vector of parameters.
struct LayerSpec {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t weight = 0;
  std::int64_t bias = 0;
};

/// Codebooks in a flat vector of parameters, (G·M, L) from `codes` on, that quantize a latent of G·L columns.
struct Quantizer {
  std::int64_t groups = 0;  ///< 0: there is none
  std::int64_t size = 0;
  std::int64_t width = 0;
  std::int64_t codes = 0;
  double commitment = 0.25;
  bool codes_learn = false;  ///< the codes have a gradient
};

/// What the straight-through gradient takes for constant: the latent, and the codes' vectors in its place.
struct Frozen {
  Matrix latent;   ///< (B, G·L)
  Matrix codes;    ///< (B, G)
  Matrix vectors;  ///< (B, G·L)
};

struct Network {
  std::vector<LayerSpec> encoder;
  LayerSpec head;
  std::vector<LayerSpec> decoder;
  LayerSpec output;
  Act act = Act::relu;
  Lik lik = Lik::bernoulli;
  bool has_counts = false;  ///< `counts` in the place of `lik`
  CountSpec counts;
  std::int64_t log_dispersion = -1;  ///< of dispersions that are parameters
  InputView view = InputView::none;
  Scale scale = Scale::logvar;
  SigmaFrom sigma_from = SigmaFrom::constant;
  double sigma = 1.0;
  std::int64_t log_sigma = -1;  ///< of SigmaFrom::parameter
  bool deterministic = false;   ///< the head is the code
  Quantizer quantizer;          ///< the head becomes the nearest codes
  double beta = 1.0;  ///< of the KL; deterministic: of the code's mean square; quantizer: of its error
  bool importance_weighted = false;
  double free_bits = 0.0;  ///< 0: none
  double capacity = 0.0;   ///< 0: none
};

struct Objective {
  double loss = 0.0;
  double reconstruction = 0.0;   ///< means over the rows
  double kl = 0.0;               ///< deterministic: the code's mean square
  std::vector<double> gradient;  ///< of the loss, laid out as the parameters
  Frozen frozen;                 ///< quantizer: what the gradient took for constant
};
/// epsilon (B·K,Z). With a quantizer (K = 1) the gradient is that of the loss with `frozen` held constant, at
/// these parameters where null: reconstruction(latent + sg(vectors − latent)) +
/// commitment·‖latent − sg(vectors)‖² [+ ‖sg(latent) − vectors‖²]; kl is the last two over beta.
/// `condition` (B,C): what encoder and decoder are told; no columns where they are told nothing.
[[nodiscard]] Objective objective(const Network& network, const std::vector<double>& parameters,
                                  const Matrix& x, const Matrix& epsilon, const Matrix& condition = {},
                                  const Frozen* frozen = nullptr);

enum class Rate { constant, cosine, exponential, stages };

/// A learning rate by step, from 0.
struct LearningRate {
  Rate kind = Rate::constant;
  double lr = 1e-3;
  double least = 0.0;       ///< cosine: where it ends
  std::int64_t warmup = 0;  ///< cosine: steps of a straight rise before it
  std::int64_t steps = 1;   ///< cosine: of the whole run
  double gamma = 1.0;       ///< exponential: factor at the end of each epoch
  std::int64_t rows = 1;    ///< exponential: of the data set
  std::int64_t batch = 1;
  std::vector<std::pair<std::int64_t, double>> stages;  ///< from this step on, this rate; ascending
  [[nodiscard]] double at(std::int64_t step) const;
};

/// Adam and AdamW as in the papers, with clipping of the global norm before it.
struct Adam {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double decay = 0.0;
  bool decoupled = false;
  double clip_norm = 0.0;
  int t = 0;
  std::vector<double> m;
  std::vector<double> v;
  void step(std::vector<double>& parameters, std::vector<double> gradient);
};

}  // namespace vaecuda::oracle
