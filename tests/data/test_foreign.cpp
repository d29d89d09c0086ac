// Formats that are not read are named for what they are.
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using namespace std::string_literals;
using test::check_error;

/// A zip archive of empty members without compression.
std::string zip_of(const std::vector<std::string>& names) {
  const auto number = [](std::size_t value, int size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
    return bytes;
  };
  std::string members;
  std::string directory;
  for (const std::string& name : names) {
    directory += "PK\1\2" + std::string(24, '\0') + number(name.size(), 2) + std::string(12, '\0') +
                 number(members.size(), 4) + name;
    members += "PK\3\4" + std::string(22, '\0') + number(name.size(), 2) + number(0, 2) + name;
  }
  return members + directory + "PK\5\6" + number(0, 4) + number(names.size(), 2) + number(names.size(), 2) +
         number(directory.size(), 4) + number(members.size(), 4) + number(0, 2);
}

struct Case {
  std::string content;
  std::string_view named;
};

TEST_CASE("foreign formats are named, with what to do about them") {
  const test::TempDir folder;
  const std::string zeros(64, '\0');
  const std::vector<Case> cases = {
      {"\x80\x05\x95\x10"s + zeros, "Python pickle"},
      {"\x80\x02}q\x01"s + zeros, "Python pickle"},
      {"(dp0\nS'a'\n", "Python pickle"},
      {"cnumpy.core.multiarray\n_reconstruct\n", "Python pickle"},
      {"FEA1"s + zeros, "Feather"},
      {"ARROW1"s + zeros, "Arrow"},
      {"PAR1"s + zeros, "Parquet"},
      {"SQLite format 3\0"s + zeros, "SQLite"},
      {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"s + zeros, ".xls"},
      {"BZh91AY&SY"s + zeros, "bzip2"},
      {"\x28\xb5\x2f\xfd"s + zeros, "zstd"},
      {"\xfd\x37zXZ"s + zeros, "xz"},
      {"RIFF\x10\0\0\0AVI LIST"s + zeros, "AVI"},
      {"\0\0\0\x18"
       "ftypmp42"s +
           zeros,
       "MP4"},
      {test::gzip_bytes("X\n\0\0\0\3"s + zeros), "R object"},
      {test::gzip_bytes("RDX3\nX\n"s + zeros), "R workspace"},
      {"a\0,\0b\0\n\0"
       "1\0,\0"
       "2\0\n\0"s,
       "UTF-16"},
      {"\0a\0,\0b\0\n\0"
       "1\0,\0"
       "2\0\n"s,
       "UTF-16"},
      {zip_of({"[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"}), "Excel workbook"},
      {zip_of({"[Content_Types].xml", "word/document.xml"}), "Office document"},
      {zip_of({"indices.npy", "indptr.npy", "format.npy", "shape.npy"}), "sparse matrix of SciPy"},
      {zip_of({"row.npy", "col.npy", "format.npy", "data.npy"}), "sparse matrix"},
      {zip_of({"train.npy", "labels.npy"}), "holds \"train.npy\", \"labels.npy\""},
      {zip_of({"archive/data.pkl", "archive/data/0"}), "PyTorch"},
      {zip_of({"table.csv"}), "holds \"table.csv\""},
      {"% a comment\n@RELATION iono\n@ATTRIBUTE a NUMERIC\n@DATA\n1\n", "ARFF"},
      {"<!DOCTYPE html>\n<html></html>\n", "HTML"},
      {"<HTML><body>", "HTML"},
      {"<?xml version=\"1.0\"?>\n<a/>\n", "XML"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"},
      {"[{\"a\": 1}, {\"a\": 2}]\n", "JSON"},
      {"{\"a\": [1, 2]}\n", "JSON"},
      {"# exported by a logger\n# units: K\na,b\n1,2\n", "first line is a comment"},
  };
  for (const Case& one : cases) {
    INFO(one.named);
    DataSource source;
    source.path = test::write_file(folder.path() / "file", one.content);
    check_error<FileError>([&] { (void)load_dataset(source); }, {one.named});
    // An archive is not to be unpacked: what lies in it may be no rows.
    try {
      (void)load_dataset(source);
    } catch (const FileError& error) {
      const std::string message = error.what();
      if (message.find(".npy\"") != std::string::npos) CHECK(message.find("unpack") == std::string::npos);
      CHECK(message.find("--label-column") == std::string::npos);
    }
  }
}

TEST_CASE("a zip archive whose directory is damaged is named all the same") {
  const test::TempDir folder;
  const std::string whole = zip_of({"a.npy", "b.npy"});
  for (std::size_t size = 4; size < whole.size(); ++size) {
    DataSource source;
    source.path = test::write_file(folder.path() / "cut.npz", whole.substr(0, size));
    check_error<FileError>([&] { (void)load_dataset(source); }, {"zip archive"});
  }
}

}  // namespace
}  // namespace vaecuda
