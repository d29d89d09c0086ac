// Whether what a 32-bit float leaves of a column's values still tells them apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vaecuda::data {

/// Looks at some rows of every column, one column after the other.
class RoundingProbe {
 public:
  static constexpr std::int64_t kRows = 64;            ///< of a column are looked at
  static constexpr std::int64_t kValues = 128 * 1024;  ///< at most, of all columns

  /// How many rows to look at; 0: too few, or too many columns, to tell.
  [[nodiscard]] static std::int64_t rows_of(std::int64_t rows, std::int64_t columns);

  /// What is not finite or beyond a 32-bit float is left out.
  void add(std::int64_t column, std::vector<double> values);
  /// The first column whose values fall together.
  [[nodiscard]] std::optional<std::int64_t> first() const { return first_; }
  /// One line of the first such column, which messages call `column`, with the remedy; none where there is
  /// none.
  [[nodiscard]] std::vector<std::string> warnings(const std::string& name, const std::string& column) const;

 private:
  std::optional<std::int64_t> first_;
  std::int64_t count_ = 0;  ///< columns whose values fall together
  // Of the first such column:
  std::size_t different_ = 0;  ///< values
  std::size_t left_ = 0;       ///< 32-bit floats that they become
  double example_ = 0.0;       ///< a value
  double neighbour_ = 0.0;     ///< another one that becomes the same float
};

}  // namespace vaecuda::data
