#include "host/latents/latent.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include "host/plan/exchanged.hpp"
#include "host/plan/plan_builder.hpp"

namespace vaecuda {

// One function for each kind, in its file.
const Latent& gaussian_latent();
const Latent& deterministic_latent();
const Latent& quantized_latent();

std::span<const Latent* const> all_latents() {
  // In the order of the enumeration.
  static const std::array kKinds = {&gaussian_latent(), &deterministic_latent(), &quantized_latent()};
  static_assert(std::tuple_size_v<decltype(kKinds)> == kLatentNames.size());
  return kKinds;
}

const Latent& latent_of(LatentKind kind) {
  const auto place = static_cast<std::size_t>(kind);
  if (place >= all_latents().size()) throw std::logic_error("a kind of latent without rules");
  return *all_latents()[place];
}

const LatentTraits& traits_of(LatentKind kind) {
  return latent_of(kind).traits();
}

void Latent::store_codes(PlanBuilder& build, View head, DataShape data) const {
  if (!data.exchanged) {
    build.store(head, exchanged::kHead, data.rows);
    return;
  }
  const std::int64_t latents = build.model().latent_dim;
  build.store(Plan::columns(head, 0, latents), exchanged::kMu, data.rows);
  if (traits().has_density) build.store(Plan::columns(head, latents, latents), exchanged::kLogvar, data.rows);
}

View Latent::draw(PlanBuilder& /*build*/, std::uint64_t /*seed*/) const {
  throw std::logic_error("a draw from a latent without a prior");
}

std::vector<float> Latent::draw_rows(std::int64_t /*first*/, std::int64_t /*count*/,
                                     const LatentLayout& /*latent*/, std::span<const float> /*parameters*/,
                                     std::uint64_t /*seed*/, double /*temperature*/) const {
  throw std::logic_error("a draw from a latent without a prior");
}

}  // namespace vaecuda
