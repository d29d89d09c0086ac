// The vocabulary of a plan: one plain struct per fused unit of work of a VAE. An op names its buffers and
// constants, says what it is (host/plan/op.hpp), and computes nothing; backends compile it. Shapes: B batch,
// D data, H hidden, Z latent, K samples per row, N rows of the data set. Row b's sample k is row b·K + k of a
// (B·K, ·) view.
#pragma once

#include <variant>

#include "host/plan/codebook_ops.hpp"
#include "host/plan/latent_ops.hpp"
#include "host/plan/likelihood_ops.hpp"
#include "host/plan/linear_ops.hpp"
#include "host/plan/row_ops.hpp"
#include "host/plan/step_ops.hpp"

namespace vaecuda {

using Op =
    decltype(variant_of(RowOps{} + LinearOps{} + LatentOps{} + CodebookOps{} + LikelihoodOps{} + StepOps{}));

}  // namespace vaecuda
