// IDX and .npy: what is read, and what is refused with its place.
#include <sys/stat.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::bytes_of;
using test::check_error;
using test::idx_header;
using test::npy_bytes;
using test::TempDir;
using test::write_file;

Dataset load(const std::string& path) {
  DataSource source;
  source.path = path;
  return load_dataset(source);
}

template <class T>
std::vector<T> copy(std::span<const T> values) {
  return {values.begin(), values.end()};
}

TEST_CASE("IDX bytes stay bytes, and three dimensions are pictures") {
  const TempDir folder;
  const std::string pixels = bytes_of(std::vector<std::uint8_t>{0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 11});
  const Dataset data = load(write_file(folder.path() / "any.name", idx_header(0x08, {2, 3, 2}) + pixels));
  CHECK(data.rows() == 2);
  CHECK(data.columns() == 6);
  CHECK(data.type() == ElementType::u8);
  CHECK(data.image() == ImageShape{3, 2, 1});
  CHECK(copy(data.u8()) == std::vector<std::uint8_t>{0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 11});
  CHECK(data.f32().empty());
  CHECK(data.bytes() == 12);
  CHECK(data.name() == (folder.path() / "any.name").string());
}

TEST_CASE("IDX shapes: one dimension is a column, four are pictures with up to four channels") {
  const TempDir folder;
  const auto load_dims = [&](const std::vector<std::uint32_t>& dims, std::size_t bytes) {
    return load(write_file(folder.path() / "x", idx_header(0x08, dims) + std::string(bytes, '\1')));
  };
  CHECK(load_dims({5}, 5).columns() == 1);
  CHECK_FALSE(load_dims({5, 2}, 10).image());
  CHECK(load_dims({2, 2, 2, 3}, 24).image() == ImageShape{2, 2, 3});
  CHECK_FALSE(load_dims({2, 2, 2, 5}, 40).image());
  CHECK(load_dims({2, 1, 1, 1, 1, 1, 1, 3}, 6).columns() == 3);
}

TEST_CASE("IDX of every other type becomes f32, whatever the byte order of the machine") {
  const TempDir folder;
  const auto load_as = [&](std::uint8_t type, const std::string& bytes) {
    return copy(load(write_file(folder.path() / "x", idx_header(type, {1, 3}) + bytes)).f32());
  };
  CHECK(load_as(0x09, bytes_of(std::vector<std::int8_t>{-128, 0, 127}, true)) ==
        std::vector<float>{-128, 0, 127});
  CHECK(load_as(0x0b, bytes_of(std::vector<std::int16_t>{-32768, 1, 32767}, true)) ==
        std::vector<float>{-32768, 1, 32767});
  // 2^24 + 2 and -2^31 are exact in f32; 2^24 + 1 is not.
  CHECK(load_as(0x0c, bytes_of(std::vector<std::int32_t>{16777218, 7, INT32_MIN}, true)) ==
        std::vector<float>{16777218.0F, 7, -2147483648.0F});
  CHECK(load_as(0x0d, bytes_of(std::vector<float>{1.5F, -0.1F, 1e-40F}, true)) ==
        std::vector<float>{1.5F, -0.1F, 1e-40F});
  CHECK(load_as(0x0e, bytes_of(std::vector<double>{1.5, 0.1, 1e-300}, true)) ==
        std::vector<float>{1.5F, 0.1F, 0.0F});
}

