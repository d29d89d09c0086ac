#include "host/cpu/likelihood_rows.hpp"

namespace vaecuda::cpu {

TileWork likelihood_rows(const LikelihoodForwardBackward& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const Matrix<const float> output = sources.addresses.input(op.output);
  const Matrix<const float> x = sources.addresses.input(op.x);
  const Matrix<float> gradient = sources.addresses.matrix(op.gradient);
  const Matrix<float> nll = sources.addresses.matrix(op.nll);
  const std::int64_t samples = op.output.rows / op.x.rows;
  const Matrix<float> sigma_gradient = sources.addresses.matrix(op.sigma_gradient);
  const float* log_sigma = op.log_sigma >= 0 ? sources.parameters + op.log_sigma : nullptr;
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      LikelihoodRow row{.output = output.row(r),
                        .x = x.row(r / samples),
                        .gradient = nullptr,
                        .scale = op.gradient_scale,
                        .n = op.x.cols,
                        .log_sigma = log_sigma,
                        .sigma_gradient = nullptr};
      if (gradient.data != nullptr) row.gradient = gradient.row(r);
      if (sigma_gradient.data != nullptr) row.sigma_gradient = sigma_gradient.row(r);
      *nll.row(r) = loops->likelihood_row(op.likelihood, row);
    }
  };
}

TileWork count_rows(const CountLikelihood& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const Matrix<const float> output = sources.addresses.input(op.output);
  const Matrix<const float> x = sources.addresses.input(op.x);
  const Matrix<float> gradient = sources.addresses.matrix(op.gradient);
  const Matrix<float> nll = sources.addresses.matrix(op.nll);
  const Matrix<float> dispersion_gradient = sources.addresses.matrix(op.dispersion_gradient);
  const std::int64_t samples = op.output.rows / op.x.rows;
  const float* log_dispersion = op.log_dispersion >= 0 ? sources.parameters + op.log_dispersion : nullptr;
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      CountRow row{.output = output.row(r),
                   .x = x.row(r / samples),
                   .gradient = nullptr,
                   .scale = op.gradient_scale,
                   .n = op.x.cols,
                   .log_dispersion = log_dispersion,
                   .dispersion_gradient = nullptr};
      if (gradient.data != nullptr) row.gradient = gradient.row(r);
      if (dispersion_gradient.data != nullptr) row.dispersion_gradient = dispersion_gradient.row(r);
      *nll.row(r) = loops->count_row(op.likelihood, row);
    }
  };
}

TileWork count_mean_rows(const CountMean& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const Matrix<const float> output = sources.addresses.input(op.output);
  const Matrix<const float> x = sources.addresses.input(op.x);
  const Matrix<float> mean = sources.addresses.matrix(op.mean);
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      loops->count_mean_row(op.likelihood, output.row(r), x.data != nullptr ? x.row(r) : nullptr, op.sum,
                            mean.row(r), op.mean.cols);
    }
  };
}

TileWork importance_rows(const ImportanceWeights& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const Matrix<const float> nll = sources.addresses.input(op.nll);
  const Matrix<const float> log_ratio = sources.addresses.input(op.log_ratio);
  const Matrix<float> weights = sources.addresses.matrix(op.weights);
  const Matrix<float> loss = sources.addresses.matrix(op.loss);
  const Matrix<float> reconstruction = sources.addresses.matrix(op.reconstruction);
  const Matrix<float> kl = sources.addresses.matrix(op.kl);
  const std::int64_t samples = op.nll.rows / op.loss.rows;
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      const std::int64_t s = r * samples;
      float* w = weights.data != nullptr ? weights.row(s) : nullptr;
      const ImportanceOutcome outcome = loops->importance_row(
          {{nll.row(s), nll.stride}, {log_ratio.row(s), log_ratio.stride}, {w, weights.stride}, samples});
      *loss.row(r) = outcome.loss;
      if (reconstruction.data != nullptr) *reconstruction.row(r) = outcome.reconstruction;
      if (kl.data != nullptr) *kl.row(r) = outcome.kl;
    }
  };
}

TileWork weigh_rows(const WeighRows& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const Matrix<const float> weights = sources.addresses.input(op.weights);
  const Matrix<float> rows = sources.addresses.matrix(op.rows);
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r)
      loops->scale_row(rows.row(r), op.rows.cols, op.scale * *weights.row(r));
  };
}

TileWork observation_mean_rows(const ObservationMean& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const Matrix<const float> output = sources.addresses.input(op.output);
  const Matrix<float> mean = sources.addresses.matrix(op.mean);
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      loops->observation_mean_row(op.likelihood, output.row(r), mean.row(r), op.mean.cols);
    }
  };
}

}  // namespace vaecuda::cpu
