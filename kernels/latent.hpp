// The latent: reparameterization, KL divergence, their gradient, the penalty of a deterministic code, and
// samples of the prior.
#pragma once

#include <cstdint>

#include "kernels/math/kl_term.h"
#include "kernels/math/philox.h"
#include "kernels/math/step_state.h"
#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

struct UpdateScratch;

struct LatentForwardArgs {
  InMatrix head;  ///< (B,2Z) = [mu | scale], logvar = logvar_factor · scale
  OutMatrix z;    ///< (B·K,Z)
  float* kl = nullptr;
  std::int64_t kl_stride = 1;  ///< kl (B,1), floats from one row to the next
  float* log_ratio = nullptr;  ///< (B·K,1): log q(z|x) − log p(z), nats; null: nobody asks
  std::int64_t log_ratio_stride = 1;
  std::int64_t batch = 0;
  std::int64_t samples = 1;  ///< K of each row
  std::int64_t latent_dim = 0;
  float logvar_factor = 1.0f;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::latent;
  bool sample = true;  ///< false: z = mu
  const math::StepState* state = nullptr;
  std::int32_t* fault = nullptr;  ///< set to 1 by a row whose KL is not finite; null: nobody asks
};

/// ε ~ N(0,1) of (seed, purpose, (position + row)·K + k, column); z = mu + e^(logvar/2)·ε; kl = Σ over Z,
/// nats.
void launch(const LatentForwardArgs& args, Stream stream);

struct LatentBackwardArgs {
  InMatrix head;    ///< (B,2Z)
  InMatrix dz;      ///< (B·K,Z)
  OutMatrix dhead;  ///< (B,2Z)
  std::int64_t batch = 0;
  std::int64_t samples = 1;
  std::int64_t latent_dim = 0;
  float logvar_factor = 1.0f;
  const float* kl_slope = nullptr;  ///< (Z): factor on the KL's weight; null: 1
  /// (B·K,1): weights of the samples' log-ratios, whose gradient takes the KL's place; null data: none.
  InMatrix weights;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::latent;
  float gradient_scale = 1.0f;
  const math::StepState* state = nullptr;  ///< position and loss_weight
};

/// dhead from dz with ε recomputed, summed over the samples; the KL's gradient is added with weight
/// loss_weight · gradient_scale.
void launch(const LatentBackwardArgs& args, Stream stream);

struct LatentPenaltyArgs {
  InMatrix z;  ///< (B,Z)
  float* penalty = nullptr;
  std::int64_t penalty_stride = 1;  ///< penalty (B,1), floats from one row to the next
  InMatrix dz;                      ///< (B,Z); null: no gradient is wanted
  OutMatrix dz_out;                 ///< (B,Z), may be dz in place
  std::int64_t batch = 0;
  std::int64_t latent_dim = 0;
  float gradient_scale = 1.0f;
  const math::StepState* state = nullptr;  ///< loss_weight
  std::int32_t* fault = nullptr;  ///< set to 1 by a row whose penalty is not finite; null: nobody asks
};

/// penalty = mean over Z of z²; dz_out = dz + loss_weight · gradient_scale · d penalty / d z.
void launch(const LatentPenaltyArgs& args, Stream stream);

struct LatentKlArgs {
  InMatrix head;           ///< (B,2Z)
  float* kl = nullptr;     ///< (Z): mean over the rows, nats
  float* slope = nullptr;  ///< (Z): derivative of the term by each latent's KL
  float* term = nullptr;   ///< (1): what the loss has in the place of the KL
  std::int64_t batch = 0;
  std::int64_t latent_dim = 0;
  float logvar_factor = 1.0f;
  math::KlTermKind kind = math::KlTermKind::free_bits;
  float free_bits = 0.0f;                  ///< λ
  const math::StepState* state = nullptr;  ///< capacity
  UpdateScratch* scratch = nullptr;        ///< kl_ticket
};

/// The batch's KL per latent, and what it counts for: max(λ, ·) of each latent, or |Σ − C|.
void launch(const LatentKlArgs& args, Stream stream);

struct SamplePriorArgs {
  OutMatrix z;  ///< (B,Z)
  std::int64_t batch = 0;
  std::int64_t latent_dim = 0;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::prior;
  float temperature = 1.0f;
  const math::StepState* state = nullptr;
};

/// z = temperature · ε.
void launch(const SamplePriorArgs& args, Stream stream);

}  // namespace vaecuda::kernels
