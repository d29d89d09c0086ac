// TensorBoard event files, read back by a small reader that shares nothing with the writer but the checksum,
// which has known answers of its own.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/report/png.hpp"
#include "host/report/tensorboard.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

std::uint32_t crc_of(std::string_view text) {
  return crc32c(std::as_bytes(std::span(text)));
}

std::shared_ptr<const Folder> opened(const std::filesystem::path& folder) {
  return std::make_shared<const Folder>(folder);
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::vector<std::string> read_records(const std::string& file) {
  std::vector<std::string> records;
  const auto unmask = [](std::uint64_t masked) {
    const auto rotated = static_cast<std::uint32_t>(masked) - 0xA282EAD8U;
    return rotated >> 17 | rotated << 15;
  };
  for (std::string_view rest = file; !rest.empty();) {
    REQUIRE(rest.size() >= 16);
    const std::uint64_t length = little_endian(rest.substr(0, 8));
    REQUIRE(unmask(little_endian(rest.substr(8, 4))) == crc_of(rest.substr(0, 8)));
    REQUIRE(rest.size() >= 16 + length);
    const std::string_view record = rest.substr(12, length);
    REQUIRE(unmask(little_endian(rest.substr(12 + length, 4))) == crc_of(record));
    records.emplace_back(record);
    rest.remove_prefix(16 + length);
  }
  return records;
}

struct Field {
  int wire_type = 0;
  std::uint64_t integer = 0;  // wire types 0, 1 and 5
  std::string bytes;          // wire type 2
};
using Fields = std::multimap<std::uint64_t, Field>;

std::uint64_t take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE(!rest.empty());
    REQUIRE(shift < 64);
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
}

Fields parse(std::string_view rest) {
  Fields fields;
  while (!rest.empty()) {
    const std::uint64_t key = take_varint(rest);
    Field field;
    field.wire_type = static_cast<int>(key & 7);
    if (field.wire_type == 0) {
      field.integer = take_varint(rest);
    } else {
      const std::uint64_t size = field.wire_type == 2 ? take_varint(rest) : field.wire_type == 1 ? 8 : 4;
      REQUIRE((field.wire_type == 1 || field.wire_type == 2 || field.wire_type == 5));
      REQUIRE(rest.size() >= size);
      field.bytes = rest.substr(0, size);
      if (field.wire_type != 2) field.integer = little_endian(field.bytes);
      rest.remove_prefix(size);
    }
    fields.emplace(key >> 3, field);
  }
  return fields;
}

const Field& only(const Fields& fields, std::uint64_t number, int wire_type) {
  REQUIRE(fields.count(number) == 1);
  const Field& field = fields.find(number)->second;
  REQUIRE(field.wire_type == wire_type);
  return field;
}

double as_double(const Field& field) {
  double value = 0.0;
  std::memcpy(&value, &field.integer, sizeof value);
  return value;
}

