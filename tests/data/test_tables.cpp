// What a table's first lines are taken for, and the report of all that is wrong with it.
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::TempDir;
using test::write_file;
using Names = std::vector<std::string>;

class Tables {
 public:
  DataSource source_of(std::string_view text, const std::string& label_column = "",
                       HeaderMode header = HeaderMode::automatic) {
    DataSource source;
    source.path = write_file(folder_.path() / "table.csv", text);
    source.label_column = label_column;
    source.header = header;
    return source;
  }
  Dataset load(std::string_view text, const std::string& label_column = "",
               HeaderMode header = HeaderMode::automatic) {
    return load_dataset(source_of(text, label_column, header));
  }
  void refuse(std::string_view text, std::initializer_list<std::string_view> needles,
              const std::string& label_column = "", HeaderMode header = HeaderMode::automatic) {
    const DataSource source = source_of(text, label_column, header);
    check_error<FileError>([&] { (void)load_dataset(source); }, needles);
    // Rows on demand are refused in the same words.
    check_error<FileError>(
        [&] {
          const auto rows = open_rows(source);
          while (!rows->next(3).empty()) {
          }
        },
        needles);
  }

 private:
  TempDir folder_;
};

/// The only warning has all parts.
void check_warning(const Dataset& data, std::initializer_list<std::string_view> parts) {
  const std::vector<std::string> warnings = data.notes().warnings;
  REQUIRE(warnings.size() == 1);
  INFO(warnings.front());
  for (const std::string_view part : parts) CHECK(warnings.front().find(part) != std::string::npos);
}

/// `count` rows of "0.5,1.5,…", each `cells` wide.
std::string rows_of_floats(int count, int cells) {
  std::string text;
  for (int row = 0; row < count; ++row) {
    for (int cell = 0; cell < cells; ++cell)
      text += (cell > 0 ? "," : "") + std::to_string((row * 7 + cell * 3) % 5) + ".5";
    text += '\n';
  }
  return text;
}

TEST_CASE("a first line that mixes numbers and text is never taken in silence") {
  Tables tables;
  const std::string rows = rows_of_floats(20, 3);
  const std::initializer_list<std::string_view> both = {"line 1 mixes", "--header no", "--header yes",
                                                        "\"1.5,2.5x,3.5\""};
  tables.refuse("1.5,2.5x,3.5\n" + rows, both);
  CHECK(tables.load("1.5,2.5x,3.5\n" + rows, "", HeaderMode::yes).rows() == 20);
  tables.refuse("1.5,2.5x,3.5\n" + rows, {"line 1, column 1 (counted from 0)", "\"2.5x\" is not a number"},
                "", HeaderMode::no);
  // Words for a gap are no names.
  for (const char* const gap : {"-", "NA", "<NA>", "#N/A", "NaT", "--"}) {
    tables.refuse(std::string("1.5,") + gap + ",3.5\n" + rows,
                  {"line 1, column 1", "stands for a missing value"});
  }
  // Labels below: a row. The advice is the index, and following it loses no row.
  const std::string iris = "0.5,1.5,red\n2.5,1.5,blue\n0.5,1.5,red\n";
  tables.refuse(iris, {"column 2 (counted from 0)", "3 cells are not numbers", "\"red\" at line 1",
                       "--label-column 2"});
  CHECK(tables.load(iris, "2").rows() == 3);
  check_error<ConfigError>([&] { (void)tables.load(iris, "red"); }, {"no header"});
  // The only number of a row with a typo in it.
  check_warning(tables.load("1O.5\n2.5\n3.5\n"),
                {"line 1 is taken for the header", "\"1O.5\"", "--header no"});
}

