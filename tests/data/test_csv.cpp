// CSV tables: headers, separators, quotes, label columns, and every way in which a cell can be wrong.
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::TempDir;
using test::write_file;

// One table per call, in a folder that lives as long as the test case.
class Tables {
 public:
  Dataset load(std::string_view text, const std::string& label_column = "") {
    DataSource source;
    source.path = write_file(folder_.path() / "table.csv", text);
    source.label_column = label_column;
    return load_dataset(source);
  }
  template <class E = FileError>
  void refuse(std::string_view text, std::initializer_list<std::string_view> needles,
              const std::string& label_column = "") {
    check_error<E>([&] { (void)load(text, label_column); }, {"table.csv: "});
    check_error<E>([&] { (void)load(text, label_column); }, needles);
  }

 private:
  TempDir folder_;
};

std::vector<float> values(const Dataset& data) {
  return {data.f32().begin(), data.f32().end()};
}
std::vector<std::int32_t> labels(const Dataset& data) {
  return {data.labels().begin(), data.labels().end()};
}
using Names = std::vector<std::string>;

TEST_CASE("a table with and without a header") {
  Tables tables;
  const Dataset with = tables.load("a,b\n1,2\n3,4\n5,6\n");
  CHECK(with.rows() == 3);
  CHECK(with.columns() == 2);
  CHECK(values(with) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(with.column_names() == Names{"a", "b"});
  CHECK(with.labels().empty());
  const Dataset without = tables.load("1,2\n3,4");
  CHECK(without.rows() == 2);
  CHECK(without.column_names().empty());
  CHECK(tables.load("7\n").rows() == 1);
  CHECK(tables.load("year,2019,2020\n1,2,3\n").rows() == 1);  // one text cell makes a header
}

TEST_CASE("whether there is a header may be said") {
  const TempDir folder;
  DataSource source;
  source.path = write_file(folder.path() / "table.csv", "2019,2020\n1,2\n");
  CHECK(load_dataset(source).rows() == 2);
  source.header = HeaderMode::yes;
  CHECK(load_dataset(source).column_names() == Names{"2019", "2020"});
  CHECK(load_dataset(source).rows() == 1);
  source.path = write_file(folder.path() / "names.csv", "a,b\n1,2\n");
  source.header = HeaderMode::no;
  check_error<FileError>([&] { (void)load_dataset(source); }, {"names.csv", "line 1", "\"a\""});
}

TEST_CASE("separators, line ends, byte order mark, spaces, quotes") {
  Tables tables;
  const std::vector<float> expected = {1, -2.5F, 3e2F, 4};
  for (const char* const text :
       {"1,-2.5\n3e2,4\n", "1;-2.5\n3e2;4", "1\t-2.5\n3e2\t4\n", "1,-2.5\r\n3e2,4\r\n",
        "\xef\xbb\xbf"
        "1,-2.5\n3e2,4\n",
        " 1 , -2.5\n3e2,4 \n\n\n", "\"1\",\"-2.5\"\n\"3e2\" , 4\n", "+1,-2.5\n+3E+2,4.\n",
        "x,y\r\n1,-2.5\r\n3e2,4\r\n\r\n"}) {
    INFO(text);
    CHECK(values(tables.load(text)) == expected);
  }
  CHECK(tables.load("\"a \"\"b\"\", c\",\"two\nlines\"\n1,2\n").column_names() ==
        Names{"a \"b\", c", "two\nlines"});
  // The header's quoted line end counts: the bad cell is on line 4.
  tables.refuse("a,\"two\nlines\"\n1,2\n3,x\n", {"line 4"});
}

TEST_CASE("numbers at the ends of f32's range") {
  Tables tables;
  CHECK(values(tables.load("3.4028234e38,-3.4028234e38,1e-45,1e-60,-1e-400,0.1\n")) ==
        std::vector<float>{3.4028234e38F, -3.4028234e38F, 1e-45F, 0.0F, -0.0F, 0.1F});
  tables.refuse("1,1e39\n", {"line 1, column 1", "1e39", "too large"});
  // Integers beyond 2^24: what f32 holds, and how floats are written; 1e20 is 100000002004087734272 in f32.
  CHECK(values(tables.load("16777216,-16777218,0016777220,16777217.0,1.6777217e7,100000000000000000000\n")) ==
        std::vector<float>{16777216.0F, -16777218.0F, 16777220.0F, 16777216.0F, 16777216.0F, 1e20F});
  tables.refuse("id,x\n1,2\n16777217,3\n", {"line 3, column \"id\"", "16777217", "exactly", "16777217.0"});
  tables.refuse("1,-1234567890\n", {"line 1, column 1", "-1234567890", "exactly"});
  tables.refuse("+123456789012345678901234567890\n", {"line 1, column 0", "exactly"});
  tables.refuse("1,-1e400\n", {"line 1, column 1", "too large"});
}

TEST_CASE("records longer than the reader's buffer") {
  Tables tables;
  std::string text;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 100000; ++column) {
      text += (column > 0 ? "," : "") + std::to_string(row * 1000 + column % 1000);
    }
    text += '\n';
  }
  const Dataset data = tables.load(text);
  CHECK(data.rows() == 3);
  CHECK(data.columns() == 100000);
  CHECK(data.f32()[2 * 100000 + 99999] == 2999.0F);
}

