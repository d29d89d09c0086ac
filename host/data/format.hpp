// The formats of files that are read: what each is told by and what is done with a file of it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/bytes.hpp"
#include "host/data/labels.hpp"
#include "host/data/source_facts.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda::data {

/// One format's facts and functions. Every file may be compressed by gzip, of which they see nothing. The
/// bytes that they are given stand at the start of the file, DataSource::path is its name.
struct Format {
  std::string_view name;              ///< as messages say it: ".npy", "a CIFAR-10 batch"
  std::string_view told_by = {};      ///< "(magic 00 00, type, dimensions)", in messages; may be empty
  std::string_view labels_name = {};  ///< of a file that holds labels alone; empty without read_labels
  std::string_view table_name = {};   ///< "a CSV table"; empty where no column can hold the labels
  /// Files of formats that cannot be read may begin so as well. They are refused first, with the name of
  /// theirs.
  bool yields_to_foreign = false;
  /// The rows of open() tell their number from the start, and take labels from a file of their own.
  bool streams_with_labels = false;

  /// Whether the file, which begins with `head`, is of this format.
  bool (*is_it)(const ByteSource& bytes, std::span<const std::uint8_t> head);
  /// The rows and the labels beside them, without what load_dataset adds: the name, labels from elsewhere,
  /// and the picture shape that was asked for. \throws FileError
  LoadedRows (*read)(const DataSource& source, ByteSource& bytes);
  /// As data::read_labels. Null where a file of this format holds no labels alone. \throws FileError
  LabelFile (*read_labels)(ByteSource& bytes, std::int64_t rows,
                           const std::vector<std::string>& columns) = nullptr;
  /// The rows on demand. Null where files are read whole. \throws FileError
  std::unique_ptr<RowSource> (*open)(const DataSource& source, std::unique_ptr<ByteSource> bytes) = nullptr;
};

/// The table, in the order in which messages list it.
[[nodiscard]] std::span<const Format* const> formats();

/// What messages say of the formats that have such a name: "IDX, .npy or a CSV file with one label per line".
[[nodiscard]] std::string names_of_formats(std::string_view Format::*name);

/// Looks at the first bytes of `source`, which must stand at its start, and consumes none. \throws FileError
/// naming what the file seems to be where it is none of the formats that can be read.
[[nodiscard]] const Format& detect_format(ByteSource& source);

}  // namespace vaecuda::data
