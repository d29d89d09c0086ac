// Rows that nobody has stored: what a sample is decoded from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "vaecuda/row_source.hpp"

namespace vaecuda {

/// Latents that are drawn when they are asked for.
class DrawnRows final : public RowSource {
 public:
  /// Gives the latents of rows first … first + count − 1.
  using Draw = std::function<std::vector<float>(std::int64_t first, std::int64_t count)>;
  DrawnRows(std::int64_t count, std::int64_t latent_dim, Draw draw)
      : count_(count), latent_dim_(latent_dim), draw_(std::move(draw)) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::int64_t columns() const override { return latent_dim_; }
  [[nodiscard]] std::optional<std::int64_t> rows() const override { return count_; }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    const std::int64_t rows = std::min(most, count_ - done_);
    block_ = draw_(done_, rows);
    done_ += rows;
    return block_;
  }

 private:
  std::string name_ = "the prior";
  std::int64_t count_;
  std::int64_t latent_dim_;
  Draw draw_;
  std::int64_t done_ = 0;
  std::vector<float> block_;
};

}  // namespace vaecuda