float as_float(const Field& field) {
  const auto bits = static_cast<std::uint32_t>(field.integer);
  float value = 0.0F;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

TEST_CASE("crc32c: known answers") {
  CHECK(crc_of("123456789") == 0xE3069283U);
  CHECK(crc_of("") == 0U);
  CHECK(crc_of(std::string(32, '\0')) == 0x8A9136AAU);  // RFC 3720, appendix B.4
  CHECK(crc_of(std::string(32, '\xFF')) == 0x62A8AB43U);
}

TEST_CASE("tensorboard: the file is named for the second it was begun and opens with the version") {
  const test::TempDir folder;
  const EventFile file(opened(folder.path()), 1'700'000'000.75);
  CHECK(file.path() == folder.path() / "events.out.tfevents.1700000000.vaecuda");
  const auto records = read_records(read(file.path()));
  REQUIRE(records.size() == 1);
  const Fields event = parse(records[0]);
  CHECK(event.size() == 2);
  CHECK(as_double(only(event, 1, 1)) == 1'700'000'000.75);
  CHECK(only(event, 3, 2).bytes == "brain.Event:2");
}

TEST_CASE("tensorboard: scalars") {
  const test::TempDir folder;
  EventFile file(opened(folder.path()), 10.0);
  const std::vector<Scalar> first = {{"train/loss", 105.5F}, {"train/kl", -0.0F}};
  file.add_scalars(first, 300, 11.5);
  // The largest step, an empty tag, one that needs two bytes for its length, and values that are not finite.
  const std::string long_tag(300, 't');
  const std::vector<Scalar> second = {{"", std::numeric_limits<float>::infinity()},
                                      {long_tag, std::numeric_limits<float>::quiet_NaN()}};
  file.add_scalars(second, std::numeric_limits<std::int64_t>::max(), 12.0);

  const auto records = read_records(read(file.path()));
  REQUIRE(records.size() == 3);
  const auto check_event = [&](const std::string& record, double time, std::int64_t step,
                               const std::vector<Scalar>& scalars) {
    const Fields event = parse(record);
    CHECK(event.size() == 3);
    CHECK(as_double(only(event, 1, 1)) == time);
    CHECK(only(event, 2, 0).integer == static_cast<std::uint64_t>(step));
    const Fields summary = parse(only(event, 5, 2).bytes);
    REQUIRE(summary.size() == scalars.size());
    REQUIRE(summary.count(1) == scalars.size());
    auto it = summary.begin();
    for (const Scalar& scalar : scalars) {
      const Fields value = parse((it++)->second.bytes);
      CHECK(value.size() == 2);
      CHECK(only(value, 1, 2).bytes == scalar.tag);
      const float written = as_float(only(value, 2, 5));
      CHECK(std::memcmp(&written, &scalar.value, sizeof written) == 0);
    }
  };
  check_event(records[1], 11.5, 300, first);
  check_event(records[2], 12.0, std::numeric_limits<std::int64_t>::max(), second);
}

TEST_CASE("tensorboard: pictures") {
  const test::TempDir folder;
  EventFile file(opened(folder.path()), 10.0);
  for (const std::int64_t channels : {1, 3}) {
    Image image{2, 200, channels, {}};
    for (std::int64_t i = 0; i < 400 * channels; ++i)
      image.pixels.push_back(static_cast<std::uint8_t>(i * 37));
    file.add_image("samples", EncodedImage(image), channels, 20.0);
    const auto records = read_records(read(file.path()));
    const Fields event = parse(records.back());
    CHECK(only(event, 2, 0).integer == static_cast<std::uint64_t>(channels));
    const Fields value = parse(only(parse(only(event, 5, 2).bytes), 1, 2).bytes);
    CHECK(only(value, 1, 2).bytes == "samples");
    const Fields picture = parse(only(value, 4, 2).bytes);
    CHECK(picture.size() == 4);
    CHECK(only(picture, 1, 0).integer == 2);
    CHECK(only(picture, 2, 0).integer == 200);
    CHECK(only(picture, 3, 0).integer == static_cast<std::uint64_t>(channels));
    const std::string& bytes = only(picture, 4, 2).bytes;
    CHECK(std::vector<std::uint8_t>(bytes.begin(), bytes.end()) == encode_png(image));
  }
}

TEST_CASE("tensorboard: a file of that name is continued, with one version record") {
  const test::TempDir folder;
  const std::vector<Scalar> scalars = {{"loss", 1.0F}};
  for (int session = 0; session < 2; ++session) {
    EventFile file(opened(folder.path()), 50.25);
    file.add_scalars(scalars, session, 51.0);
    file.sync();
  }
  const auto records = read_records(read(folder.path() / "events.out.tfevents.50.vaecuda"));
  REQUIRE(records.size() == 3);
  CHECK(parse(records[0]).count(3) == 1);
  CHECK(only(parse(records[1]), 2, 0).integer == 0);
  CHECK(only(parse(records[2]), 2, 0).integer == 1);
}

TEST_CASE(
    "tensorboard: a file goes with its folder where that is moved, and one that cannot be made is named") {
  const test::TempDir folder;
  std::filesystem::create_directory(folder.path() / "run");
  const auto run = opened(folder.path() / "run");
  std::filesystem::rename(folder.path() / "run", folder.path() / "moved");
  std::filesystem::create_directory(folder.path() / "run");
  { const EventFile file(run, 1.0); }
  CHECK(std::filesystem::exists(folder.path() / "moved" / "events.out.tfevents.1.vaecuda"));
  CHECK(std::filesystem::is_empty(folder.path() / "run"));
  CHECK(run->path_now() == std::filesystem::canonical(folder.path()) / "moved");

  std::filesystem::remove_all(folder.path() / "moved");
  try {
    const EventFile file(run, 2.0);
    FAIL("opened");
  } catch (const RuntimeError& error) {
    CHECK(std::string(error.what()).find("run/events.out.tfevents.2.vaecuda") != std::string::npos);
  }
}

}  // namespace vaecuda
