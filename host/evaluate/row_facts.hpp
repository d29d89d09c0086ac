// What the data say of their rows besides the values, gathered while a model reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vaecuda/row_source.hpp"

namespace vaecuda {

struct RowFacts {
  std::string name;  ///< of the data
  std::int64_t rows = 0;
  std::vector<std::int32_t> labels;  ///< (rows), indices into label_names; empty without labels
  std::vector<std::string> label_names;
  std::vector<std::int32_t> factors;  ///< (rows, factor_names.size())
  std::vector<std::string> factor_names;
};

/// Another source's rows, which adds what is known of each to `facts`. Both must outlive it.
class NotedRows final : public RowSource {
 public:
  NotedRows(RowSource& rows, RowFacts& facts);
  [[nodiscard]] const std::string& name() const override { return rows_.name(); }
  [[nodiscard]] std::int64_t columns() const override { return rows_.columns(); }
  [[nodiscard]] std::optional<std::int64_t> rows() const override { return rows_.rows(); }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override;
  [[nodiscard]] bool has_labels() const override { return rows_.has_labels(); }
  [[nodiscard]] std::span<const std::int32_t> labels() const override { return rows_.labels(); }
  [[nodiscard]] const std::vector<std::string>& label_names() const override { return rows_.label_names(); }
  [[nodiscard]] std::span<const std::int32_t> factors() const override { return rows_.factors(); }
  [[nodiscard]] const std::vector<std::string>& factor_names() const override { return rows_.factor_names(); }
  [[nodiscard]] std::optional<ImageShape> image() const override { return rows_.image(); }
  [[nodiscard]] const std::vector<std::string>& column_names() const override { return rows_.column_names(); }

 private:
  RowSource& rows_;
  RowFacts& facts_;
};

}  // namespace vaecuda