TEST_CASE("numbers may be the names of columns") {
  Tables tables;
  const std::string rows = rows_of_floats(20, 5);
  const Dataset counted = tables.load("0,1,2,3,4\n" + rows);
  CHECK(counted.rows() == 20);
  CHECK(counted.column_names() == Names{"0", "1", "2", "3", "4"});
  check_warning(counted, {"line 1 is taken for the header", "\"0,1,2,3,4\"", "--header no"});
  CHECK(tables.load("0,1,2,3,4\n" + rows, "", HeaderMode::no).rows() == 21);
  CHECK(tables.load("0,1,2,3,label\n" + rows).column_names() == Names{"0", "1", "2", "3"});
  CHECK(tables.load("0,1,2,3,label\n" + rows, "label").rows() == 20);
  CHECK(tables.load(",0,1,2,3\n" + rows).column_names() == Names{"0", "1", "2", "3"});
  CHECK(tables.load("city,2019,2020,2021,2022\n" + rows).rows() == 20);
  // Above whole numbers it may be either.
  tables.refuse("0,1,2\n7,3,5\n8,8,1\n", {"line 1 counts up", "\"0,1,2\"", "--header no", "--header yes"});
  tables.refuse("2019,2020,2021\n7,3,5\n", {"line 1 counts up"});
  CHECK(tables.load("0,1,2\n3,4,5\n6,7,8\n").rows() == 3);
  CHECK(tables.load("0,1\n1,0\n1,1\n").rows() == 3);
  check_warning(tables.load("0,1\n0.5,1.5\n"), {"is taken for a row", "--header yes"});
  CHECK(tables.load("0,1\n" + rows_of_floats(20, 2)).column_names() == Names{"0", "1"});
  CHECK(tables.load("0\n" + rows_of_floats(20, 1)).column_names() == Names{"0"});
  CHECK(tables.load(",0\n" + rows_of_floats(20, 2)).column_names() == Names{"0"});
  check_warning(tables.load("0\n0.5\n1.5\n2.5\n3\n"), {"is taken for a row", "--header yes"});
}

TEST_CASE("a nameless first column is the index of the rows, and left out") {
  Tables tables;
  for (const char* const first : {"", "Unnamed: 0"}) {
    const Dataset data = tables.load(std::string(first) + ",a,b\n1000,1.5,2\n1001,3,4\n");
    CHECK(data.column_names() == Names{"a", "b"});
    CHECK(std::vector<float>(data.f32().begin(), data.f32().end()) == std::vector<float>{1.5F, 2, 3, 4});
    check_warning(data, {"column 0", "left out", "index=False"});
  }
  // Names of rows, as R writes them.
  CHECK(tables.load("\"\",a\n\"r 1\",2\n\"r 2\",3\n").columns() == 1);
  CHECK(tables.load(",a,b\nx,1,2\ny,3,4\n", "0").label_names() == Names{"x", "y"});
  // A gap of another kind.
  tables.refuse("a,,c\n1,,3\n", {"line 2", "column 1", "empty"});
  tables.refuse(",label\n0,1\n", {"no column but the labels'"});
}

TEST_CASE("columns that count rows or may hold labels are named") {
  Tables tables;
  std::string counting = "a,id,outlier\n";
  for (int row = 0; row < 12; ++row)
    counting +=
        std::to_string(row % 5) + ".5," + std::to_string(100 + row) + "," + std::to_string(row % 2) + "\n";
  const Dataset data = tables.load(counting);
  CHECK(data.columns() == 3);
  const std::vector<std::string> warnings = data.notes().warnings;
  REQUIRE(warnings.size() == 2);
  CHECK(warnings[0].find("column \"id\" counts the rows (100, 101, 102, …)") != std::string::npos);
  CHECK(warnings[1].find("--label-column outlier takes it for labels") != std::string::npos);
  CHECK(warnings[1].find("--label-column none") != std::string::npos);
  check_warning(tables.load(counting, "outlier"), {"\"id\""});
  check_warning(tables.load(counting, "none"), {"\"id\""});
  for (const char* const name :
       {"y", "is_anomaly", "Attack", "ground_truth", "Normal/Attack", "species", "Class ID"}) {
    check_warning(tables.load(std::string(name) + ",a\n0,1.5\n1,2.5\n"),
                  {"may hold labels", "--label-column"});
  }
  CHECK(tables.load("y,a\n0.25,1.5\n1,2.5\n").notes().warnings.empty());  // a coordinate
}

