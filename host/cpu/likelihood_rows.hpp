// The likelihood and the weights of its samples on the CPU, row by row.
#pragma once

#include "host/cpu/row_work.hpp"
#include "host/plan/ops.hpp"

namespace vaecuda::cpu {

[[nodiscard]] TileWork likelihood_rows(const LikelihoodForwardBackward& op, const RowSources& sources);
[[nodiscard]] TileWork count_rows(const CountLikelihood& op, const RowSources& sources);
[[nodiscard]] TileWork count_mean_rows(const CountMean& op, const RowSources& sources);
[[nodiscard]] TileWork importance_rows(const ImportanceWeights& op, const RowSources& sources);
[[nodiscard]] TileWork weigh_rows(const WeighRows& op, const RowSources& sources);
[[nodiscard]] TileWork observation_mean_rows(const ObservationMean& op, const RowSources& sources);

}  // namespace vaecuda::cpu
