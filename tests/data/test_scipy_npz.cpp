// Sparse matrices of SciPy: what is read, and what is refused with its place.
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/sparse.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/zip.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::bytes_of;
using test::check_error;
using test::dense_of;
using test::npy_bytes;
using Parts = std::map<std::string, std::string>;
using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;

std::string vector_of(std::string_view descr, std::size_t count, std::string_view elements) {
  return npy_bytes(descr, std::to_string(count) + ",", elements);
}
std::string ints(const Ints& values) {
  return vector_of("<i4", values.size(), bytes_of(values));
}
std::string text(const std::string& letters) {
  return npy_bytes(
      "{'descr': '|S" + std::to_string(letters.size()) + "', 'fortran_order': False, 'shape': (), }",
      letters);
}
std::string shape(std::int64_t rows, std::int64_t columns) {
  return npy_bytes("<i8", "2,", bytes_of(std::vector<std::int64_t>{rows, columns}));
}

// 0 7 0 9
// 0 0 0 0
// 1 0 2 0
const Floats kDense = {0, 7, 0, 9, 0, 0, 0, 0, 1, 0, 2, 0};

Parts csr() {
  return {{"format", text("csr")},
          {"shape", shape(3, 4)},
          {"indptr", ints({0, 2, 2, 4})},
          {"indices", ints({1, 3, 0, 2})},
          {"data", ints({7, 9, 1, 2})}};
}
Parts csc() {
  return {{"format", text("csc")},
          {"shape", shape(3, 4)},
          {"indptr", ints({0, 1, 2, 3, 4})},
          {"indices", ints({2, 0, 2, 0})},
          {"data", ints({1, 7, 2, 9})}};
}
Parts coo() {
  return {{"format", text("coo")},
          {"shape", shape(3, 4)},
          {"row", ints({2, 0, 2, 0})},
          {"col", ints({2, 3, 0, 1})},
          {"data", ints({2, 9, 1, 7})}};
}

std::string archive(const Parts& parts, bool deflated = true, bool wide = false) {
  std::vector<test::ZipPart> members;
  for (const auto& [name, content] : parts)
    members.push_back({.name = name + ".npy", .content = content, .deflated = deflated});
  return test::zip_bytes(members, wide);
}

class Reader {
 public:
  Dataset read(const std::string& bytes) const {
    DataSource source;
    source.path = test::write_file(folder_.path() / "x.npz", bytes);
    return load_dataset(source);
  }
  Dataset read(const Parts& parts) const { return read(archive(parts)); }
  void refuse(Parts parts, const std::string& array, const std::string& content,
              std::initializer_list<std::string_view> needles) const {
    INFO(array);
    parts[array] = content;
    check_error<FileError>([&] { (void)read(parts); }, needles);
  }

 private:
  test::TempDir folder_;
};

TEST_CASE("the three formats are read, deflated or stored, with and without ZIP64") {
  const Reader reader;
  for (const Parts& parts : {csr(), csc(), coo()}) {
    for (const bool deflated : {false, true}) {
      for (const bool wide : {false, true}) {
        const Dataset data = reader.read(archive(parts, deflated, wide));
        CHECK(data.type() == ElementType::sparse);
        CHECK(data.rows() == 3);
        CHECK(data.columns() == 4);
        CHECK(data.stored() == 4);
        CHECK(dense_of(data) == kDense);
      }
    }
  }
  const std::string notes = reader.read(csr()).notes().description;
  CHECK(notes.find("3 rows × 4 columns, SciPy's csr, int32, uint8 values, 33.3 % of them not 0") !=
        std::string::npos);
}

