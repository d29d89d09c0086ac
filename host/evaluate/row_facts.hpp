// What the data say of their rows besides the values, gathered while a model reads them.
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

  /// Once all rows are known: the classes of a loaded data set, where a number written in several ways is
  /// one.
  void name_classes();
};

/// Another source's rows, which adds what is known of each to `facts`. Both must outlive it.
class NotedRows final : public data::ForwardedRows {
 public:
  NotedRows(RowSource& rows, RowFacts& facts);
  [[nodiscard]] std::span<const float> next(std::int64_t most) override;

 private:
  RowFacts& facts_;
};

}  // namespace vaecuda
