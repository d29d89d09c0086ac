// The first records of a table, kept so that what they are can be told before they are given out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/csv_reader.hpp"

namespace vaecuda::data {

/// Memory: as much text as kMostText and one record, at least the first two records.
class CsvSample {
 public:
  /// Reads on in `reader` until there are enough.
  void read(CsvReader& reader);

  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] std::size_t cells(std::size_t record) const { return records_[record].ends.size(); }
  [[nodiscard]] std::string_view cell(std::size_t record, std::size_t column) const;
  /// The line on which the record begins.
  [[nodiscard]] std::int64_t line(std::size_t record) const { return records_[record].line; }
  /// All cells of a record; valid until the sample is changed.
  [[nodiscard]] std::vector<std::string_view> row(std::size_t record) const;

 private:
  static constexpr std::size_t kMostRecords = 64;
  static constexpr std::size_t kMostText = std::size_t{1} << 20;
  struct Record {
    std::string text;                 ///< of the cells, one after the other
    std::vector<std::uint32_t> ends;  ///< of each cell in `text`
    std::int64_t line = 0;
  };
  std::vector<Record> records_;
};

}  // namespace vaecuda::data
