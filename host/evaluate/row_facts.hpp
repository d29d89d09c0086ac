// Labels and factors of rows, collected while a model reads the rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/data/forwarded_rows.hpp"

namespace vaecuda {

struct RowFacts {
  std::string name;  ///< of the data
  std::int64_t rows = 0;
  std::vector<std::int32_t> labels;  ///< (rows), indices into label_names; empty without labels
  std::vector<std::string> label_names;
  std::vector<std::int32_t> factors;  ///< (rows, factor_names.size())
  std::vector<std::string> factor_names;

  /// To be called after the last row: merges classes as for a loaded data set, in which a number written in
  /// several ways is one class.
  void name_classes();
};

/// Forwards the rows of another source and adds their labels and factors to `facts`. Both must outlive it.
class NotedRows final : public data::ForwardedRows {
 public:
  NotedRows(RowSource& rows, RowFacts& facts);
  [[nodiscard]] std::span<const float> next(std::int64_t most) override;

 private:
  RowFacts& facts_;
};

}  // namespace vaecuda
