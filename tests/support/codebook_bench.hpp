// What the tests of vector quantization share: codebooks in an arena, and who runs them.
#pragma once

#include <cstdint>
#include <vector>

#include "support/codebook_oracle.hpp"
#include "support/executor.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda::test {

inline constexpr std::uint64_t kCodebookSeed = (std::uint64_t{6} << 32) + 321;

/// A batch, and the codebooks that it meets.
struct CodebookCase {
  std::int64_t batch;
  std::int64_t groups;
  std::int64_t size;
  std::int64_t width;
  std::int64_t offset = 32;  ///< of the codebook in the arena; the first 32 floats are a layer's
  [[nodiscard]] std::int64_t columns() const { return groups * width; }
  [[nodiscard]] std::int64_t arena() const { return (offset + groups * size * width + 15) / 16 * 16; }
  [[nodiscard]] CodebookParameters parameters() const { return {groups, size, width, offset}; }
};

/// The matrix library has no part in these ops, so one executor with its epilogues says it all.
[[nodiscard]] std::vector<Executor> codebook_executors();

/// For the next assertion that fails.
void describe(const Executor& executor, const CodebookCase& c);

/// An arena with small numbers everywhere, so that a neighbour that is read by mistake changes something.
[[nodiscard]] std::vector<float> make_arena(const CodebookCase& c, double scale = 1.0);
[[nodiscard]] std::vector<float> codes_of(const CodebookCase& c, const std::vector<float>& arena);
[[nodiscard]] oracle::Codebooks books_of(const CodebookCase& c, const std::vector<float>& arena);

}  // namespace vaecuda::test