TEST_CASE("separators and line ends of other programs") {
  Tables tables;
  const std::vector<float> expected = {1, 2.5F, 3, 4};
  for (const char* const text :
       {"1 2.5\n3 4\n", "  1   2.5 \n 3\t4\n", "1|2.5\n3|4\n", "a|b\n1|2.5\n3|4\n", "sep=;\n1;2.5\n3;4\n",
        "sep=,\na,b\n1,2.5\n3,4\n", "a,b\r1,2.5\r3,4\r", "1,2.5\r3,4", "a,b\r\r\n1,2.5\r\r\n3,4\r\r\n",
        "# a b\n1 2.5\n3 4\n", "# a,b\n1,2.5\n3,4\n", "a b\n1 2.5\n3 4\n", "a,b,\n1,2.5,\n3,4,\n",
        "1,2.5,\n3,4,\n", "a,b\n1,2.5,\n3,4,\n"}) {
    INFO(text);
    const Dataset data = tables.load(text);
    CHECK(data.columns() == 2);
    CHECK(std::vector<float>(data.f32().begin(), data.f32().end()) == expected);
  }
  CHECK(tables.load("# a b\n1 2.5\n3 4\n").column_names() == Names{"a", "b"});
  CHECK(tables.load("wind speed\n1.5\n2.5\n").column_names() == Names{"wind speed"});
  check_warning(tables.load("a,b,\n1,2.5,\n3,4,\n"), {"every line ends in a separator"});
  tables.refuse("a,b,\n1,2.5,\n3,4,x\n", {"\"x\" at line 3"});
  tables.refuse("sep=;\na;b\n1;x\n", {"line 3", "\"x\""});
}

TEST_CASE("all that is wrong with a table is reported at once") {
  Tables tables;
  std::string text = "date,age,size,kind,ok\n";
  for (int row = 0; row < 30; ++row) {
    text += "2024-01-" + std::to_string(10 + row) + "," + (row % 3 == 1 ? "" : "41") + "," +
            (row == 7   ? "1e50"
             : row == 9 ? "inf"
                        : "2") +
            "," + (row % 2 == 0 ? "red" : "blue") + ",1.5\n";
  }
  text += "1,2\n";
  tables.refuse(text, {"6 kinds of problems in 31 rows",
                       "column \"date\": 30 cells are not numbers, the first \"2024-01-10\" at line 2",
                       "a date or a time", "column \"age\": 10 empty cells, the first at line 3",
                       "column \"size\": 1 cell is too large, the first \"1e50\" at line 9",
                       "column \"size\": 1 cell is not finite, the first \"inf\" at line 11",
                       "column \"kind\": 30 cells are not numbers, the first \"red\" at line 2",
                       "line 32 has 2 cells"});
  // Two columns of text: which one would hold labels cannot be told.
  try {
    (void)tables.load(text);
    FAIL("was read");
  } catch (const FileError& error) {
    CHECK(std::string(error.what()).find("--label-column") == std::string::npos);
  }
  tables.refuse("a,kind\n1,red\n2,blue\n3,red\n", {"--label-column kind"});
  tables.refuse("a,\"my kind\"\n1,red\n2,blue\n3,red\n", {"--label-column 'my kind'"});
  tables.refuse("a,ok\n1,true\n2,false\n", {"write 1 and 0"});
  tables.refuse("a,share\n1,5%\n2,7%\n", {"the number alone"});
  tables.refuse("a,b\nx,y\n1,2\n", {"line 2 is text alone", "second header line"});
  tables.refuse("a,b\n1,1,2\n2,3,4\n", {"2 of 2 rows", "row.names=FALSE"});
  std::string ids = "id,a\n";
  for (int row = 0; row < 40; ++row) ids += "u" + std::to_string(row) + ",1.5\n";
  tables.refuse(ids, {"leave the column out"});
}

TEST_CASE("a report is bounded, whatever the table") {
  Tables tables;
  std::string text;
  for (int row = 0; row < 3; ++row) {
    for (int cell = 0; cell < 3000; ++cell) text += (cell > 0 ? ",x" : "x") + std::to_string(cell);
    text += '\n';
  }
  try {
    (void)tables.load(text);
    FAIL("was read");
  } catch (const FileError& error) {
    CHECK(std::string(error.what()).size() < 4000);
    CHECK(std::string(error.what()).find("at least") != std::string::npos);
  }
}

}  // namespace
}  // namespace vaecuda
