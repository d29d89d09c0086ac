// The codebooks of a quantized latent.
#pragma once

#include "host/model/layout.hpp"
#include "host/plan/op.hpp"

namespace vaecuda {

/// Their place in the arena. \throws std::logic_error for a latent without codebooks
[[nodiscard]] CodebookParameters codebook_of(const LatentLayout& latent);
/// Those of a model's latent.
[[nodiscard]] CodebookParameters codebook_of(const ParameterLayout& layout);

}  // namespace vaecuda