TEST_CASE("broken IDX files are refused with file and place") {
  const TempDir folder;
  const auto path = folder.path() / "bad.idx";
  const auto refuse = [&](const std::string& bytes, std::initializer_list<std::string_view> needles) {
    write_file(path, bytes);
    check_error<FileError>([&] { (void)load(path.string()); }, {path.native()});
    check_error<FileError>([&] { (void)load(path.string()); }, needles);
  };
  const std::string six(6, '\1');
  refuse(idx_header(0x0a, {2, 3}) + six, {"wrong IDX magic", "0x0a", "byte 2"});
  refuse(std::string("\0\0\x08\0", 4) + six, {"0 dimensions", "byte 3", "1 to 8"});
  refuse(std::string("\0\0\x08\x09", 4) + std::string(40, '\1'), {"9 dimensions"});
  refuse(idx_header(0x08, {2, 3}) + "12345", {"truncated", "6 bytes", "byte 12", "after 5"});
  refuse(idx_header(0x08, {2, 3}) + "1234567", {"trailing bytes", "byte 18", "19 bytes"});
  refuse(idx_header(0x08, {2, 3}).substr(0, 9), {"ends at byte 9", "IDX header"});
  refuse(std::string("\0\0\x08", 3), {"ends at byte 3", "IDX header", "1 byte more"});
  refuse(idx_header(0x08, {0, 3}), {"0 as dimension 1"});
  refuse(idx_header(0x08, {2, 0}), {"0 as dimension 2", "2×0"});
  refuse(idx_header(0x08, {0xffffffff, 0xffffffff, 2}) + six, {"2^63"});
  refuse(idx_header(0x0e, {0x80000000, 0x40000000}) + six, {"2^63"});
  refuse(idx_header(0x08, {0x7fffffff, 0x7fffffff}) + six, {"truncated"});
  refuse(std::string("\0\1\x08\1\0\0\0\1x", 9), {"no known format", "00 01 08 01"});
  refuse(idx_header(0x0c, {2, 2}) + bytes_of(std::vector<std::int32_t>{1, 2, 3, 16777217}, true),
         {"row 1, column 1", "16777217", "exactly"});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  refuse(idx_header(0x0d, {2, 2}) + bytes_of(std::vector<float>{1, 2, nan, 4}, true),
         {"row 1, column 0", "nan", "finite"});
  refuse(idx_header(0x0d, {2, 2}) + bytes_of(std::vector<float>{1, -infinity, 3, 4}, true),
         {"row 0, column 1", "-inf"});
  refuse(idx_header(0x0e, {1, 2}) + bytes_of(std::vector<double>{1, 1e39}, true),
         {"row 0, column 1", "1e+39", "large"});
}

