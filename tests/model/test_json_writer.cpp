// JsonWriter: what it writes, byte by byte, and that a strict reader has it back.
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/model/json_writer.hpp"
#include "tests/support/catch.hpp"

namespace vaecuda {
namespace {

template <typename T>
std::string written(const T& value) {
  JsonWriter json;
  json.value(value);
  return json.take();
}

}  // namespace

TEST_CASE("commas and colons come by themselves", "[json]") {
  JsonWriter json;
  json.open_object();
  json.key("empty");
  json.open_object();
  json.close_object();
  json.array("numbers", std::vector<std::int64_t>{1, -2});
  json.array("none", std::vector<std::int64_t>{});
  json.member("text", "a");
  json.key("nothing");
  json.null();
  json.member("truth", true);
  json.close_object();
  CHECK(json.take() == R"({"empty":{},"numbers":[1,-2],"none":[],"text":"a","nothing":null,"truth":true})");
}

TEST_CASE("numbers are read back the same and keep their kind", "[json]") {
  CHECK(written(1.0) == "1.0");
  CHECK(written(-0.0) == "-0.0");
  CHECK(written(0.1) == "0.1");
  CHECK(written(1e-8) == "1e-08");
  CHECK(written(1e300) == "1e+300");
  CHECK(written(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  for (const double none : {HUGE_VAL, -HUGE_VAL, std::nan("")}) CHECK(written(none) == "null");
  for (const double value :
       {5e-324, 2.2250738585072014e-308, 1.0 / 3.0, 123456789012345678.0, 1.7976931348623157e308}) {
    const nlohmann::json read = nlohmann::json::parse(written(value));
    CHECK(read.is_number_float());
    CHECK(read.get<double>() == value);
  }
}

TEST_CASE("texts are escaped, and what is no UTF-8 is replaced", "[json]") {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "ä€😀";
  CHECK(nlohmann::json::parse(written(all)).get<std::string>() == all);
  CHECK(nlohmann::json(all).dump() == written(all));
  CHECK(written(std::string("\xff"
                            "a\xc3")) ==
        "\"\xef\xbf\xbd"
        "a\xef\xbf\xbd\"");
  CHECK(nlohmann::json::parse(written(std::string("\xed\xa0\x80"))).is_string());
  // Everything at the borders of what is copied as it is.
  std::vector<std::string> characters{"ä", "€", "😀", ""};
  for (int c = 0; c < 128; ++c) characters.emplace_back(1, static_cast<char>(c));
  for (const std::string& each : characters) {
    for (const std::string& text : {each, "plain" + each, each + "plain", "a" + each + each + "b"})
      CHECK(nlohmann::json(text).dump() == written(text));
  }
  CHECK(written(std::string("a\xff")) == "\"a\xef\xbf\xbd\"");
}

}  // namespace vaecuda