TEST_CASE("every type of numbers is read") {
  const Reader reader;
  const auto read_as = [&](std::string_view descr, const std::string& elements) {
    Parts parts = csr();
    parts["data"] = vector_of(descr, 4, elements);
    return dense_of(reader.read(parts));
  };
  CHECK(read_as("|u1", bytes_of(std::vector<std::uint8_t>{7, 9, 1, 2})) == kDense);
  CHECK(read_as("<i8", bytes_of(std::vector<std::int64_t>{7, 9, 1, 2})) == kDense);
  CHECK(read_as("<u2", bytes_of(std::vector<std::uint16_t>{7, 9, 1, 2})) == kDense);
  CHECK(read_as("<f8", bytes_of(std::vector<double>{7, 9, 1, 2})) == kDense);
  CHECK(read_as("|b1", "\1\1\1\1") == Floats{0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0});
  Floats expected = kDense;
  expected[1] = 0.5f;
  CHECK(read_as("<f4", bytes_of(Floats{0.5f, 9, 1, 2})) == expected);
  expected[1] = 65536.0f;
  CHECK(read_as("<f4", bytes_of(Floats{65536.0f, 9, 1, 2})) == expected);
  Parts wide = csr();
  wide["indices"] = vector_of("<i8", 4, bytes_of(std::vector<std::int64_t>{1, 3, 0, 2}));
  wide["format"] = npy_bytes("{'descr': '<U3', 'fortran_order': False, 'shape': (), }",
                             std::string("c\0\0\0s\0\0\0r\0\0\0", 12));
  CHECK(dense_of(reader.read(wide)) == kDense);
}

TEST_CASE("columns out of order are put in order and counted, stored zeros dropped") {
  const Reader reader;
  Parts parts = csr();
  parts["indices"] = ints({3, 1, 0, 2});
  parts["data"] = ints({9, 7, 1, 2});
  const Dataset sorted = reader.read(parts);
  CHECK(dense_of(sorted) == kDense);
  CHECK(sorted.notes().description.find("columns of 1 row put in order") != std::string::npos);
  parts = csr();
  parts["data"] = ints({7, 0, 1, 2});
  const Dataset less = reader.read(parts);
  CHECK(less.stored() == 3);
  CHECK(less.notes().description.find("1 stored zero dropped") != std::string::npos);
}

TEST_CASE("repeated entries are summed in coo and refused in csr and csc") {
  const Reader reader;
  Parts parts = coo();
  parts["row"] = ints({2, 0, 2, 0, 2});
  parts["col"] = ints({2, 3, 0, 1, 2});
  parts["data"] = ints({200, 9, 1, 7, 100});
  const Dataset summed = reader.read(parts);
  Floats expected = kDense;
  expected[10] = 300.0f;
  CHECK(dense_of(summed) == expected);
  CHECK(summed.notes().description.find("1 repeated value added") != std::string::npos);
  reader.refuse(csr(), "indices", ints({1, 1, 0, 2}), {"row 0 has column 1 twice"});
  Parts twice = csc();
  twice["indptr"] = ints({0, 2, 2, 3, 4});
  twice["indices"] = ints({2, 2, 2, 0});
  check_error<FileError>([&] { (void)reader.read(twice); }, {"row 2 has column 0 twice"});
  const float most = std::numeric_limits<float>::max();
  parts["data"] = vector_of("<f4", 5, bytes_of(Floats{most, 9, 1, 7, most}));
  check_error<FileError>([&] { (void)reader.read(parts); }, {"row 2, column 2", "too large"});
}

TEST_CASE("a matrix of zeros alone is read") {
  const Reader reader;
  Parts parts = csr();
  parts["indptr"] = ints({0, 0, 0, 0});
  parts["indices"] = ints({});
  parts["data"] = ints({});
  const Dataset data = reader.read(parts);
  CHECK(data.rows() == 3);
  CHECK(data.stored() == 0);
}