TEST_CASE(".npy of every readable type") {
  const TempDir folder;
  const auto load_as = [&](std::string_view descr, const std::string& bytes) {
    return copy(load(write_file(folder.path() / "x", npy_bytes(descr, "1, 2", bytes))).f32());
  };
  CHECK(load_as("|b1", {"\1\0", 2}) == std::vector<float>{1, 0});
  CHECK(load_as("|i1", bytes_of(std::vector<std::int8_t>{-1, 5})) == std::vector<float>{-1, 5});
  CHECK(load_as("<u2", bytes_of(std::vector<std::uint16_t>{65535, 5})) == std::vector<float>{65535, 5});
  CHECK(load_as("<i2", bytes_of(std::vector<std::int16_t>{-300, 5})) == std::vector<float>{-300, 5});
  CHECK(load_as("<u4", bytes_of(std::vector<std::uint32_t>{1U << 31, 5})) ==
        std::vector<float>{2147483648.0F, 5});
  CHECK(load_as("<i4", bytes_of(std::vector<std::int32_t>{-300, 5})) == std::vector<float>{-300, 5});
  CHECK(load_as("<u8", bytes_of(std::vector<std::uint64_t>{1ULL << 63, 5})) ==
        std::vector<float>{0x1p63F, 5});
  CHECK(load_as("<i8", bytes_of(std::vector<std::int64_t>{INT64_MIN, 5})) == std::vector<float>{-0x1p63F, 5});
  CHECK(load_as("<f4", bytes_of(std::vector<float>{-0.25F, 5})) == std::vector<float>{-0.25F, 5});
  CHECK(load_as("=f8", bytes_of(std::vector<double>{0.1, 5})) == std::vector<float>{0.1F, 5});

  const Dataset bytes = load(write_file(folder.path() / "x", npy_bytes("|u1", "2, 1, 1, 3", "abcdef")));
  CHECK(bytes.type() == ElementType::u8);
  CHECK(bytes.image() == ImageShape{1, 1, 3});
  CHECK(copy(bytes.u8()) == std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'});
  const Dataset column = load(write_file(folder.path() / "x", npy_bytes("|u1", "3,", "abc")));
  CHECK(column.rows() == 3);
  CHECK(column.columns() == 1);
}

TEST_CASE(".npy headers of versions 1 to 3, in any order of keys") {
  const TempDir folder;
  const std::string dictionary = "{\"shape\": (2L, 1L), 'fortran_order': False , 'descr': '|u1'}  \n";
  for (const char version : {'\2', '\3'}) {
    const std::string file =
        std::string("\x93NUMPY") + version + '\0' +
        bytes_of(std::vector<std::uint32_t>{static_cast<std::uint32_t>(dictionary.size())}) + dictionary +
        "ab";
    CHECK(load(write_file(folder.path() / "x", file)).rows() == 2);
  }
  CHECK(load(write_file(folder.path() / "x", npy_bytes(dictionary, "ab"))).rows() == 2);
}

TEST_CASE("broken .npy files are refused with file and place") {
  const TempDir folder;
  const auto path = folder.path() / "bad.npy";
  const auto refuse = [&](const std::string& bytes, std::initializer_list<std::string_view> needles) {
    write_file(path, bytes);
    check_error<FileError>([&] { (void)load(path.string()); }, {path.native()});
    check_error<FileError>([&] { (void)load(path.string()); }, needles);
  };
  refuse(npy_bytes("|O", "2,", "abcd"), {"Python objects", "|O"});
  refuse(npy_bytes(">f4", "1,", "abcd"), {"big-endian", "'<f4'"});
  refuse(npy_bytes("<c8", "1,", "abcdefgh"), {"dtype", "<c8"});
  refuse(npy_bytes("<f2", "1,", "ab"), {"dtype", "<f2"});
  refuse(npy_bytes("", "1,", "ab"), {"dtype"});
  refuse(npy_bytes("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "abcd"),
         {"structured array"});
  refuse(npy_bytes("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1)}", "abcd"), {"Fortran order"});
  refuse(npy_bytes("<f4", "", "abcd"), {"single number"});
  refuse(npy_bytes("<f4", "0, 3", ""), {"0 as dimension 1"});
  refuse(npy_bytes("<f4", "-1, 3", ""), {"-1 as dimension 1"});
  refuse(npy_bytes("<f4", "2, 3", "abcd"), {"truncated", "24 bytes", "after 4"});
  refuse(npy_bytes("<f4", "1,", "abcde"), {"trailing bytes"});
  refuse(npy_bytes("<f4", "4294967296, 4294967296", "abcd"), {"2^63"});
  refuse(npy_bytes("<f4", "9223372036854775808,", "abcd"), {"2^63"});
  refuse(npy_bytes("{'descr': '<f4', 'shape': (1,)}", "abcd"), {"'fortran_order' is missing"});
  refuse(npy_bytes("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", "abcd"), {"True or False"});
  refuse(npy_bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "abcd"),
         {"unknown key", "x"});
  refuse(npy_bytes("{'descr': '<f4", "abcd"), {"unclosed string"});
  refuse(npy_bytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1", "abcd"), {"expected ')'"});
  refuse(npy_bytes("", "abcd"), {"expected '{'"});
  refuse(std::string("\x93NUMPY\x04\0", 8) + "abcdefgh", {"version 4.0"});
  refuse(std::string("\x93NUMPY\x01\0\xff\xff", 10) + "{}", {"claims", "65535"});
  refuse(std::string("\x93NUMPY\x01\0", 8), {"ends at byte 8", "2 bytes more"});
  refuse(npy_bytes("|b1", "2,", {"\1\2", 2}), {"row 1, column 0", "boolean"});
  refuse(npy_bytes("<i8", "1, 2", bytes_of(std::vector<std::int64_t>{1, (1LL << 40) + 1})),
         {"row 0, column 1", "1099511627777", "exactly"});
  refuse(npy_bytes("<i8", "1,", bytes_of(std::vector<std::int64_t>{-16777217})), {"-16777217", "exactly"});
  refuse(npy_bytes("<u8", "1,", bytes_of(std::vector<std::uint64_t>{UINT64_MAX})), {"18446744073709551615"});
  refuse(npy_bytes("<f8", "1,", bytes_of(std::vector<double>{-1e300})), {"row 0, column 0", "too large"});
  refuse(npy_bytes("<f8", "1,", bytes_of(std::vector<double>{std::nan("")})), {"finite"});
}

TEST_CASE("a header that promises more than any memory is refused where no size gives it the lie") {
  const TempDir folder;
  const std::string path = (folder.path() / "pipe").string();
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(path) << idx_header(0x09, {0x7fffffff, 0x7fffffff}); });
  check_error<OutOfMemoryError>([&] { (void)load(path); },
                                {path, "needs", "of memory", "4611686014132420609 elements"});
  writer.join();
}

}  // namespace
}  // namespace vaecuda
