// The vocabulary of a plan: one plain struct per fused unit of work of a VAE. An op names its buffers and
// constants and does nothing; backends compile it. Shapes: B batch, D data, H hidden, Z latent, K samples per
// row, N rows of the data set. Row b's sample k is row b·K + k of a (B·K, ·) view.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "kernels/math/activation.h"
#include "kernels/math/adam.h"
#include "kernels/math/codebook.h"
#include "kernels/math/gaussian.h"
#include "kernels/math/kl_term.h"
#include "kernels/math/likelihood.h"
#include "kernels/math/philox.h"
#include "kernels/math/step_state.h"
#include "vaecuda/dataset.hpp"

namespace vaecuda {

/// A row-major matrix of floats inside a buffer of the plan. Invalid (buffer −1) where an op does without it.
struct View {
  int buffer = -1;
  std::int64_t offset = 0;  ///< floats from the buffer's start
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;  ///< floats from one row to the next
  [[nodiscard]] bool valid() const { return buffer >= 0; }
};

/// Weight and bias of a linear layer, as offsets in floats into the parameter arena (and, with the same
/// offsets, into gradients and moments).
struct LinearParameters {
  std::string name;
  std::int64_t out = 0;
  std::int64_t in = 0;
  std::int64_t weight = 0;  ///< W (out, in)
  std::int64_t bias = 0;    ///< b (out)
};

/// G codebooks of M codes of L columns, as an offset in floats into the parameter arena (and, with the same
/// offset, into gradients and moments): (G·M, L), codebook after codebook. They quantize a latent of G·L
/// columns.
struct CodebookParameters {
  std::int64_t groups = 0;  ///< G
  std::int64_t size = 0;    ///< M
  std::int64_t width = 0;   ///< L
  std::int64_t codes = 0;
  [[nodiscard]] std::int64_t elements() const { return groups * size * width; }
};

enum class RowOrder { shuffled, sequential };
enum class Binarize { none, threshold, stochastic };

/// x (B,D) = prepared rows of the data set at positions p = position + i; with `source` valid, of that
/// exchange buffer.
/// shuffled: row = permutation(seed, p / N)(p mod N). sequential: row = min(p − origin, N − 1).
/// prepared = binarize((raw · scale − mean) · inverse_deviation), the last two where given.
/// threshold: x > ½. stochastic: u ≤ x with u in (0,1] drawn by (seed, purpose, p, column), so that 1 stays 1
/// and 0 stays 0.
/// condition (B,C): the row's label, a vector of the data set or one-hot of its class; decoder_condition
/// (B·K,C): the same K times.
struct GatherBatch {
  View x;
  View source;             ///< (N,D) raw rows, or invalid
  View condition;          ///< or invalid
  View decoder_condition;  ///< or invalid
  View condition_source;   ///< (N,C) labels as vectors, or invalid: they come with the data set
  bool label_vectors = false;
  RowOrder order = RowOrder::sequential;
  std::int64_t data_rows = 0;
  ElementType type = ElementType::f32;
  std::uint64_t seed = 0;
  float scale = 1.0f;
  View mean;               ///< (1,D) or invalid
  View inverse_deviation;  ///< (1,D) or invalid
  Binarize binarize = Binarize::none;
  math::RandomPurpose purpose = math::RandomPurpose::binarize;
};

/// out (B,N) = activation(in (B,K) · Wᵀ + b). `preactivation` (B,N) is stored where its derivative needs it.
struct Linear {
  View in;
  LinearParameters layer;
  View out;
  math::ActivationKind activation = math::ActivationKind::identity;
  View preactivation;
};

/// ε ~ N(0,1) by (seed, purpose, (position + row)·K + k, column); z = mu + e^(logvar/2)·ε; kl per row, summed
/// over Z. Without noise z = mu.
struct LatentForward {
  View head;  ///< (B,2Z) = [mu | logvar], or log σ in its place
  View z;     ///< (B·K,Z)
  View kl;    ///< (B,1) nats
  /// (B·K,1): log q(z|x) − log p(z) of each sample, nats; invalid: nobody asks.
  View log_ratio;
  math::ScaleHead scale_head = math::ScaleHead::logvar;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::latent;
  bool sample = true;
};

/// For each part g of a row of `latent`: codes = the nearest of the codebook's M codes, the lowest of equals;
/// z = that code. error = ‖latent − z‖² per row.
struct VectorQuantize {
  View latent;  ///< (B,Z): the encoder's output
  CodebookParameters codebook;
  View z;          ///< (B,Z)
  View codes;      ///< (B,G): whole numbers, exact in fp32 below 2²⁴
  View distances;  ///< (B,G): scratch
  View error;      ///< (B,1)
};

/// dlatent (B,Z) = dz + commitment · (latent − z): dz goes straight through to the encoder, and is joined by
/// the gradient of the commitment c·‖latent − sg(z)‖², `commitment` being 2c times the gradient's scale.
struct VectorQuantizeBackward {
  View latent;   ///< (B,Z)
  View z;        ///< (B,Z)
  View dz;       ///< (B,Z)
  View dlatent;  ///< (B,Z)
  float commitment = 0.0f;
};

/// How the batch used the codes, which both rules by which codes move begin with.
struct CodebookBatch {
  View latent;  ///< (B,Z)
  View codes;   ///< (B,G)
  CodebookParameters codebook;
  View counts;      ///< (G,M): rows of the batch by code
  View perplexity;  ///< (G,1)
};

/// The codebook's gradient, where Adam moves it: scale · Σ over a code's rows of (code − latent), `scale`
/// being 2 times the gradient's scale.
struct CodebookGradient {
  CodebookBatch batch;
  float scale = 1.0f;
};

/// Moves the codes to the moving averages of their rows, smoothed; a code whose average count is below the
/// rule's bound becomes the latent of a batch row drawn by (seed, restart, position, code). The averages are
/// kept in the moments of the codebook's range of the arena: that of a code's sum of rows in the first
/// moments, that of its count in the first element of its second moments.
struct CodebookAverage {
  CodebookBatch batch;
  View averages;  ///< (G,M): scratch
  math::CodebookAverages<float> rule{};
  std::uint64_t seed = 0;
};

/// z (B,Z) = the vectors of codes (B,G).
struct LookUpCodes {
  View codes;
  CodebookParameters codebook;
  View z;
};

/// codes (B,G) drawn alike from 0 … size − 1 by (seed, purpose, position + row, codebook).
struct SampleCodes {
  View codes;
  std::int64_t size = 0;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::prior;
};

/// What stands for the batch's KL in the loss, before kl_weight: kl (1,Z) = mean over the rows of each
/// latent's KL, term (1,1) = math::KlTerm of it, slope (1,Z) = the term's derivative by each latent's KL.
struct LatentKl {
  View head;  ///< (B,2Z)
  View kl;
  View slope;
  View term;
  math::ScaleHead scale_head = math::ScaleHead::logvar;
  math::KlTermKind kind = math::KlTermKind::free_bits;
  float free_bits = 0.0f;  ///< λ; the capacity is the step's
};

/// Per row, from log w = −(nll + log_ratio) of its K samples: loss = −log (1/K Σ w), weights = w / Σ w, and
/// the means of nll and log_ratio under these weights. Everything but the loss may be invalid.
struct ImportanceWeights {
  View nll;             ///< (B·K,1)
  View log_ratio;       ///< (B·K,1)
  View loss;            ///< (B,1) nats
  View weights;         ///< (B·K,1)
  View reconstruction;  ///< (B,1) nats
  View kl;              ///< (B,1) nats
};

/// rows (N,D) = scale · weights (N,1) ⊙ rows, in place.
struct WeighRows {
  View weights;
  View rows;
  float scale = 1.0f;
};

/// nll (B·K,1) = −log p(x|output) summed over D, nats. With `gradient` valid (it may be `output` itself):
/// gradient, like output, = gradient_scale · d nll / d output, and for a learned σ
/// sigma_gradient (B·K,1) = gradient_scale · d nll / d log σ.
struct LikelihoodForwardBackward {
  math::LikelihoodParameters likelihood;
  View output;  ///< (B·K,D) logits or means; σ from the head: (B·K,2D) = [means | raw log σ]
  View x;       ///< (B,D)
  View nll;     ///< (B·K,1)
  View gradient;
  std::int64_t log_sigma = -1;  ///< learned σ: its parameter, floats into the arena
  View sigma_gradient;          ///< learned σ with a gradient
  float gradient_scale = 1.0f;
};

/// From d = gradient by the layer's pre-activation (B,out): dW (+ its Adam update), db, and, where `dx` is
/// valid, dx (B,in) = (d · W) ⊙ activation'(saved) with the activation that produced the layer's input.
struct LinearBackward {
  View d;
  View in;  ///< (B,in): the layer's input of the forward pass
  LinearParameters layer;
  View dx;
  math::ActivationKind activation = math::ActivationKind::identity;
  View saved;  ///< (B,in): output or pre-activation of the layer below
};

/// The gradient of parameters that no matrix product has: Σ over the rows of d (B,n), for n parameters.
struct ParameterGradient {
  std::string name;
  View d;
  std::int64_t parameter = 0;  ///< the first of them, floats into the arena
};

/// dhead (B,2Z) from dz (B·K,Z), ε recomputed, summed over the samples; the KL's gradient is added with
/// weight kl_weight · gradient_scale · kl_slope. With `weights` that of each sample's log-ratio takes its
/// place, with weight weights · gradient_scale.
struct LatentBackward {
  View head;
  View dz;
  View dhead;
  View kl_slope;  ///< (1,Z); invalid: 1
  View weights;   ///< (B·K,1); invalid: the KL in closed form
  math::ScaleHead scale_head = math::ScaleHead::logvar;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::latent;
  float gradient_scale = 1.0f;
};

/// penalty (B,1) = mean over Z of z², of a deterministic code. Where `dz` is valid:
/// dz (B,Z) += kl_weight · gradient_scale · d penalty / d z.
struct LatentPenalty {
  View z;        ///< (B,Z)
  View penalty;  ///< (B,1)
  View dz;       ///< (B,Z), or invalid
  float gradient_scale = 1.0f;
};

/// The global L2 norm of all gradients, before AdamUpdate: only where clipping or skipping needs it first.
struct GradNorm {
  float clip_norm = 0.0f;
  View nll{};  ///< as in AdvanceStep; where given, a loss that is not finite raises the fault flag here
  View kl{};
  View kl_term{};
  View loss{};
};

/// One update of the arena's first `elements` parameters: of all but a codebook that moving averages move,
/// which lies at its end. An element whose gradient or new value is not finite is left alone and raises the
/// fault flag.
struct AdamUpdate {
  math::AdamConstants<float> constants;
  std::int64_t elements = 0;
};

/// Ends a training step: metrics into the ring, the next step's state.
struct AdvanceStep {
  View nll;         ///< (B·K,1)
  View kl;          ///< (B,1): what is added to nll with weight kl_weight; invalid: nothing is
  View kl_term;     ///< (1,1): what is added in the place of kl's mean; invalid: that mean is
  View loss;        ///< (B,1): the loss of each row; invalid: it is nll with what is added
  View perplexity;  ///< (G,1): of codebooks; or invalid
  math::Schedule schedule;
  double beta1 = 0.9;
  double beta2 = 0.999;
  math::KlSchedule kl_schedule;
  /// A fault that GradNorm raised is no fault but a step without an update; its metrics are NaN.
  bool skip_nonfinite = false;
};

/// z (B,Z) ~ N(0, temperature²) by (seed, purpose, position + row, column).
struct SamplePrior {
  View z;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::prior;
  float temperature = 1.0f;
};

/// mean (B,D) of p(x|z) from the decoder's output; may be in place.
struct ObservationMean {
  math::LikelihoodParameters likelihood;
  View output;  ///< (B,D), without the head's part for σ
  View mean;
};

/// Rows between a batch and a whole (N,C) buffer that the host reads or writes: batch row i ↔ row position −
/// origin + i. Rows past the end of the whole are not stored; when loading they repeat the last.
struct StoreRows {
  View batch;
  View whole;
};
struct LoadRows {
  View whole;
  View batch;
};

/// Ends a pass without training: position += B.
struct AdvancePosition {
  std::int64_t batch = 0;
};

using Op = std::variant<GatherBatch, Linear, LatentForward, VectorQuantize, LatentKl, ImportanceWeights,
                        WeighRows, LikelihoodForwardBackward, LinearBackward, ParameterGradient,
                        LatentBackward, VectorQuantizeBackward, LatentPenalty, CodebookGradient,
                        CodebookAverage, LookUpCodes, SampleCodes, GradNorm, AdamUpdate, AdvanceStep,
                        SamplePrior, ObservationMean, StoreRows, LoadRows, AdvancePosition>;

}  // namespace vaecuda
