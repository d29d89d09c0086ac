// What a reader learns of a source besides its values, and how it is said in one line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

struct SourceFacts {
  std::string content;  ///< "text, header", "uint8"
  std::string labels;   ///< where labels come from: "labels in column \"y\""; empty: there are none
  std::vector<std::string> warnings;
  std::string missing = {};  ///< of a table whose cells were all read: "no missing values"
};

/// A data set with what its reader learned.
struct LoadedRows {
  Dataset rows;
  SourceFacts facts;
};

/// "table.csv: 400 rows × 6 columns", or without the rows where their number is not known.
[[nodiscard]] std::string describe(std::string_view name, std::optional<std::int64_t> rows,
                                   std::int64_t columns);
/// The whole line. `labels` says how many there are, "(3 classes)"; empty where that is not known.
[[nodiscard]] ReadNotes notes_of(const SourceFacts& facts, std::string_view size, std::string_view labels);
/// The notes of a data set that has been read, with its labels.
[[nodiscard]] ReadNotes notes_of(const SourceFacts& facts, const Dataset& dataset);

}  // namespace vaecuda::data
