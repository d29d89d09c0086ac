// Whether a table's first line names its columns.
#pragma once

#include <optional>
#include <string>

#include "host/data/csv_sample.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

struct HeaderFinding {
  bool has_header = false;
  std::string warning;  ///< where the line could be the other as well; empty: there is no doubt
};

/// A first line of text alone is a header, one of numbers and gaps alone a row; numbers that count the
/// columns, as pandas writes them for columns without names, are a header above numbers with decimals.
/// A text that stands above texts is the cell of a row. `label` is the column asked for as labels, whose
/// texts tell nothing. \throws FileError, quoting the line, where it may be either and a wrong guess would
/// lose a row or train on the names
[[nodiscard]] HeaderFinding find_header(const std::string& path, const CsvSample& sample,
                                        std::optional<std::size_t> label);

/// The record as it may be quoted in a message.
[[nodiscard]] std::string quoted_record(const CsvSample& sample, std::size_t record);

}  // namespace vaecuda::data
