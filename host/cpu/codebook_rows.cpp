#include "host/cpu/codebook_rows.hpp"

#include <algorithm>

#include "kernels/math/codebook.h"

namespace vaecuda::cpu {

std::int64_t quantize_scratch(const VectorQuantize& op) {
  return op.codebook.size * op.codebook.width;
}

TileWork quantize_rows(const VectorQuantize& op, const RowSources& sources) {
  const Loops* loops = &sources.loops;
  const Matrix<const float> latent = sources.addresses.input(op.latent);
  const Matrix<float> z = sources.addresses.matrix(op.z);
  const Matrix<float> codes = sources.addresses.matrix(op.codes);
  const Matrix<float> error = sources.addresses.matrix(op.error);
  const CodebookParameters shape = op.codebook;
  const float* codebooks = sources.parameters + shape.codes;
  return [=](const Tile& tile, float* scratch) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) *error.row(r) = 0.0f;
    for (std::int64_t g = 0; g < shape.groups; ++g) {
      const float* codebook = codebooks + g * shape.size * shape.width;
      // Transposed, so that a vector holds one column of many codes; done once per tile of rows.
      for (std::int64_t k = 0; k < shape.size; ++k) {
        for (std::int64_t c = 0; c < shape.width; ++c) {
          scratch[c * shape.size + k] = codebook[k * shape.width + c];
        }
      }
      for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
        const NearestCode nearest =
            loops->nearest_code(latent.row(r) + g * shape.width, scratch, shape.size, shape.width);
        codes.row(r)[g] = static_cast<float>(nearest.code);
        std::copy_n(codebook + nearest.code * shape.width, shape.width, z.row(r) + g * shape.width);
        *error.row(r) += nearest.distance;
      }
    }
  };
}

TileWork quantize_backward_rows(const VectorQuantizeBackward& op, const RowSources& sources) {
  const Matrix<const float> latent = sources.addresses.input(op.latent);
  const Matrix<const float> z = sources.addresses.input(op.z);
  const Matrix<const float> dz = sources.addresses.input(op.dz);
  const Matrix<float> dlatent = sources.addresses.matrix(op.dlatent);
  const std::int64_t columns = op.z.cols;
  const float commitment = op.commitment;
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      const float* from = latent.row(r);
      const float* code = z.row(r);
      const float* dcode = dz.row(r);
      float* out = dlatent.row(r);
      for (std::int64_t c = 0; c < columns; ++c) {
        out[c] = math::quantize_backward(from[c], code[c], dcode[c], commitment);
      }
    }
  };
}

TileWork look_up_rows(const LookUpCodes& op, const RowSources& sources) {
  const Matrix<const float> codes = sources.addresses.input(op.codes);
  const Matrix<float> z = sources.addresses.matrix(op.z);
  const CodebookParameters shape = op.codebook;
  const float* codebooks = sources.parameters + shape.codes;
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      for (std::int64_t g = 0; g < shape.groups; ++g) {
        const std::int64_t code = g * shape.size + math::code_index(codes.row(r)[g], shape.size);
        std::copy_n(codebooks + code * shape.width, shape.width, z.row(r) + g * shape.width);
      }
    }
  };
}

TileWork sample_code_rows(const SampleCodes& op, const RowSources& sources) {
  const Matrix<float> codes = sources.addresses.matrix(op.codes);
  const ProgramMemory* memory = sources.memory;
  return [=](const Tile& tile, float*) {
    for (std::int64_t r = tile.row_begin; r < tile.row_end; ++r) {
      const auto position = static_cast<std::uint64_t>(memory->state.position + r);
      for (std::int64_t g = 0; g < op.codes.cols; ++g) {
        const math::Philox4 bits =
            math::philox(op.seed, position, math::random_block(op.purpose, static_cast<std::uint64_t>(g)));
        codes.row(r)[g] = static_cast<float>(math::index_from_bits(bits.v[g % 4], op.size));
      }
    }
  };
}

}  // namespace vaecuda::cpu
