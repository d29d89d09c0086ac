// Vector quantization: the nearest codes of G codebooks, the gradient past them, and how the codes move.
#pragma once

#include <cstdint>

#include "kernels/math/codebook.h"
#include "kernels/math/philox.h"
#include "kernels/math/step_state.h"
#include "kernels/matrix.hpp"
#include "kernels/stream.hpp"

namespace vaecuda::kernels {

/// G codebooks of M codes each; columns g·L … g·L + L − 1 of a latent (B,Z), Z = G·L, belong to codebook g.
struct CodebookShape {
  std::int64_t groups = 1;  ///< G
  std::int64_t size = 1;    ///< M
  std::int64_t width = 1;   ///< L
};

struct VectorQuantizeArgs {
  InMatrix latent;                  ///< (B,Z): the encoder's output
  const float* codebook = nullptr;  ///< (G·M,L)
  CodebookShape shape;
  OutMatrix z;             ///< (B,Z)
  float* codes = nullptr;  ///< (B,G)
  std::int64_t codes_stride = 0;
  float* distances = nullptr;  ///< (B,G) scratch where there are several codebooks
  std::int64_t distances_stride = 0;
  float* error = nullptr;  ///< (B,1)
  std::int64_t error_stride = 1;
  std::int64_t batch = 0;
  std::int32_t* fault = nullptr;  ///< set to 1 by a row whose error is not finite; null: nobody asks
};

/// codes = the nearest code of each codebook (ties: the lowest), z = those codes, error = ‖latent − z‖². Two
/// kernels, or one where there is one codebook.
void launch(const VectorQuantizeArgs& args, Stream stream);
[[nodiscard]] constexpr int kernels_of(const VectorQuantizeArgs& args) {
  return args.shape.groups > 1 ? 2 : 1;
}

struct VectorQuantizeBackwardArgs {
  InMatrix latent;    ///< (B,Z)
  InMatrix z;         ///< (B,Z)
  InMatrix dz;        ///< (B,Z)
  OutMatrix dlatent;  ///< (B,Z), may be dz in place
  float commitment = 0.0f;
  std::int64_t batch = 0;
  std::int64_t columns = 0;  ///< Z
};

/// dlatent = dz + commitment · (latent − z).
void launch(const VectorQuantizeBackwardArgs& args, Stream stream);

/// How the batch used the codes: what both rules by which codes move begin with.
struct CodebookBatch {
  InMatrix latent;              ///< (B,Z)
  InMatrix codes;               ///< (B,G)
  float* counts = nullptr;      ///< (G,M): rows of the batch by code
  float* perplexity = nullptr;  ///< (G,1)
  std::int64_t perplexity_stride = 1;
  CodebookShape shape;
  std::int64_t batch = 0;
  const math::StepState* state = nullptr;  ///< fault set: nothing changes
};

struct CodebookGradientArgs {
  CodebookBatch batch;
  const float* codebook = nullptr;  ///< (G·M,L)
  float* gradient = nullptr;        ///< (G·M,L)
  float scale = 1.0f;
};

/// gradient = scale · Σ over a code's rows of (code − latent). Two kernels.
void launch(const CodebookGradientArgs& args, Stream stream);
[[nodiscard]] constexpr int kernels_of(const CodebookGradientArgs&) {
  return 2;
}

struct CodebookAverageArgs {
  CodebookBatch batch;
  float* codebook = nullptr;  ///< (G·M,L)
  float* sums = nullptr;      ///< (G·M,L): moving average of a code's sum of rows
  float* used = nullptr;      ///< (G·M,L): moving average of a code's count, in its first element
  float* averages = nullptr;  ///< (G,M) scratch
  math::CodebookAverages<float> rule{};
  std::uint64_t seed = 0;
};

/// Moves every code to its smoothed moving average, and dead ones to a row of the batch. In step 0 the
/// averages are what fair use of the codes as they are would have left. Two kernels.
void launch(const CodebookAverageArgs& args, Stream stream);
[[nodiscard]] constexpr int kernels_of(const CodebookAverageArgs&) {
  return 2;
}

struct LookUpCodesArgs {
  InMatrix codes;                   ///< (B,G)
  const float* codebook = nullptr;  ///< (G·M,L)
  CodebookShape shape;
  OutMatrix z;  ///< (B,Z)
  std::int64_t batch = 0;
};

/// z = the codes' vectors; an index outside of its codebook takes the nearest inside.
void launch(const LookUpCodesArgs& args, Stream stream);

struct SampleCodesArgs {
  float* codes = nullptr;  ///< (B,G)
  std::int64_t codes_stride = 0;
  CodebookShape shape;
  std::int64_t batch = 0;
  std::uint64_t seed = 0;
  math::RandomPurpose purpose = math::RandomPurpose::prior;
  const math::StepState* state = nullptr;
};

/// codes drawn alike from 0 … M − 1, by (seed, purpose, position + row, codebook).
void launch(const SampleCodesArgs& args, Stream stream);

}  // namespace vaecuda::kernels
