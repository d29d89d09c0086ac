// A model file's own account of itself, as the public API gives it.
#pragma once

#include "host/model/model_file.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {

/// `file` may lack its parameters.
[[nodiscard]] ModelInfo info_of(const ModelFile& file);

}  // namespace vaecuda
