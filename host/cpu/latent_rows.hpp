// Gaussian and deterministic latents on the CPU, row by row: the work of compiled ops on a tile of rows.
#pragma once

#include <functional>
#include <memory>

#include "host/cpu/row_work.hpp"
#include "host/plan/ops.hpp"

namespace vaecuda::cpu {

[[nodiscard]] TileWork latent_forward_rows(const LatentForward& op, const RowSources& sources);
[[nodiscard]] TileWork latent_backward_rows(const LatentBackward& op, const RowSources& sources);
[[nodiscard]] TileWork latent_penalty_rows(const LatentPenalty& op, const RowSources& sources);
[[nodiscard]] TileWork sample_prior_rows(const SamplePrior& op, const RowSources& sources);

/// Sums per block of rows, in parallel; then one thread adds the blocks in order.
struct LatentKlWork {
  TileWork rows;
  std::function<void()> combine;
};
/// \throws OutOfMemoryError
[[nodiscard]] LatentKlWork latent_kl_work(const LatentKl& op, const RowSources& sources,
                                          const std::shared_ptr<ByteCounter>& counter);

}  // namespace vaecuda::cpu
