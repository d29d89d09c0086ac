// Gzip as a container: every kind of damage, several members, and how much memory reading takes.
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::gzip_bytes;
using test::idx_header;
using test::TempDir;
using test::write_file;

constexpr bool kSanitized = !std::string_view(VAECUDA_SANITIZED).empty();

Dataset load(const std::string& path) {
  DataSource source;
  source.path = path;
  return load_dataset(source);
}

// Incompressible, so that damage cannot fall into a run.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 7;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

std::string read_all(const std::string& path) {
  data::ByteSource source(path);
  std::string all;
  std::vector<std::uint8_t> piece(1000);
  while (const std::size_t got = source.read_some(piece)) all.append(piece.begin(), piece.begin() + got);
  CHECK(source.position() == static_cast<std::int64_t>(all.size()));
  return all;
}

TEST_CASE("content is the same plain, compressed, in several members, whatever the name") {
  const TempDir folder;
  const std::string content = noise(300000);
  const std::string empty_member = gzip_bytes("");
  CHECK(read_all(write_file(folder.path() / "a.gz", content)) == content);
  CHECK(read_all(write_file(folder.path() / "a", gzip_bytes(content))) == content);
  const std::string members = empty_member + gzip_bytes(content.substr(0, 7)) + empty_member +
                              gzip_bytes(content.substr(7)) + empty_member;
  CHECK(read_all(write_file(folder.path() / "a", members)) == content);
}

TEST_CASE("peeking consumes nothing") {
  const TempDir folder;
  const std::string content = noise(200000);
  for (const bool compressed : {false, true}) {
    data::ByteSource source(write_file(folder.path() / "a", compressed ? gzip_bytes(content) : content));
    CHECK(source.peek(10).size() == 10);
    CHECK(source.peek(100000).size() == 100000);
    CHECK(source.position() == 0);
    std::vector<std::uint8_t> piece(150000);
    source.read(piece, "all");
    CHECK(std::string(piece.begin(), piece.end()) == content.substr(0, 150000));
    CHECK(source.peek(60000).size() == 50000);
    CHECK(source.size().has_value() == !compressed);
  }
}

TEST_CASE("damaged gzip files are refused") {
  const TempDir folder;
  const auto path = folder.path() / "bad.gz";
  const std::string good = gzip_bytes(idx_header(0x08, {300, 200}) + noise(60000));
  REQUIRE(load(write_file(path, good)).rows() == 300);
  const auto refuse = [&](const std::string& bytes, std::initializer_list<std::string_view> needles) {
    write_file(path, bytes);
    check_error<FileError>([&] { (void)load(path.string()); }, {path.native()});
    check_error<FileError>([&] { (void)load(path.string()); }, needles);
  };
  const auto flipped = [&](std::size_t place) {
    std::string bytes = good;
    bytes[place] = static_cast<char>(bytes[place] ^ 0x55);
    return bytes;
  };
  refuse(flipped(good.size() - 6), {"damaged gzip", "data check"});    // the CRC
  refuse(flipped(good.size() - 2), {"damaged gzip", "length check"});  // the length
  refuse(flipped(2), {"damaged gzip", "compression method"});
  refuse(good.substr(0, good.size() / 2), {"truncated", "byte " + std::to_string(good.size() / 2)});
  refuse(good.substr(0, good.size() - 8), {"truncated"});  // only the trailer is missing
  refuse(good.substr(0, good.size() - 1), {"truncated"});
  refuse(good.substr(0, 5), {"truncated"});
  refuse(good + "x", {"behind the end", "byte " + std::to_string(good.size())});
  refuse(good + std::string(512, '\0'), {"behind the end"});
  refuse(good + good.substr(0, 12), {"truncated"});
  refuse(good + gzip_bytes("x"), {"trailing bytes", "byte 60012 of the uncompressed data"});
  refuse(gzip_bytes(idx_header(0x08, {300, 200}) + noise(59999)), {"ends at byte 60011", "1 byte more"});
  refuse(gzip_bytes(""), {"empty"});
  refuse(gzip_bytes(good), {"gzip inside gzip"});
}

TEST_CASE("a small file that promises much is refused at once, without asking for the memory") {
  const TempDir folder;
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& header :
       {idx_header(0x08, {0x7fffffff, 512}), idx_header(0x0d, {1U << 20, 1U << 20})}) {
    const std::string path = write_file(folder.path() / "bomb.gz", gzip_bytes(header + "few bytes"));
    check_error<FileError>([&] { (void)load(path); }, {"bomb.gz", "cannot hold what its header promises"});
  }
  const std::string npy = test::npy_bytes("<f8", "1099511627776,", "few bytes");
  check_error<FileError>([&] { (void)load(write_file(folder.path() / "bomb", gzip_bytes(npy))); },
                         {"cannot hold"});
  check_error<FileError>([&] { (void)load(write_file(folder.path() / "bomb", npy)); }, {"truncated"});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
}

// Peak resident set in bytes, from /proc; 0 where the system does not tell.
std::int64_t peak_resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

// Starts a new peak at what is resident now.
bool reset_peak() {
  std::ofstream control("/proc/self/clear_refs");
  control << "5";
  return static_cast<bool>(control.flush());
}

TEST_CASE("reading holds the data set once, plus a small buffer") {
  if (kSanitized || !reset_peak() || peak_resident_bytes() == 0) {
    std::cout
        << "skipped: peak memory (a sanitizer's own memory hides it, or /proc/self/clear_refs is absent)\n";
    return;
  }
  const TempDir folder;
  constexpr std::int64_t kMiB = 1 << 20;
  const auto growth_of = [](const std::string& path, std::int64_t expected_bytes) {
    REQUIRE(reset_peak());
    const std::int64_t before = peak_resident_bytes();
    const Dataset data = load(path);
    CHECK(data.bytes() == expected_bytes);
    return peak_resident_bytes() - before;
  };
  SECTION("IDX, compressed") {
    const std::string path =
        write_file(folder.path() / "a.gz",
                   gzip_bytes(idx_header(0x08, {1 << 16, 1 << 10}) + std::string(64 * kMiB, 1), 1));
    CHECK(growth_of(path, 64 * kMiB) < 64 * kMiB + 8 * kMiB);
  }
  SECTION(".npy of doubles: f32 in memory, never the doubles too") {
    const std::string path =
        write_file(folder.path() / "a.npy", test::npy_bytes("<f8", "8388608,", std::string(64 * kMiB, '\0')));
    CHECK(growth_of(path, 32 * kMiB) < 32 * kMiB + 8 * kMiB);
  }
  SECTION("CSV: one block of 40 MiB beside the data set") {
    std::string text;
    for (int row = 0; row < 1 << 20; ++row) text += "1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6\n";
    const std::string path = write_file(folder.path() / "a.csv", text);
    text = std::string();
    CHECK(growth_of(path, 96 * kMiB) < 96 * kMiB + 48 * kMiB);
  }
}

}  // namespace
}  // namespace vaecuda
