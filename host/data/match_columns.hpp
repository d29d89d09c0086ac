// Where two tables meet, or a table and a model: whose columns are whose.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// One side: what messages call it, how many columns it has, and their names (empty: it has none).
struct Columns {
  std::string_view owner;  ///< "train.csv", "the model"
  std::int64_t count = 0;
  std::span<const std::string> names;
  /// Name of the column that this side takes labels from; empty where it has none.
  std::string_view label_column = {};
  std::optional<ImageShape> image = {};  ///< the picture that a row is
};

struct ColumnMatch {
  /// For each wanted column the one to take; empty where they are taken as they stand.
  std::vector<std::int64_t> order;
  /// What a person is to know, in one line; empty where both sides agree without more.
  std::string note;
};

/// Takes the columns of `given` by the names of `wanted` where both have names, and by position where one has
/// none; pictures of another shape with as many values are warned of. \throws FileError naming the wanted
/// columns that are missing, a name that stands twice on one side where both have names, or the numbers of
/// columns where they differ and are taken by position
[[nodiscard]] ColumnMatch match_columns(const Columns& wanted, const Columns& given);

/// `data` with its columns in the order of `wanted`, and with their names where it has none itself; the note
/// is appended to `notes`. \throws as match_columns
void take_columns_of(const Columns& wanted, Dataset& data, std::vector<std::string>& notes);

/// The label vectors of the rows that messages call `rows` as the columns of a table, which messages call
/// `owner`. What is referred to must outlive the result.
[[nodiscard]] std::string label_owner(std::string_view rows);
[[nodiscard]] Columns label_columns_of(const Dataset& data, const std::string& owner);

/// `data` with the numbers of its label vectors in the order of `wanted`, and with their names where it has
/// none itself; the note is appended to `notes`. Vectors of another size, one side being without names, are
/// left as they are. \throws as match_columns
void take_label_columns_of(const Columns& wanted, Dataset& data, std::vector<std::string>& notes);

/// The chosen columns of row-major rows of `width` values, in the order given.
[[nodiscard]] std::vector<float> choose_columns(std::span<const float> values, std::int64_t width,
                                                std::span<const std::int64_t> columns);

/// What a model of these columns cannot do, with the remedy; empty where each has a name of its own, or none
/// has.
[[nodiscard]] std::string doubt_names(const Columns& trained_on);

[[nodiscard]] inline Columns columns_of(const Dataset& data) {
  return {.owner = data.name(),
          .count = data.columns(),
          .names = data.column_names(),
          .label_column = data.label_column(),
          .image = data.image()};
}

/// "column 'age' (3)" where columns have names, else "column 3".
[[nodiscard]] std::string column_name(std::span<const std::string> names, std::int64_t column);

}  // namespace vaecuda::data
