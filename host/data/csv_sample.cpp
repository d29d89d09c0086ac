#include "host/data/csv_sample.hpp"

namespace vaecuda::data {

void CsvSample::read(CsvReader& reader) {
  std::size_t held = 0;
  while (records_.size() < 2 || (records_.size() < kMostRecords && held < kMostText)) {
    if (!reader.next()) return;
    Record record;
    record.line = reader.line();
    record.ends.reserve(reader.cells().size());
    for (const std::string_view cell : reader.cells()) {
      record.text += cell;
      record.ends.push_back(static_cast<std::uint32_t>(record.text.size()));
    }
    held += record.text.size() + record.ends.size() * sizeof(std::uint32_t);
    records_.push_back(std::move(record));
  }
}

std::string_view CsvSample::cell(std::size_t record, std::size_t column) const {
  const Record& from = records_[record];
  const std::size_t begin = column == 0 ? 0 : from.ends[column - 1];
  return std::string_view(from.text).substr(begin, from.ends[column] - begin);
}

std::vector<std::string_view> CsvSample::row(std::size_t record) const {
  std::vector<std::string_view> cells;
  cells.reserve(this->cells(record));
  for (std::size_t column = 0; column < this->cells(record); ++column) cells.push_back(cell(record, column));
  return cells;
}

}  // namespace vaecuda::data
