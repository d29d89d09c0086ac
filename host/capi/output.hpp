// Output buffers of the C API's functions on models.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "host/capi/guard.hpp"
#include "host/capi/handles.hpp"
#include "vaecuda/latent.hpp"

namespace vaecuda::capi {

/// A caller's buffer for a number of rows; NULL with a size of 0 if it is not requested.
struct Output {
  float* values;
  std::size_t size;
  std::string_view name;
  [[nodiscard]] bool wanted() const { return values != nullptr || size > 0; }
  void require(std::int64_t rows, std::int64_t columns) const {
    require_room(values, size, checked_count(rows, columns), name);
  }
  /// Stores values at an offset.
  void take(std::span<const float> from, std::int64_t at = 0) const {
    std::copy(from.begin(), from.end(), values + at);
  }
};

/// \throws ConfigError if the model's latent has no log variance
inline void require_logvar(const vaecuda_model& model) {
  const LatentTraits& traits = traits_of(model.vae.info().model.latent);
  if (traits.has_density) return;
  throw ConfigError("the model's latent is " + std::string(traits.adjective) +
                    ", so it has no log variance: ask for the mean alone");
}

}  // namespace vaecuda::capi
