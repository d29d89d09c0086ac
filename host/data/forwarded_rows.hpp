// Another source's rows as they are: to be derived from by what changes or watches some of it.
#pragma once

#include "vaecuda/row_source.hpp"

namespace vaecuda::data {

class ForwardedRows : public RowSource {
 public:
  /// `rows` must outlive it.
  explicit ForwardedRows(RowSource& rows) : rows_(rows) {}
  [[nodiscard]] const std::string& name() const override { return rows_.name(); }
  [[nodiscard]] std::int64_t columns() const override { return rows_.columns(); }
  [[nodiscard]] std::optional<std::int64_t> rows() const override { return rows_.rows(); }
  [[nodiscard]] std::span<const float> next(std::int64_t most) override { return rows_.next(most); }
  [[nodiscard]] bool has_labels() const override { return rows_.has_labels(); }
  [[nodiscard]] std::span<const std::int32_t> labels() const override { return rows_.labels(); }
  [[nodiscard]] const std::vector<std::string>& label_names() const override { return rows_.label_names(); }
  [[nodiscard]] bool has_label_vectors() const override { return rows_.has_label_vectors(); }
  [[nodiscard]] std::span<const float> label_vectors() const override { return rows_.label_vectors(); }
  [[nodiscard]] const std::vector<std::string>& label_vector_names() const override {
    return rows_.label_vector_names();
  }
  [[nodiscard]] std::span<const std::int32_t> factors() const override { return rows_.factors(); }
  [[nodiscard]] const std::vector<std::string>& factor_names() const override { return rows_.factor_names(); }
  [[nodiscard]] std::optional<ImageShape> image() const override { return rows_.image(); }
  [[nodiscard]] const std::vector<std::string>& column_names() const override { return rows_.column_names(); }
  [[nodiscard]] ReadNotes notes() const override { return rows_.notes(); }
  [[nodiscard]] const std::string& label_column() const override { return rows_.label_column(); }

 protected:
  [[nodiscard]] const RowSource& source() const { return rows_; }

 private:
  RowSource& rows_;
};

}  // namespace vaecuda::data
