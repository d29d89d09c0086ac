// Columns that meet by name: order, what is left out, and what is refused.
#include <cstdint>
#include <string>
#include <vector>

#include "host/data/match_columns.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::data {
namespace {

using test::check_error;
using Names = std::vector<std::string>;
using Order = std::vector<std::int64_t>;

ColumnMatch match(const Names& wanted, const Names& given, const std::string& label = "") {
  return match_columns({"the model", static_cast<std::int64_t>(wanted.size()), wanted},
                       {"new.csv", static_cast<std::int64_t>(given.size()), given, label});
}

void check_note(const ColumnMatch& found, std::initializer_list<std::string_view> parts) {
  INFO(found.note);
  for (const std::string_view part : parts) CHECK(found.note.find(part) != std::string::npos);
}

TEST_CASE("columns are taken by name, in the wanted order") {
  CHECK(match({"a", "b"}, {"a", "b"}).order.empty());
  CHECK(match({"a", "b"}, {"a", "b"}).note.empty());
  const ColumnMatch turned = match({"a", "b", "c"}, {"c", "a", "b"});
  CHECK(turned.order == Order{1, 2, 0});
  check_note(turned, {"new.csv", "by name", "the model", "another order"});
  const ColumnMatch wide = match({"a", "b"}, {"id", "a", "b", ""});
  CHECK(wide.order == Order{1, 2});
  check_note(wide, {"left out", R"("id", "")"});
  CHECK(wide.note.find("order") == std::string::npos);
  CHECK(match({"a", "b"}, {"b", "x", "a"}).order == Order{2, 0});
}

TEST_CASE("a column that is missing is named, with what may be meant") {
  check_error<FileError>(
      [] {
        (void)match({"age", "size"}, {"age", "sizes"});
      },
      {"new.csv", "1 column of the model is missing", R"("size")", R"(did you mean "sizes")"});
  check_error<FileError>(
      [] {
        (void)match({"a", "b", "c"}, {"q"});
      },
      {"3 columns", "are missing", "it has \"q\""});
  check_error<FileError>(
      [] {
        (void)match({"a", "target"}, {"a", "b"}, "target");
      },
      {R"("target")", "taken for its labels", "--label-column none"});
  // Case and spaces tell names apart.
  check_error<FileError>([] { (void)match({"Age"}, {"age"}); }, {R"("Age")", R"("age")"});
  Names many;
  for (int i = 0; i < 1000; ++i) many.push_back("c" + std::to_string(i));
  check_error<FileError>([&] { (void)match(many, {"x"}); }, {"1000 columns", "and 992 more"});
}

TEST_CASE("names that stand twice on either side are refused") {
  check_error<FileError>([] { (void)match({"a", "b"}, {"a", "b", "a"}); }, {"new.csv", "0 and 2", R"("a")"});
  check_error<FileError>([] { (void)match({"a", "a"}, {"a", "b"}); }, {"the model", "0 and 1", R"("a")"});
  check_error<FileError>([] { (void)match({"a"}, {"a", "", ""}); }, {"1 and 2", "no name"});
}

TEST_CASE("without names on one side columns are taken by position") {
  const ColumnMatch bare = match_columns({"the model", 2, Names{"a", "b"}}, {"new.npy", 2, {}});
  CHECK(bare.order.empty());
  check_note(bare, {"new.npy", "by position", "it has no column names"});
  const Names names = {"a", "b"};
  check_note(match_columns({"the model", 2, {}}, {"new.csv", 2, names}),
             {"new.csv", "by position", "the model has no column names"});
  CHECK(match_columns({"the model", 2, {}}, {"new.npy", 2, {}}).note.empty());
  check_error<FileError>(
      [] {
        (void)match_columns({"train.npy", 2, {}}, {"new.npy", 3, {}});
      },
      {"new.npy", "3 values", "train.npy has rows of 2"});
  // Two empty names on a side that is taken by position tell nothing apart, and need not.
  CHECK(match_columns({"the model", 2, {}}, {"new.csv", 2, Names{"", ""}}).order.empty());
}

TEST_CASE("a data set takes the columns of another, or of its names") {
  Dataset data(std::vector<float>{1, 2, 3, 4, 5, 6}, 2, 3);
  data.set_column_names({"c", "a", "b"});
  data.set_labels({0, 1}, {"x", "y"});
  data.set_image(ImageShape{1, 3, 1});
  std::vector<std::string> notes;
  take_columns_of({"train.csv", 2, Names{"a", "c"}}, data, notes);
  CHECK(data.columns() == 2);
  CHECK(std::vector<float>(data.f32().begin(), data.f32().end()) == std::vector<float>{2, 1, 5, 4});
  CHECK(data.column_names() == Names{"a", "c"});
  CHECK(data.labels().size() == 2);
  CHECK(!data.image());
  CHECK(notes.size() == 1);
  Dataset bytes(std::vector<std::uint8_t>{1, 2}, 1, 2);
  take_columns_of({"train.csv", 2, Names{"a", "c"}}, bytes, notes);
  CHECK(bytes.column_names() == Names{"a", "c"});
  CHECK(notes.size() == 2);
  check_error<ConfigError>([&] { (void)bytes.select_columns(Order{2}); }, {"column 2", "2 columns"});
  check_error<ConfigError>([&] { (void)bytes.select_columns(Order{}); }, {"no column"});
}

}  // namespace
}  // namespace vaecuda::data
