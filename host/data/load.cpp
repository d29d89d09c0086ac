// load_dataset() and has_test_part(): from a DataSource to the loader that fits.
#include <filesystem>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "host/data/bytes.hpp"
#include "host/data/cifar.hpp"
#include "host/data/folder.hpp"
#include "host/data/format.hpp"
#include "host/data/labels.hpp"
#include "host/data/load.hpp"
#include "host/data/message.hpp"
#include "host/data/shapes.hpp"
#include "host/data/source_facts.hpp"
#include "host/data/tenx_folder.hpp"
#include "vaecuda/array.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {
namespace data {
namespace {

bool is_folder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

/// Gives the warnings of what was read.
std::vector<std::string> add_labels(Dataset& dataset, const std::string& labels_path,
                                    const std::string& data_path,
                                    const std::vector<std::string>& columns = {}) {
  LabelFile file = read_labels(labels_path, dataset.rows(), columns);
  if (file.vectors) {
    dataset.set_label_vectors(take_label_vectors(*file.vectors, labels_path, data_path, dataset.rows()));
    dataset.set_label_vector_names(file.vectors->column_names());
    return std::move(file.warnings);
  }
  check_label_count(file.labels, labels_path, data_path, dataset.rows());
  dataset.set_labels(std::move(file.labels.values), std::move(file.labels.names));
  return std::move(file.warnings);
}

void add_warnings(std::vector<std::string>& warnings, std::vector<std::string> further) {
  warnings.insert(warnings.end(), further.begin(), further.end());
}

LoadedRows read_file(const DataSource& source, ByteSource& bytes, const Format& format) {
  check_label_request(source, !format.table_name.empty());
  return format.read(source, bytes);
}

LoadedRows load_file(const DataSource& source) {
  ByteSource bytes(source.path);
  const Format& format = detect_format(bytes);
  return read_file(source, bytes, format);
}

LoadedRows load_folder(const DataSource& source, DataPart part) {
  check_label_request(source, false);
  const std::optional<PartFiles> files = find_part(source.path, part);
  if (!files && part == DataPart::train) {
    if (const std::optional<TenxFiles> counts = find_tenx(source.path)) return read_tenx(*counts);
  }
  if (!files) {
    fail(source.path, "the folder holds no {} data; looked for {}{}. Give one of these folders, or a file",
         part == DataPart::train ? "training" : "test", expected_files(part),
         part == DataPart::train ? fmt::format(", or {}", kTenxExpected) : "");
  }
  if (!files->batches.empty()) {
    return {read_cifar(files->batches), {"CIFAR-10, uint8", "labels in the files", {}}};
  }
  DataSource images;
  images.path = files->images;
  LoadedRows loaded = load_file(images);
  if (!files->labels.empty()) {
    add_warnings(loaded.facts.warnings, add_labels(loaded.rows, files->labels, files->images));
    loaded.facts.labels = "labels from " + files->labels;
  }
  return loaded;
}

/// Gives the rows their name, labels and picture shape as the source asks for them.
Dataset finish(LoadedRows loaded, const DataSource& source, DataPart part) {
  Dataset& dataset = loaded.rows;
  dataset.set_name(source.path);
  // A labels file belongs to the rows that `path` means first; a folder's test part brings its own.
  if (!source.labels_path.empty() && part == DataPart::train) {
    add_warnings(loaded.facts.warnings,
                 add_labels(dataset, source.labels_path, source.path, source.label_vector_columns));
    loaded.facts.labels = "labels from " + source.labels_path;
  }
  if (source.image) {
    if (source.image->size() != dataset.columns()) {
      throw ConfigError(
          fmt::format("{}: picture shape {}x{}x{} has {} values, but the rows have {}; expected height x "
                      "width x channels to be that number",
                      source.path, source.image->height, source.image->width, source.image->channels,
                      source.image->size(), dataset.columns()));
    }
    dataset.set_image(source.image);
  }
  dataset.set_notes(notes_of(loaded.facts, dataset));
  return std::move(dataset);
}

Dataset load(const DataSource& source, DataPart part) {
  const bool from_folder = !is_shapes(source.path) && is_folder(source.path);
  if (part == DataPart::test && !from_folder) {
    throw ConfigError(
        fmt::format("{}: has no test part of its own; only a folder with MNIST's or CIFAR-10's files has "
                    "one. Give the test data as a file (--test), or hold rows out (--test-fraction)",
                    source.path));
  }
  LoadedRows loaded;
  if (is_shapes(source.path)) {
    check_label_request(source, false);
    loaded.rows = make_shapes(std::string_view(source.path).substr(kShapesName.size()));
    loaded.facts = {"drawn, uint8", "labels", {}};
  } else {
    loaded = from_folder ? load_folder(source, part) : load_file(source);
  }
  return finish(std::move(loaded), source, part);
}

}  // namespace

Dataset load_opened(const DataSource& source, ByteSource& bytes, const Format& format) {
  return finish(read_file(source, bytes, format), source, DataPart::train);
}

}  // namespace data

Dataset load_dataset(const DataSource& source, DataPart part) {
  if (source.path.empty()) throw ConfigError("no data: the path is empty; give a file, a folder, or shapes");
  try {
    return data::load(source, part);
  } catch (const std::bad_alloc&) {
    throw OutOfMemoryError(source.path +
                           ": does not fit in memory; use fewer rows or a machine with more memory");
  }
}

void load_labels(Dataset& dataset, const std::string& path, const std::vector<std::string>& columns) {
  std::vector<std::string> warnings = data::add_labels(dataset, path, dataset.name(), columns);
  if (warnings.empty()) return;
  ReadNotes notes = dataset.notes();
  data::add_warnings(notes.warnings, std::move(warnings));
  dataset.set_notes(std::move(notes));
}

bool has_test_part(const DataSource& source) {
  if (is_shapes(source.path) || !data::is_folder(source.path)) return false;
  return data::find_part(source.path, DataPart::test).has_value();
}

}  // namespace vaecuda
