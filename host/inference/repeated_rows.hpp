// Each row of another source several times in a row: what a pass with one draw for each row takes the mean
// over.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/data/forwarded_rows.hpp"

namespace vaecuda {

class RepeatedRows final : public data::ForwardedRows {
 public:
  /// Row i of `rows`, which must outlive this, becomes rows i·times … i·times + times − 1.
  RepeatedRows(RowSource& rows, std::int64_t times) : ForwardedRows(rows), source_(rows), times_(times) {}

  [[nodiscard]] std::optional<std::int64_t> rows() const override {
    const std::optional<std::int64_t> rows = source_.rows();
    return rows ? std::optional(*rows * times_) : std::nullopt;
  }
  [[nodiscard]] std::span<const std::int32_t> labels() const override { return labels_; }
  [[nodiscard]] std::span<const float> label_vectors() const override { return vectors_; }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override {
    block_.clear();
    labels_.clear();
    vectors_.clear();
    for (std::int64_t missing = most; missing > 0;) {
      if (copies_left_ == 0 && !advance(most)) break;
      const std::int64_t count = std::min(copies_left_, missing);
      const auto row = held_.subspan(place_ * width(), width());
      const std::span<const float> told = source_.label_vectors();
      const std::size_t size = told.size() * width() / held_.size();
      const auto vector = told.subspan(place_ * size, size);
      for (std::int64_t i = 0; i < count; ++i) {
        block_.insert(block_.end(), row.begin(), row.end());
        vectors_.insert(vectors_.end(), vector.begin(), vector.end());
      }
      if (source_.has_labels()) {
        labels_.insert(labels_.end(), static_cast<std::size_t>(count), source_.labels()[place_]);
      }
      copies_left_ -= count;
      missing -= count;
    }
    return block_;
  }

 private:
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(source_.columns()); }
  /// Goes to the next row, reading on where no block holds it; false at the end.
  bool advance(std::int64_t most) {
    if (++place_ * width() >= held_.size()) {
      held_ = source_.next(most / times_ + 1);
      if (held_.empty()) return false;
      place_ = 0;
    }
    copies_left_ = times_;
    return true;
  }

  RowSource& source_;
  std::int64_t times_;
  std::span<const float> held_;  ///< the block of `source_` that is being repeated
  std::size_t place_ = 0;        ///< of the row that is being repeated, in `held_`
  std::int64_t copies_left_ = 0;
  std::vector<float> block_;
  std::vector<std::int32_t> labels_;
  std::vector<float> vectors_;
};

}  // namespace vaecuda
