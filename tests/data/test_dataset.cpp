// Dataset in memory: its checks and its selections.
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using Bytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

TEST_CASE("a data set holds rows × columns elements, or is refused") {
  const Dataset bytes(Bytes{1, 2, 3, 4, 5, 6}, 2, 3);
  CHECK(bytes.rows() == 2);
  CHECK(bytes.columns() == 3);
  CHECK(bytes.type() == ElementType::u8);
  CHECK(bytes.bytes() == 6);
  CHECK(bytes.name() == "memory");
  const Dataset floats(Floats{1, 2}, 2, 1);
  CHECK(floats.type() == ElementType::f32);
  CHECK(floats.bytes() == 8);
  CHECK(Dataset().rows() == 0);

  check_error<ConfigError>([] { (void)Dataset(Floats(5), 2, 3); }, {"2 rows and 3 columns", "5 values"});
  check_error<ConfigError>([] { (void)Dataset(Bytes(5), -1, -5); }, {"-1 rows"});
  check_error<ConfigError>([] { (void)Dataset(Bytes(), 5, 0); }, {"0 columns"});
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max() / 2 + 1;
  check_error<ConfigError>([] { (void)Dataset(Bytes(), kHuge, 4); }, {"0 values"});
}

TEST_CASE("picture shapes must fit the columns, however large their sides") {
  Dataset data(Bytes(12), 2, 6);
  data.set_image(ImageShape{2, 3, 1});
  CHECK(data.image() == ImageShape{2, 3, 1});
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  for (const ImageShape& bad : {ImageShape{2, 2, 1}, ImageShape{0, 6, 1}, ImageShape{-2, -3, 1},
                                ImageShape{kHuge, 4, 6}, ImageShape{6, 6, kHuge}}) {
    check_error<ConfigError>([&] { data.set_image(bad); }, {"does not fit rows of 6 values"});
  }
  data.set_image(std::nullopt);
  CHECK_FALSE(data.image());
}

TEST_CASE("labels and factors are one per row") {
  Dataset data(Bytes(4), 2, 2);
  check_error<ConfigError>([&] { data.set_labels({0}, {"a"}); }, {"1 label", "2 rows"});
  check_error<ConfigError>([&] { data.set_labels({0, 1}, {"a"}); }, {"row 1", "class index 1"});
  check_error<ConfigError>([&] { data.set_labels({0, -1}, {"a"}); }, {"class index -1"});
  check_error<ConfigError>(
      [&] {
        data.set_factors({0, 1, 2}, {"x", "y"});
      },
      {"3 factor values", "2 factors"});
  data.set_labels({0, 0}, {"a"});
  data.set_factors({0, 1, 2, 3}, {"x", "y"});
  CHECK(data.labels().size() == 2);
  CHECK(data.factors().size() == 4);
}

TEST_CASE("select takes rows in the order given, with all that belongs to them") {
  Dataset data(Floats{1, 2, 3, 4, 5, 6}, 3, 2);
  data.set_name("table");
  data.set_image(ImageShape{1, 2, 1});
  data.set_column_names({"a", "b"});
  data.set_labels({0, 1, 0}, {"x", "y"});
  data.set_factors({7, 8, 9}, {"f"});
  const std::vector<std::int64_t> chosen = {2, 0, 2};
  const Dataset part = data.select(chosen);
  CHECK(part.rows() == 3);
  CHECK(Floats(part.f32().begin(), part.f32().end()) == Floats{5, 6, 1, 2, 5, 6});
  CHECK(std::vector<std::int32_t>(part.labels().begin(), part.labels().end()) ==
        std::vector<std::int32_t>{0, 0, 0});
  CHECK(std::vector<std::int32_t>(part.factors().begin(), part.factors().end()) ==
        std::vector<std::int32_t>{9, 7, 9});
  CHECK(part.name() == "table");
  CHECK(part.image() == data.image());
  CHECK(part.column_names() == data.column_names());
  CHECK(part.label_names() == data.label_names());
  CHECK(data.select({}).rows() == 0);
  CHECK(data.select({}).columns() == 2);

  const std::vector<std::int64_t> bad = {0, 3};
  check_error<ConfigError>([&] { (void)data.select(bad); }, {"table", "row 3", "3 rows"});
  const std::vector<std::int64_t> negative = {-1};
  check_error<ConfigError>([&] { (void)data.select(negative); }, {"row -1"});
  const Dataset bytes(Bytes{1, 2, 3}, 3, 1);
  CHECK(bytes.select(chosen).u8()[0] == 3);
}

}  // namespace
}  // namespace vaecuda
