// The safetensors reader against files made by hand, and the writer against a reader written from the
// specification.
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "host/model/json_scanner.hpp"
#include "host/model/safetensors.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::bytes_of;
using test::check_error;

std::string with_length(std::uint64_t length, const std::string& rest) {
  return bytes_of(std::vector<std::uint64_t>{length}) + rest;
}

std::string file_bytes(const std::string& header, std::size_t data) {
  return with_length(header.size(), header + std::string(data, '\0'));
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

SafetensorsReader opened(const std::string& bytes) {
  return SafetensorsReader(bytes_in_memory("m.safetensors", std::as_bytes(std::span(bytes))));
}

void check_file_refused(const std::string& bytes, std::initializer_list<std::string_view> needles) {
  INFO("bytes: " << bytes.substr(0, 300));
  check_error<FileError>([&] { (void)opened(bytes); }, {"m.safetensors"});
  check_error<FileError>([&] { (void)opened(bytes); }, needles);
}

std::string tensor_json(const std::string& name, const std::string& shape, int begin, int end,
                        const std::string& dtype = "F32") {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" +
         std::to_string(begin) + "," + std::to_string(end) + "]}";
}

TEST_CASE("safetensors: what the specification allows is read", "[safetensors]") {
  const std::string header = "{ \"__metadata__\" : {\"b\":\"\\u00e4\\ud83d\\ude00\\n\",\"a\":\"\"},\n" +
                             tensor_json("scalar", "[]", 8, 12) + ", " + tensor_json("two", "[2,1]", 0, 8) +
                             "," + tensor_json("none", "[0,9223372036854775807,3]", 12, 12) + "," +
                             tensor_json("half", "[3]", 12, 18, "BF16") + "}      ";
  std::string bytes = with_length(header.size(), header + bytes_of(std::vector<float>{1.5F, -2.0F, 3.0F}));
  bytes += std::string(6, '\0');
  SafetensorsReader reader = opened(bytes);
  REQUIRE(reader.entries().size() == 4);
  CHECK(reader.entries()[0].name == "half");
  CHECK(reader.metadata_keys() == std::vector<std::string_view>{"a", "b"});
  const auto text = reader.metadata("b");
  REQUIRE(text);
  CHECK(std::string(text->data(), text->size()) == "\xc3\xa4\xf0\x9f\x98\x80\n");
  CHECK(!reader.metadata("c"));
  CHECK(reader.find("nothing") == nullptr);
  std::vector<float> values(2);
  reader.read_f32(*reader.find("two"), values);
  CHECK(values == std::vector<float>{1.5F, -2.0F});
  std::vector<float> one(1);
  reader.read_f32(*reader.find("scalar"), one);
  CHECK(one[0] == 3.0F);
  CHECK(reader.find("none")->shape.size() == 3);
  check_error<FileError>([&] { reader.read_f32(*reader.find("half"), one); }, {"'half'", "BF16", "float32"});
  CHECK_THROWS_AS(reader.read_f32(*reader.find("two"), one), std::logic_error);
  // No tensor at all is a file too.
  CHECK(opened(file_bytes("{}", 0)).entries().empty());
}

TEST_CASE("safetensors: a length that the file does not have is refused", "[safetensors]") {
  check_file_refused("", {"0 bytes"});
  check_file_refused("1234567", {"7 bytes", "8-byte length"});
  check_file_refused(with_length(0, ""), {"expected '{'"});
  check_file_refused(with_length(3, "{}"), {"byte 0", "3 bytes", "only 2 follow"});
  check_file_refused(with_length(100'000'001, "{}"), {"at most 100000000"});
  check_file_refused(with_length(100'000'000, "{}"), {"truncated"});
  check_file_refused(with_length(std::numeric_limits<std::uint64_t>::max(), "{}"), {"18446744073709551615"});
  check_file_refused(with_length(std::uint64_t{1} << 63U, "{}"), {"at most 100000000"});
}

TEST_CASE("safetensors: a header that is no JSON object of the right form is refused", "[safetensors]") {
  struct Case {
    std::string header;
    std::string_view needle;
  };
  const std::vector<Case> cases = {
      {"[]", "expected '{'"},
      {" {}", "byte 8: expected '{'"},
      {"{", "expected '}'"},
      {"{}\n", "byte 10: expected '}' and spaces"},
      {std::string("{}\0", 3), "expected '}' and spaces"},
      {"{}{}", "byte 10: expected nothing more, found '{}'"},
      {"{\"a\" 1}", "expected ':'"},
      {"{\"a\":1}", "expected '{'"},
      {"{\"a\":{}}", "key 'dtype' is missing"},
      {"{a:{}}", "expected a string"},
      {"{\"a:{}}", "at the end of a string"},
      {"{\"a\tb\":{}}", "control character \\x09"},
      {"{\"\\x\":{}}", "an escape that JSON knows"},
      {"{\"\\u12g4\":{}}", "four hexadecimal digits"},
      {"{\"\\ud800\":{}}", "a low surrogate"},
      {"{\"\\ud800\\u0041\":{}}", "a high surrogate without"},
      {"{\"\\udc00\":{}}", "a low surrogate without"},
      {"{\"\xff\":{}}", "not UTF-8"},
      {"{\"\xc0\x80\":{}}", "not UTF-8"},
      {"{\"__metadata__\":[]}", "expected '{'"},
      {"{\"__metadata__\":{\"a\":1}}", "expected a string"},
      {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", "metadata key 'a' stands there twice"},
      {"{\"__metadata__\":{},\"__metadata__\":{}}", "'__metadata__' stands here twice"},
      {"{" + tensor_json("t", "[0]", 0, 0) + "," + tensor_json("t", "[0]", 0, 0) + "}",
       "'t' stands there twice"},
      {"{" + tensor_json("t", "[0]", 0, 0) + ",}", "expected a string"},
      {"{" + tensor_json("t", "[0]", 0, 0) + " " + tensor_json("u", "[0]", 0, 0) + "}",
       "expected ',' or '}'"},
      {"{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", "twice"},
      {"{\"t\":{\"dtype\":\"F32\",\"shape\":[0]}}", "'data_offsets' is missing"},
      {"{\"t\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":1}}", "unknown key 'x'"},
      {"{\"t\":{\"dtype\":32,\"shape\":[0],\"data_offsets\":[0,0]}}", "expected a string"},
      {"{" + tensor_json("t", "[0]", 0, 0, "F33") + "}", "unknown dtype 'F33'"},
      {"{" + tensor_json("t", "[0]", 0, 0, "f32") + "}", "unknown dtype 'f32'"},
      {"{" + tensor_json("t", "null", 0, 0) + "}", "expected '['"},
      {"{" + tensor_json("t", "[-1]", 0, 0) + "}", "whole number"},
      {"{" + tensor_json("t", "[1.0]", 0, 4) + "}", "whole number"},
      {"{" + tensor_json("t", "[1e0]", 0, 4) + "}", "whole number"},
      {"{" + tensor_json("t", "[01]", 0, 4) + "}", "whole number"},
      {"{" + tensor_json("t", "[\"1\"]", 0, 4) + "}", "whole number"},
      {"{" + tensor_json("t", "[9223372036854775808]", 0, 4) + "}", "whole number"},
      {"{" + tensor_json("t", "[99999999999999999999999]", 0, 4) + "}", "whole number"},
      {"{" + tensor_json("t", "[1,]", 0, 4) + "}", "whole number"},
      {"{" + tensor_json("t", "[[1]]", 0, 4) + "}", "whole number"},
      {"{" + tensor_json("t", "[1,1,1,1,1,1,1,1,1]", 0, 4) + "}", "at most 8 elements"},
      {"{\"t\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0]}}", "expected ','"},
      {"{\"t\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0,0]}}", "expected ']'"},
      {"{\"t\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[-4,0]}}", "whole number"},
  };
  for (const Case& bad : cases) check_file_refused(file_bytes(bad.header, 0), {bad.needle});
}

TEST_CASE("safetensors: tensors that do not fit the data are refused", "[safetensors]") {
  struct Case {
    std::string header;
    std::size_t data;
    std::string_view needle;
  };
  const std::vector<Case> cases = {
      {tensor_json("t", "[1]", 4, 0), 4, "must not be smaller"},
      {tensor_json("t", "[2]", 0, 8), 4, "ends at byte 8 of the tensor data, but the file holds 4"},
      {tensor_json("t", "[2]", 0, 4), 4, "needs 8 bytes"},
      {tensor_json("t", "[]", 0, 8), 8, "needs 4 bytes"},
      {tensor_json("t", "[0]", 0, 4), 4, "needs 0 bytes"},
      {tensor_json("t", "[4611686018427387904,2]", 0, 4), 4, "more bytes than a file can hold"},
      {tensor_json("t", "[4294967296,4294967296]", 0, 0), 0, "more bytes than a file can hold"},
      {tensor_json("t", "[2305843009213693952]", 0, 0), 0, "more bytes than a file can hold"},
      {tensor_json("t", "[1]", 0, 4), 5, "1 bytes follow the last tensor"},
      {"", 4, "4 bytes follow the last tensor"},
      {tensor_json("t", "[1]", 4, 8), 8, "a hole before it"},
      {tensor_json("t", "[1]", 0, 4) + "," + tensor_json("u", "[1]", 8, 12), 12, "a hole before it"},
      {tensor_json("t", "[1]", 0, 4) + "," + tensor_json("u", "[1]", 0, 4), 4, "an overlap"},
      {tensor_json("t", "[2]", 0, 8) + "," + tensor_json("u", "[1]", 4, 8), 8, "an overlap"},
  };
  for (const Case& bad : cases)
    check_file_refused(file_bytes("{" + bad.header + "}", bad.data), {bad.needle});
}

TEST_CASE("safetensors: hostile sizes are refused without the memory for them", "[safetensors]") {
  std::string many = "{";
  for (std::size_t i = 0; i <= kSafetensorsTensors; ++i)
    many += tensor_json(std::to_string(i), "[0]", 0, 0) + ",";
  many.back() = '}';
  check_file_refused(file_bytes(many, 0), {"more than 65536 tensors"});
  std::string keys = "{\"__metadata__\":{";
  for (std::size_t i = 0; i <= kSafetensorsMetadata; ++i) keys += "\"" + std::to_string(i) + "\":\"\",";
  keys.back() = '}';
  check_file_refused(file_bytes(keys + "}", 0), {"more than 1024 keys"});
  // Nested deeper than a recursive parser's stack.
  const std::string deep = "{\"t\":{\"shape\":" + std::string(1'000'000, '[');
  check_file_refused(file_bytes(deep + "}", 0), {"whole number"});
}

TEST_CASE("safetensors: what is no readable file is refused", "[safetensors]") {
  const test::TempDir folder;
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  check_error<FileError>([&] { (void)open_bytes(path("missing")); }, {"missing", "no such file"});
  check_error<FileError>([&] { (void)open_bytes(folder.path().string()); }, {"is a folder"});
  check_error<FileError>([&] { (void)open_bytes("/dev/zero"); }, {"no regular file"});
  test::write_file(path("short"), "12345678");
  check_error<FileError>([&] { (void)open_bytes(path("short") + "/below"); },
                         {"cannot be opened", "Not a directory"});
  const auto source = open_bytes(path("short"));
  std::filesystem::resize_file(path("short"), 4);
  std::vector<std::byte> bytes(8);
  check_error<FileError>([&] { source->read(0, bytes); }, {"ended at byte 4", "another program"});
  // Can be opened; its first byte is nobody's memory.
  const auto memory = open_bytes("/proc/self/mem");
  check_error<FileError>([&] { memory->read(0, bytes); },
                         {"/proc/self/mem", "cannot be read", "Input/output error"});
  const auto block = bytes_in_memory("block", std::span(bytes).first(4));
  CHECK_THROWS_AS(block->read(0, bytes), std::logic_error);
  CHECK_THROWS_AS(block->read(5, std::span(bytes).first(0)), std::logic_error);
}

TEST_CASE("safetensors: a written file is what the specification says", "[safetensors]") {
  const test::TempDir folder;
  const std::string path = (folder.path() / "t.safetensors").string();
  const std::vector<float> b = {1.0F, -0.0F, std::numeric_limits<float>::denorm_min()};
  const std::vector<float> a = {4.0F, 5.0F, 6.0F, 7.0F};
  std::vector<SafetensorsTensor> tensors = {{"b.weight", {3, 1}, b}, {"a\"\n", {2, 2}, a}, {"Z", {0}, {}}};
  write_safetensors(path, {{"note", "caf\xc3\xa9 \xff"}}, tensors);
  const std::string bytes = read_all(path);

  // By the specification alone: length, JSON, offsets from behind the header.
  std::uint64_t length = 0;
  REQUIRE(bytes.size() > 8);
  std::memcpy(&length, bytes.data(), 8);
  CHECK((8 + length) % 8 == 0);
  REQUIRE(bytes.size() == 8 + length + 7 * sizeof(float));
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  CHECK(bytes[8] == '{');
  CHECK(header.size() == 4);
  CHECK(header["__metadata__"]["note"] == "caf\xc3\xa9 \xef\xbf\xbd");
  CHECK(header["Z"]["data_offsets"] == nlohmann::json({0, 0}));
  CHECK(header["a\"\n"]["data_offsets"] == nlohmann::json({0, 16}));
  CHECK(header["b.weight"]["data_offsets"] == nlohmann::json({16, 28}));
  CHECK(header["b.weight"]["shape"] == nlohmann::json({3, 1}));
  CHECK(header["b.weight"]["dtype"] == "F32");
  CHECK(std::memcmp(bytes.data() + 8 + length, a.data(), 16) == 0);
  CHECK(std::memcmp(bytes.data() + 8 + length + 16, b.data(), 12) == 0);
  CHECK(bytes.find("\"Z\"") < bytes.find("__metadata__"));
  CHECK(bytes.find("__metadata__") < bytes.find("\"a\\\""));

  std::swap(tensors[0], tensors[2]);
  write_safetensors(path, {{"note", "caf\xc3\xa9 \xff"}}, tensors);
  CHECK(read_all(path) == bytes);

  tensors[1].name = "Z";
  CHECK_THROWS_AS(write_safetensors(path, {}, tensors), std::logic_error);
  tensors[1] = {"y", {5}, a};
  CHECK_THROWS_AS(write_safetensors(path, {}, tensors), std::logic_error);
  CHECK(read_all(path) == bytes);
  check_error<RuntimeError>(
      [&] {
        write_safetensors(path, {{"k", std::string(100'000'001, 'x')}}, {});
      },
      {"100000000", "header"});
}

TEST_CASE("json scanner: strings that are passed over end where they end", "[safetensors]") {
  const auto skipped = [](std::string text) {
    JsonScanner scanner(text, "t");
    const std::span<char> array = scanner.skip_strings();
    scanner.expect_end();
    return std::string(array.data(), array.size());
  };
  CHECK(skipped(R"( ["a\"b", "\\", "" ] )") == R"(["a\"b", "\\", "" ])");
  for (const char* bad :
       {R"(["a)", R"(["a\)", R"(["a\"])", R"(["a",])", R"(["a")", R"([1])", R"(["a"] "b")"}) {
    INFO(bad);
    check_error<FileError>([&] { (void)skipped(bad); }, {"t, byte "});
  }
}

TEST_CASE("json scanner: numbers and words are what they claim to be", "[safetensors]") {
  const auto real = [](std::string text) { return JsonScanner(text, "t").real(); };
  CHECK(real("-0.5e1") == -5.0);
  CHECK(real("1E+2") == 100.0);
  CHECK(real("0") == 0.0);
  for (const char* bad : {"", "+1", ".5", "1.", "-", "1e", "1e+", "nan", "inf", "Infinity", "0x1", "1e999"}) {
    INFO(bad);
    // "0x1" is a 0 and then something that belongs to nobody.
    const auto whole = [&] {
      std::string text = bad;
      JsonScanner scanner(text, "t");
      (void)scanner.real();
      scanner.expect_end();
    };
    check_error<FileError>(whole, {"t, byte "});
  }
  std::string words = " true false null nul";
  JsonScanner scanner(words, "t", 100);
  CHECK(scanner.boolean());
  CHECK(!scanner.boolean());
  CHECK(scanner.accept_null());
  CHECK(!scanner.accept_null());
  check_error<FileError>([&] { (void)scanner.boolean(); }, {"byte 117", "true or false", "'nul'"});
}

TEST_CASE("json scanner: a value of any kind is passed over, however deep", "[safetensors]") {
  for (const std::string value :
       {"1", "-0.5e3", "true", "false", "null", "\"a\\\"]}\"", "[]", "{}", "[1,[2,[]],{}]",
        R"({"a":{"b":[null,{"c":"}"}]},"d":[{}]})", " [ 1 , { \"a\" : [ ] } ] "}) {
    INFO(value);
    std::string text = value + "!";
    JsonScanner scanner(text, "t");
    scanner.skip_value();
    CHECK(scanner.accept('!'));
  }
  std::string deep = std::string(200000, '[') + std::string(200000, ']');
  JsonScanner scanner(deep, "t");
  scanner.skip_value();
  scanner.expect_end();
  for (const std::string bad :
       {"", "]", "nul", "[1 2]", "[1,]", "[,1]", "[1}", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
        "{\"a\":[}]", "[", "{\"a\":1", "\"a", "01x", "-", "[\"\xff\"]"}) {
    INFO(bad);
    check_error<FileError>(
        [&] {
          std::string text = bad;
          JsonScanner reader(text, "t");
          reader.skip_value();
          reader.expect_end();
        },
        {"t, byte "});
  }
}

}  // namespace
}  // namespace vaecuda