TEST_CASE("label columns: automatic, by name, by index, none") {
  Tables tables;
  const Dataset automatic = tables.load("a,b,Label\n1,2,9\n3,4,-1\n5,6,9.0\n7,8,10\n");
  CHECK(automatic.columns() == 2);
  CHECK(automatic.column_names() == Names{"a", "b"});
  CHECK(values(automatic) == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(automatic.label_names() == Names{"-1", "9", "10"});  // numeric order; 9 and 9.0 are one class
  CHECK(labels(automatic) == std::vector<std::int32_t>{1, 0, 1, 2});

  CHECK(tables.load("label,a\n1,2\n").column_names() == Names{"a"});
  CHECK(tables.load("label,a,class\n1,2,3\n").column_names() == Names{"label", "a"});  // the last goes before
  CHECK(tables.load("a,TARGET\n1,2\n", "none").columns() == 2);
  const Dataset named = tables.load("kind,a\nred,1\nblue,2\nred,3\n", "kind");
  CHECK(named.label_names() == Names{"blue", "red"});
  CHECK(labels(named) == std::vector<std::int32_t>{1, 0, 1});
  CHECK(named.column_names() == Names{"a"});
  CHECK(tables.load("a,kind\n1,red\n", "1").label_names() == Names{"red"});
  CHECK(tables.load("1,2,3\n4,5,6\n", "0").label_names() == Names{"1", "4"});
}

TEST_CASE("text labels do not make a header of the first row") {
  Tables tables;
  const Dataset iris = tables.load("5.1,3.5,setosa\n4.9,3.0,virginica\n", "2");
  CHECK(iris.rows() == 2);
  CHECK(iris.column_names().empty());
  CHECK(iris.label_names() == Names{"setosa", "virginica"});
  // Column names that are numbers, as pandas writes them: the labels' name or the second line tells.
  CHECK(tables.load("0,1,class\n5.1,3.5,setosa\n", "2").rows() == 1);
  CHECK(tables.load("0,1,kind\n5.1,3.5,7\n", "2").rows() == 1);
}

TEST_CASE("a label column that is not there is a configuration error that names the nearest") {
  Tables tables;
  tables.refuse<ConfigError>("a,kind\n1,2\n", {"\"kin\"", "did you mean \"kind\""}, "kin");
  tables.refuse<ConfigError>("a,kind\n1,2\n", {"label column 2", "2 columns", "0 to 1"}, "2");
  tables.refuse<ConfigError>("1,2\n", {"\"kind\"", "no header"}, "kind");
  tables.refuse<ConfigError>("a,a,b\n1,2,3\n", {"more than one column"}, "a");
  tables.refuse("label\n1\n", {"no column but the labels'"});
}

TEST_CASE("broken tables are refused with line and column") {
  Tables tables;
  tables.refuse("a,b\n", {"header line alone"});
  tables.refuse("a,b", {"header line alone"});
  tables.refuse("\n\n", {"blank lines"});
  tables.refuse("a,b\n1,2\n3\n", {"line 3", "1 cell,", "2"});
  tables.refuse("1,2\n3,4,5\n", {"line 2", "3 cells"});
  tables.refuse("a,b\n1,2\n3,four\n", {"line 3", "column \"b\"", "\"four\"", "not a number"});
  tables.refuse("1,2\n3,4x\n", {"line 2", "column 1 (counted from 0)", "\"4x\""});
  tables.refuse("a,b\n1,0x10\n", {"0x10"});
  tables.refuse("a,b\n1,1.2.3\n", {"1.2.3"});
  tables.refuse("a,b\n1,\n", {"line 2", "column \"b\"", "empty"});
  tables.refuse("1,,3\n4,5,6\n", {"line 1", "column 1", "empty"});  // a gap, not a header
  tables.refuse("1,NA\n3,4\n", {"line 1", "NA", "missing value"});
  tables.refuse("a,b\n1,2\n3,nan\n", {"line 3", "column \"b\"", "nan"});
  tables.refuse("a,b\n-inf,2\n", {"line 2", "column \"a\"", "-inf", "finite"});
  tables.refuse("a,b\n1,2\n\n3,4\n", {"line 3", "blank"});
  tables.refuse("a,b\n1,\"2\n3,4\n", {"line 2", "quote", "never closed"});
  tables.refuse("a,b\n1,\"2\"x\n", {"line 2", "cell 2", "closing quote"});
  tables.refuse("a,b\n1\"2,\"3\n", {"line 2", "cell 2", "quote", "never closed"});
  tables.refuse("a,label\n1,\n", {"line 2", "label is missing"});
  tables.refuse("1.5:2.5\n3.5:4.5\n", {"line 2", "separator \",\""});
  tables.refuse("a;b\n1,5;2,5\n", {"\"1,5\"", "decimal point"});
  std::string damaged_late = "a,b\n";
  for (int row = 0; row < 200; ++row) damaged_late += "1,2\n";
  tables.refuse(damaged_late + "1,\x01\x02\n", {"line 202", "\\x01\\x02"});
}

TEST_CASE("numbers of many digits are rounded, or too large") {
  Tables tables;
  const std::string zeros(400, '0');
  CHECK(values(tables.load("0." + zeros + "1,-0." + zeros + "1\n")) == std::vector<float>{0.0F, -0.0F});
  CHECK(values(tables.load(zeros + "1\n")) == std::vector<float>{1.0F});
  tables.refuse("1" + zeros + "\n", {"line 1", "too large"});
  tables.refuse("-1" + zeros + ".5\n", {"line 1", "too large"});
}

TEST_CASE("a record without end is refused before it fills the memory") {
  const TempDir folder;
  DataSource source;
  source.path = write_file(folder.path() / "bomb.csv.gz", test::gzip_bytes(std::string(80 << 20, '1'), 1));
  check_error<FileError>([&] { (void)load_dataset(source); }, {"bomb.csv.gz", "line 1", "16.0 MiB"});
  std::string cells;
  while (cells.size() < (3 << 20)) cells += "1,2,";
  source.path = write_file(folder.path() / "cells.csv.gz", test::gzip_bytes(cells, 1));
  check_error<FileError>([&] { (void)load_dataset(source); }, {"cells.csv.gz", "line 1", "1048576 cells"});
}

}  // namespace
}  // namespace vaecuda
