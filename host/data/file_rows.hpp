// What rows that are read from a file on demand have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/data/bytes.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda::data {

/// A file that is read on demand.
class FileRows : public RowSource {
 public:
  FileRows(const DataSource& source, std::unique_ptr<ByteSource> bytes)
      : source_(source), bytes_(std::move(bytes)) {}
  [[nodiscard]] const std::string& name() const override { return source_.path; }
  [[nodiscard]] std::optional<ImageShape> image() const override { return source_.image; }

 protected:
  /// To be called once the width is known. \throws ConfigError if the rows are not of the picture's size
  void check_image(std::int64_t columns) const {
    Dataset probe(std::vector<float>(static_cast<std::size_t>(columns)), 1, columns);
    probe.set_name(source_.path);
    probe.set_image(source_.image);
  }
  [[nodiscard]] const DataSource& source() const { return source_; }
  [[nodiscard]] ByteSource& bytes() { return *bytes_; }

 private:
  DataSource source_;
  std::unique_ptr<ByteSource> bytes_;
};

}  // namespace vaecuda::data
