// The named networks and batches to measure: one of each kind in common use.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vaecuda::bench {

struct Shape {
  std::string name;  ///< "A", or "C-128" for a network measured at several batch sizes
  std::int64_t input = 0;
  std::vector<std::int64_t> hidden;
  std::int64_t latent_dim = 0;
  std::int64_t batch_size = 0;
  std::int64_t samples = 1;  ///< latents per row in training
  std::string purpose;
};

[[nodiscard]] std::span<const Shape> named_shapes();
/// "A,C" gives A and every shape of C, "all" every shape, each once and in the order of the list.
/// \throws ConfigError naming the nearest one
[[nodiscard]] std::vector<Shape> find_shapes(std::string_view list);
/// "784-400-20"
[[nodiscard]] std::string network_of(const Shape& shape);

}  // namespace vaecuda::bench
