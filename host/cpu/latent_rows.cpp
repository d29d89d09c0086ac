#include "host/cpu/latent_rows.hpp"

#include <algorithm>

#include "host/cpu/tiling.hpp"

namespace vaecuda::cpu {

TileWork latent_forward_rows(const LatentForward& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const ProgramMemory* memory = sources.memory;
  const Matrix<const float> head = sources.addresses.input(op.head);
  const Matrix<float> z = sources.addresses.matrix(op.z);
  const Matrix<float> kl = sources.addresses.matrix(op.kl);
  const Matrix<float> log_ratio = sources.addresses.matrix(op.log_ratio);
  const std::int64_t samples = op.z.rows / op.head.rows;
  const float factor = math::logvar_factor(op.scale_head);
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      RandomRow random = random_row(memory, op.seed, op.purpose, r, samples);
      for (std::int64_t k = 0; k < samples; ++k, ++random.subsequence) {
        const std::int64_t s = r * samples + k;
        const LatentRow sums = loops->latent_forward_row(head.row(r), z.row(s), op.z.cols,
                                                         op.sample ? &random : nullptr, factor);
        if (k == 0 && kl.data != nullptr) *kl.row(r) = sums.kl;
        if (log_ratio.data != nullptr) *log_ratio.row(s) = sums.log_ratio;
      }
    }
  };
}

TileWork latent_backward_rows(const LatentBackward& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const ProgramMemory* memory = sources.memory;
  const Matrix<const float> head = sources.addresses.input(op.head);
  const Matrix<const float> dz = sources.addresses.input(op.dz);
  const Matrix<float> dhead = sources.addresses.matrix(op.dhead);
  const Matrix<const float> weights = sources.addresses.input(op.weights);
  const float* kl_slope = sources.addresses.matrix(op.kl_slope).data;
  const std::int64_t samples = op.dz.rows / op.head.rows;
  const float factor = math::logvar_factor(op.scale_head);
  return [=](const Tile& tile, float*) {
    const bool weighted = weights.data != nullptr;
    const float kl_weight = weighted ? 0.0f : memory->state.loss_weight * op.gradient_scale;
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      loops->latent_backward_row({.head = head.row(r),
                                  .dz = {dz.row(r * samples), dz.stride},
                                  .dhead = dhead.row(r),
                                  .latent_dim = op.dz.cols,
                                  .samples = samples,
                                  .random = random_row(memory, op.seed, op.purpose, r, samples),
                                  .logvar_factor = factor,
                                  .kl_weight = kl_weight,
                                  .kl_slope = kl_slope,
                                  .weights = {weighted ? weights.row(r * samples) : nullptr, weights.stride},
                                  .weight_scale = op.gradient_scale});
    }
  };
}

TileWork latent_penalty_rows(const LatentPenalty& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const ProgramMemory* memory = sources.memory;
  const Matrix<const float> z = sources.addresses.input(op.z);
  const Matrix<float> penalty = sources.addresses.matrix(op.penalty);
  const Matrix<float> dz = sources.addresses.matrix(op.dz);
  return [=](const Tile& tile, float*) {
    const float weight = memory->state.loss_weight * op.gradient_scale;
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      float* gradient = dz.data != nullptr ? dz.row(r) : nullptr;
      *penalty.row(r) = loops->latent_penalty_row(z.row(r), gradient, op.z.cols, weight);
    }
  };
}

TileWork sample_prior_rows(const SamplePrior& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const ProgramMemory* memory = sources.memory;
  const Matrix<float> z = sources.addresses.matrix(op.z);
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      loops->normals_row(z.row(r), op.z.cols, random_row(memory, op.seed, op.purpose, r), op.temperature);
    }
  };
}

LatentKlWork latent_kl_work(const LatentKl& op, const RowSources& sources,
                            const std::shared_ptr<ByteCounter>& counter) {
  const Loops* loops = &sources.loops;
  const ProgramMemory* memory = sources.memory;
  const Matrix<const float> head = sources.addresses.input(op.head);
  const std::int64_t latents = op.kl.cols;
  const std::int64_t block = row_tile(op.head.rows);
  const std::int64_t blocks = (op.head.rows + block - 1) / block;
  const float factor = math::logvar_factor(op.scale_head);
  const auto sums = std::make_shared<FloatBuffer>(blocks * latents, "sums over the batch", counter);
  LatentKlWork work;
  work.rows = [=](const Tile& tile, float*) {
    float* sum = sums->data() + tile.row_begin / block * latents;
    std::fill_n(sum, latents, 0.0f);
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r)
      loops->add_latent_kl(head.row(r), sum, latents, factor);
  };
  float* kl = sources.addresses.matrix(op.kl).data;
  float* slope = sources.addresses.matrix(op.slope).data;
  float* term = sources.addresses.matrix(op.term).data;
  work.combine = [=] {
    double total = 0.0;
    double bounded = 0.0;
    for (std::int64_t j = 0; j < latents; ++j) {
      double sum = 0.0;
      for (std::int64_t b = 0; b < blocks; ++b) sum += static_cast<double>(sums->data()[b * latents + j]);
      kl[j] = static_cast<float>(sum / static_cast<double>(op.head.rows));
      total += static_cast<double>(kl[j]);
      const auto value = math::free_bits_term(kl[j], op.free_bits);
      bounded += static_cast<double>(value.value);
      slope[j] = value.slope;
    }
    *term = static_cast<float>(bounded);
    if (op.kind != math::KlTermKind::capacity) return;
    const auto value = math::capacity_term(total, static_cast<double>(memory->state.capacity));
    std::fill_n(slope, latents, static_cast<float>(value.slope));
    *term = static_cast<float>(value.value);
  };
  return work;
}

}  // namespace vaecuda::cpu
