// The table of formats: what its entries promise, which of them a file is given to, and what messages list.
#include "host/data/format.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/zip.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {
namespace {

using namespace std::string_literals;
using test::npy_bytes;
using test::TempDir;
using test::write_file;

std::string dark_batch() {
  return std::string(3073, '\0');
}

const std::string kMatrix = "%%MatrixMarket matrix coordinate integer general\n2 1 2\n1 1 97\n2 1 98\n";

std::string message_of(const std::string& path, const std::string& labels = "",
                       const std::string& column = "") {
  DataSource source;
  source.path = path;
  source.labels_path = labels;
  source.label_column = column;
  try {
    (void)load_dataset(source);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("an entry's facts fit its functions") {
  REQUIRE(data::formats().size() == 7);
  for (const data::Format* format : data::formats()) {
    CAPTURE(format->name);
    CHECK_FALSE(format->name.empty());
    CHECK(format->is_it != nullptr);
    CHECK(format->read != nullptr);
    CHECK(format->labels_name.empty() == (format->read_labels == nullptr));
    CHECK((format->open != nullptr || !format->streams_with_labels));
  }
}

TEST_CASE("a file is given to the first format that takes it, foreign ones in their place") {
  struct File {
    std::string name, bytes;
    std::string_view format;  // empty: refused as `foreign`
    std::string_view foreign;
  };
  const std::string idx = "\0\0\x08\1\0\0\0\2ab"s;
  // Exactly as long as its header says, and a whole number of CIFAR-10's records.
  const std::string long_idx = "\0\0\x08\1\0\0\x0b\xf9"s + std::string(3065, '\1');
  const std::string video =
      "\0\0\0\x18"
      "ftypmp42"s +
      std::string(3061, '\0');
  const std::vector<File> files = {
      {"a.npy", npy_bytes("|u1", "2, 1", "ab"), ".npy", ""},
      {"npy.bin", npy_bytes("|u1", "2, 1", "ab"), ".npy", ""},
      {"a.idx", idx, "IDX", ""},
      {"a.csv", "1,2\n3,4\n", "CSV text", ""},
      {"a.bin", dark_batch(), "a CIFAR-10 batch", ""},
      {"dark", dark_batch(), "IDX", ""},
      {"idx.bin", long_idx, "IDX", ""},
      {"cut.bin", long_idx.substr(0, 3072) + std::string(3074, '\1'), "a CIFAR-10 batch", ""},
      {"video.bin", video, "a CIFAR-10 batch", ""},
      {"video", video, "", "video"},
      {"matrix", "%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 2\n", "Matrix Market", ""},
      {"named.csv", "%%MatrixMarket matrix,b\n1,2\n3,4\n", "CSV text", ""},
      {"sparse", "1 1:0.5 3:2\n0 2:1 4:1\n", "svmlight text", ""},
      {"blanks", "1 2 3\n0 2 4\n", "CSV text", ""},
      {"sparse.npz", test::zip_bytes({{.name = "format.npy"}, {.name = "shape.npy"}, {.name = "data.npy"}}),
       "a sparse matrix of SciPy (.npz)", ""},
      {"other.npz", test::zip_bytes({{.name = "format.npy"}, {.name = "data.npy"}}), "", "zip archive"},
  };
  const TempDir folder;
  for (const File& file : files) {
    CAPTURE(file.name);
    const std::string path = write_file(folder.path() / file.name, file.bytes);
    if (file.format.empty()) {
      CHECK(message_of(path).find(file.foreign) != std::string::npos);
      continue;
    }
    data::ByteSource source(path);
    CHECK(data::detect_format(source).name == file.format);
    CHECK(source.position() == 0);
  }
}

TEST_CASE("every format gives the same rows whole and on demand") {
  const TempDir folder;
  for (const std::string& path :
       {write_file(folder.path() / "a.npy", npy_bytes("|u1", "2, 1", "ab")),
        write_file(folder.path() / "a.idx", "\0\0\x08\1\0\0\0\2ab"s),
        write_file(folder.path() / "a.csv", "97\n98\n"), write_file(folder.path() / "a.mtx", kMatrix),
        write_file(folder.path() / "a.svm", "1 1:97\n0 1:98\n"),
        write_file(folder.path() / "a.bin", dark_batch() + dark_batch())}) {
    CAPTURE(path);
    DataSource source;
    source.path = path;
    const Dataset whole = load_dataset(source);
    const std::unique_ptr<RowSource> stored = rows_of(whole);
    const std::unique_ptr<RowSource> rows = open_rows(source);
    REQUIRE(rows->columns() == whole.columns());
    std::int64_t count = 0;
    for (; count < 3; ++count) {
      const std::span<const float> expected = stored->next(1);
      const std::span<const float> found = rows->next(1);
      REQUIRE(std::vector<float>(found.begin(), found.end()) ==
              std::vector<float>(expected.begin(), expected.end()));
      if (found.empty()) break;
    }
    CHECK(count == 2);
  }
}

TEST_CASE("messages list the formats of the table") {
  const TempDir folder;
  const std::string unknown = write_file(folder.path() / "a", "\1\2\3\4");
  CHECK(message_of(unknown) ==
        unknown +
            ": is of no known format: it begins with the bytes 01 02 03 04. Expected IDX (magic 00 00, type, "
            "dimensions), .npy, a sparse matrix of SciPy (.npz), Matrix Market (%%MatrixMarket), svmlight "
            "text, CSV text, each but an archive also compressed by gzip, or a CIFAR-10 batch (.bin, a "
            "multiple of "
            "3073 bytes long)");
  const std::string array = write_file(folder.path() / "a.npy", npy_bytes("|u1", "2, 1", "ab"));
  const std::string batch = write_file(folder.path() / "a.bin", dark_batch());
  CHECK(message_of(array, batch) ==
        batch + ": is a CIFAR-10 batch; expected labels: IDX, .npy or a CSV file with one label per line");
  CHECK(message_of(array, "", "digit") == array +
                                              ": label column \"digit\" was asked for, but only a CSV table "
                                              "has columns to take labels from; give "
                                              "the labels as a file of their own (--labels)");
}

}  // namespace
}  // namespace vaecuda