TEST_CASE("a matrix that contradicts itself is refused with the place") {
  const Reader reader;
  reader.refuse(csr(), "indices", ints({1, 4, 0, 2}),
                {"x.npz: indices.npy", "element 1 is 4", "out of range"});
  reader.refuse(csr(), "indices", ints({1, -3, 0, 2}), {"element 1 is -3"});
  reader.refuse(csr(), "indices", ints({1, 3, 0}), {"3 elements; expected 4"});
  reader.refuse(csr(), "indices", vector_of("<f4", 4, bytes_of(Floats{1, 3, 0, 2})),
                {"float32", "whole numbers"});
  reader.refuse(csr(), "indptr", ints({0, 2, 1, 4}), {"indptr.npy", "element 2 is 1 behind 2", "never fall"});
  reader.refuse(csr(), "indptr", ints({1, 2, 2, 4}), {"element 0 is 1"});
  reader.refuse(csr(), "indptr", ints({0, 2, 4}), {"3 elements", "3 rows"});
  reader.refuse(csr(), "indptr", ints({0, 2, 2, 5}), {"4 elements; expected 5"});
  reader.refuse(csr(), "data", ints({7, 9, 1}), {"data.npy", "3 elements; expected 4"});
  reader.refuse(csr(), "data",
                vector_of("<f4", 4, bytes_of(Floats{7, std::numeric_limits<float>::quiet_NaN(), 1, 2})),
                {"data.npy", "element 1", "nan"});
  reader.refuse(csr(), "data", vector_of("<i4", 4, bytes_of(Ints{16777217, 9, 1, 2})),
                {"element 0", "16777217"});
  reader.refuse(csr(), "data", vector_of("<f4", 4, bytes_of(Floats{7, 9, 1})), {"truncated"});
  reader.refuse(csr(), "data", npy_bytes("<i4", "2, 2", bytes_of(Ints{7, 9, 1, 2})), {"2 dimensions"});
  reader.refuse(csr(), "shape", shape(0, 4), {"0 × 4"});
  reader.refuse(csr(), "shape", shape(3, std::int64_t{1} << 40), {"shape.npy", "at most 4294967296"});
  reader.refuse(csr(), "shape", ints({3}), {"1 element"});
  reader.refuse(csr(), "shape", shape(3, 3), {"element 1 is 3", "3"});
  reader.refuse(csr(), "format", text("dia"), {"\"dia\"", "tocsr()"});
  reader.refuse(csr(), "format", ints({1}), {"format.npy"});
  reader.refuse(coo(), "row", ints({2, 0, 3, 0}), {"row.npy", "element 2 is 3"});
  reader.refuse(coo(), "row", ints({2, 0, 2}), {"row.npy", "3 elements; expected 4"});
  Parts parts = csr();
  parts.erase("indices");
  check_error<FileError>([&] { (void)reader.read(parts); }, {"without the array \"indices\""});
}

TEST_CASE("a header that promises memory without bytes is refused") {
  const Reader reader;
  reader.refuse(coo(), "shape", shape(std::int64_t{1} << 31, 4), {"2147483648 rows", "4 values"});
  reader.refuse(csr(), "data", npy_bytes("<i4", "1000000000000,", ""), {"data.npy"});
  reader.refuse(csr(), "data", npy_bytes("<i4", "9223372036854775807,", ""), {"data.npy"});
}

TEST_CASE("archives that are damaged or packed otherwise are refused") {
  const Reader reader;
  const auto refuse = [&](const std::function<void(test::ZipPart&)>& change,
                          std::initializer_list<std::string_view> needles) {
    for (const bool deflated : {false, true}) {
      std::vector<test::ZipPart> members;
      for (const auto& [name, content] : csr()) {
        members.push_back({.name = name + ".npy", .content = content, .deflated = deflated});
        if (name == "data") change(members.back());
      }
      check_error<FileError>([&] { (void)reader.read(test::zip_bytes(members)); }, needles);
    }
  };
  refuse([](test::ZipPart& part) { part.checksum_change = 1; }, {"x.npz: data.npy", "checksum"});
  refuse([](test::ZipPart& part) { part.encrypted = true; }, {"zip archive"});
  refuse([](test::ZipPart& part) { part.method = 12; }, {"zip archive"});
  refuse([](test::ZipPart& part) { part.claimed_size = std::int64_t{1} << 40; }, {"zip archive"});
  refuse([](test::ZipPart& part) { part.claimed_size = 20; }, {"x.npz"});
  const std::string whole = archive(csr());
  for (std::size_t size = 4; size < whole.size(); size += 7)
    check_error<FileError>([&] { (void)reader.read(whole.substr(0, size)); }, {"zip archive"});
  check_error<FileError>([&] { (void)reader.read(test::gzip_bytes(whole)); }, {"zip archive"});
}

TEST_CASE("labels come from a file of their own") {
  const test::TempDir folder;
  DataSource source;
  source.path = test::write_file(folder.path() / "x.npz", archive(csr()));
  source.labels_path = test::write_file(folder.path() / "y.csv", "b\na\nb\n");
  const Dataset data = load_dataset(source);
  CHECK(data.labels().size() == 3);
  CHECK(data.label_names() == std::vector<std::string>{"a", "b"});
}

}  // namespace
}  // namespace vaecuda
