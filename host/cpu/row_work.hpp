// The work of an op on a tile of rows, and its inputs.
#pragma once

#include <cstdint>
#include <functional>

#include "host/cpu/addresses.hpp"
#include "host/cpu/loops.hpp"
#include "host/cpu/program.hpp"

namespace vaecuda::cpu {

using TileWork = std::function<void(const Tile& tile, float* scratch)>;

struct RowSources {
  const Addresses& addresses;
  const Loops& loops;
  const float* parameters;  ///< the arena
  const ProgramMemory* memory;
};

/// Random numbers of batch row `row` at the running position; of its first sample if it has several.
[[nodiscard]] inline RandomRow random_row(const ProgramMemory* memory, std::uint64_t seed,
                                          math::RandomPurpose purpose, std::int64_t row,
                                          std::int64_t samples = 1) {
  return {seed, static_cast<std::uint64_t>((memory->state.position + row) * samples), purpose};
}

}  // namespace vaecuda::cpu
