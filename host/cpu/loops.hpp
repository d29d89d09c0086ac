// The element-wise loops of the CPU backend. They are compiled for the baseline instruction set, for
// x86-64-v3 (AVX2 and FMA) and for x86-64-v4 (AVX-512); the table is chosen when the backend starts.
// Every function runs on one thread, over contiguous rows, and depends only on its arguments.
#pragma once

#include <cstdint>
#include <vector>

#include "host/cpu/products.hpp"
#include "kernels/math/activation.h"
#include "kernels/math/likelihood.h"
#include "kernels/math/philox.h"
#include "kernels/math/rows.h"

namespace vaecuda::cpu {

/// Which random numbers a row draws.
struct RandomRow {
  std::uint64_t seed;
  std::uint64_t subsequence;
  math::RandomPurpose purpose;
};

/// A matrix in memory: element (r,c) at data[r · stride + c].
template <typename T>
struct Matrix {
  T* data;
  std::int64_t stride;
  [[nodiscard]] VAECUDA_HD T* row(std::int64_t r) const { return data + r * stride; }
};

/// The gradient of one row's head from those of its samples.
struct LatentBackwardRow {
  const float* head;
  Matrix<const float> dz;  ///< (samples, latent_dim)
  float* dhead;
  std::int64_t latent_dim;
  std::int64_t samples;
  RandomRow random;  ///< of the first sample; the others follow it
  float logvar_factor;
  float kl_weight;
  const float* kl_slope;        ///< (latent_dim): factor on kl_weight; null: 1
  Matrix<const float> weights;  ///< (samples, 1): of the log ratios, which replace the KL; null: none
  float weight_scale;           ///< factor on the weights
};

/// One row's samples: log w = −(nll + log_ratio).
struct ImportanceRow {
  Matrix<const float> nll;        ///< (samples, 1)
  Matrix<const float> log_ratio;  ///< (samples, 1)
  Matrix<float> weights;          ///< (samples, 1): w / Σ w; may be null
  std::int64_t samples;
};

struct ImportanceOutcome {
  float loss;            ///< −log (1/K Σ w)
  float reconstruction;  ///< mean of nll under the weights
  float kl;              ///< mean of log_ratio under the weights
};

struct LatentRow {
  float kl;         ///< summed over the latents
  float log_ratio;  ///< log q(z|x) − log p(z)
};

/// The code nearest to a vector, in case of ties the first; code 0 at an infinite distance if no distance is
/// finite.
struct NearestCode {
  std::int64_t code;
  float distance;  ///< squared, summed in the order of columns
};

/// Inputs and outputs of the likelihood of a row.
struct LikelihoodRow {
  const float* output;  ///< n values; σ from the head: 2n, the raw log σ after the means
  const float* x;       ///< n
  float* gradient;      ///< of output's shape, may alias it; null: not computed
  float scale;          ///< of both gradients
  std::int64_t n;
  const float* log_sigma;  ///< learned σ: the parameter
  float* sigma_gradient;   ///< learned σ with a gradient: one value
};

/// Inputs and outputs of the likelihood of a row of counts.
struct CountRow {
  const float* output;  ///< the planes of n values (math::count_planes)
  const float* x;       ///< n
  float* gradient;      ///< of output's shape, apart from it; null: not computed
  float scale;          ///< of all gradients
  std::int64_t n;
  const float* log_dispersion;  ///< parameters: 1 or n; null: none
  float* dispersion_gradient;   ///< of these, with a gradient
};

struct Loops {
  const char* name;
  /// x[i] = (raw[i]·scale − mean[i])·inverse_deviation[i]; the last two may be null together.
  void (*prepare_u8)(const std::uint8_t* raw, float* x, std::int64_t n, float scale, const float* mean,
                     const float* inverse_deviation);
  void (*prepare_f32)(const float* raw, float* x, std::int64_t n, float scale, const float* mean,
                      const float* inverse_deviation);
  /// x[i] = x[i] > ½.
  void (*binarize_threshold)(float* x, std::int64_t n);
  /// x[i] = u ≤ x[i] with u in (0,1] drawn for column i: 1 with probability x[i].
  void (*binarize_stochastic)(float* x, std::int64_t n, const RandomRow& random);
  /// out = activation(out + bias); the sum is stored in `preactivation` unless its data is null.
  void (*bias_activation)(math::ActivationKind kind, Matrix<float> out, const float* bias,
                          Matrix<float> preactivation, std::int64_t rows, std::int64_t cols);
  /// dx *= activation'(saved).
  void (*activation_gradient)(math::ActivationKind kind, Matrix<float> dx, Matrix<const float> saved,
                              std::int64_t rows, std::int64_t cols);
  /// The row's summed NLL; gradient[i] = scale · d nll / d output[i], *sigma_gradient = scale · d nll / d log
  /// σ.
  float (*likelihood_row)(const math::LikelihoodParameters& likelihood, const LikelihoodRow& row);
  /// mean[i] of p(x|output[i]).
  void (*observation_mean_row)(const math::LikelihoodParameters& likelihood, const float* output, float* mean,
                               std::int64_t n);
  /// The row's summed NLL; gradients as in CountLikelihood.
  float (*count_row)(const math::CountParameters& likelihood, const CountRow& row);
  /// mean[i] of p(x|output), with the sum of `x` or, where that is null, `sum`.
  void (*count_mean_row)(const math::CountParameters& likelihood, const float* output, const float* x,
                         float sum, float* mean, std::int64_t n);
  /// What the encoder reads of a row.
  void (*transform_row)(math::InputTransform kind, const float* x, float* out, std::int64_t n);
  /// z from head = [mu | scale], logvar = logvar_factor · scale. Without `random` ε is zero.
  LatentRow (*latent_forward_row)(const float* head, float* z, std::int64_t latent_dim,
                                  const RandomRow* random, float logvar_factor);
  void (*latent_backward_row)(const LatentBackwardRow& row);
  /// kl[j] += the KL of latent j.
  void (*add_latent_kl)(const float* head, float* kl, std::int64_t latent_dim, float logvar_factor);
  ImportanceOutcome (*importance_row)(const ImportanceRow& row);
  void (*scale_row)(float* row, std::int64_t n, float factor);
  /// Returns the mean of z[i]²; dz[i] += weight · its derivative unless dz is null.
  float (*latent_penalty_row)(const float* z, float* dz, std::int64_t latent_dim, float weight);
  /// The nearest of `size` codes, transposed: columns (width, size).
  NearestCode (*nearest_code)(const float* z, const float* columns, std::int64_t size, std::int64_t width);
  /// out[i] = deviation · ε of column i.
  void (*normals_row)(float* out, std::int64_t n, const RandomRow& random, float deviation);
  /// out[c] = Σ over rows of d(r,c), rows in order.
  void (*sum_columns)(Matrix<const float> d, std::int64_t rows, std::int64_t cols, float* out);
  double (*sum_of_squares)(const float* values, std::int64_t n);
  AdamOutcome (*adam)(const math::AdamConstants<float>& constants, const math::AdamStep<float>& step,
                      float* parameter, float* moment1, float* moment2, const float* gradient,
                      std::int64_t n);
  /// The fastest matrix products for the same processors as the loops.
  const Products& (*products)();
};

/// The loops that this processor supports, the fastest first.
[[nodiscard]] std::vector<const Loops*> supported_loops();
/// The fastest of them.
[[nodiscard]] const Loops& select_loops();

namespace baseline {
[[nodiscard]] const Loops& table();
}
#if defined(__x86_64__)
namespace v3 {
[[nodiscard]] const Products& products();
[[nodiscard]] const Loops& table();
}  // namespace v3
namespace v4 {
[[nodiscard]] const Products& products();
[[nodiscard]] const Loops& table();
}  // namespace v4
#endif

}  // namespace vaecuda::cpu
