// Matrix Market and svmlight text: what is read, and what is refused with its line.
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/sparse.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::dense_of;
using Floats = std::vector<float>;

class Reader {
 public:
  Dataset read(const std::string& bytes) const {
    DataSource source;
    source.path = test::write_file(folder_.path() / "x.txt", bytes);
    return load_dataset(source);
  }
  void refuse(const std::string& bytes, std::initializer_list<std::string_view> needles) const {
    INFO(bytes);
    check_error<FileError>([&] { (void)read(bytes); }, needles);
  }

 private:
  test::TempDir folder_;
};

const std::string kBanner = "%%MatrixMarket matrix coordinate real general\n";

TEST_CASE("entries of Matrix Market are read") {
  const Reader reader;
  const Floats expected = {0, 7, 0, 9, 0, 0, 0, 0, 1, 0, 2.5, 0};
  const std::string entries = "%comment\n%\n3 4 4\n1 2 7\n1 4 9\n3 1 1\n3 3 2.5\n";
  const Dataset data = reader.read(kBanner + entries);
  CHECK(data.type() == ElementType::sparse);
  CHECK(dense_of(data) == expected);
  CHECK(
      data.notes().description.find("3 rows × 4 columns, Matrix Market, real, float32 values, 33.3 % of them "
                                    "not 0") != std::string::npos);
  CHECK(dense_of(reader.read(test::gzip_bytes(kBanner + entries))) == expected);
  CHECK(
      dense_of(reader.read("%%matrixmarket MATRIX Coordinate DOUBLE general\r\n3 4 4\r\n\r\n3 3 2.5\r\n3 1 1"
                           "\r\n1 4 9\r\n 1\t2  7.0 \r\n\r\n")) == expected);
  // The last line may lack its end.
  CHECK(dense_of(reader.read("%%MatrixMarket matrix coordinate integer general\n1 2 1\n1 2 3")) ==
        Floats{0, 3});
  CHECK(dense_of(reader.read("%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 2\n2 1\n")) ==
        Floats{0, 1, 1, 0});
  CHECK(reader.read(kBanner + "2 3 0\n").stored() == 0);
}

TEST_CASE("repeated entries of Matrix Market are summed and counted") {
  const Reader reader;
  const Dataset data = reader.read(kBanner + "2 2 3\n2 1 4\n1 1 1\n2 1 0.5\n");
  CHECK(dense_of(data) == Floats{1, 0, 4.5, 0});
  CHECK(data.notes().description.find("1 repeated value added") != std::string::npos);
}

TEST_CASE("a dense array of Matrix Market goes column by column") {
  const Reader reader;
  const Dataset data = reader.read("%%MatrixMarket matrix array real general\n2 3\n1\n2\n3\n4\n5\n6\n");
  CHECK(data.type() == ElementType::f32);
  CHECK(dense_of(data) == Floats{1, 3, 5, 2, 4, 6});
  reader.refuse("%%MatrixMarket matrix array real general\n2 3\n1\n2\n3\n4\n5\n",
                {"after 5 of its 6 values"});
  reader.refuse("%%MatrixMarket matrix array pattern general\n2 3\n", {"line 1", "\"pattern\""});
  reader.refuse("%%MatrixMarket matrix array real general\n100000 100000\n1\n",
                {"line 2", "more than the file"});
}

TEST_CASE("a Matrix Market file that lies or is cut off is refused with its line") {
  const Reader reader;
  reader.refuse(kBanner + "3 4 2\n1 2 7\n4 4 9\n", {"line 4", "the row is \"4\"", "1 to 3"});
  reader.refuse(kBanner + "3 4 2\n1 2 7\n3 5 9\n", {"line 4", "the column is \"5\"", "1 to 4"});
  reader.refuse(kBanner + "3 4 2\n0 2 7\n3 4 9\n", {"line 3", "the row is \"0\""});
  reader.refuse(kBanner + "3 4 2\n1 2 7\n3 -4 9\n", {"line 4", "\"-4\""});
  reader.refuse(kBanner + "3 4 2\n1 2 7\n", {"ends after 1 of its 2", "truncated"});
  reader.refuse(kBanner + "3 4 2\n1 2 7\n3", {"line 4", "the column is missing"});
  reader.refuse(kBanner + "3 4 2\n1 2 7\n3 4\n", {"line 4", "the value is missing"});
  reader.refuse(kBanner + "3 4 1\n1 2 7\n3 4 1\n", {"line 4", "follows the last"});
  reader.refuse(kBanner + "3 4 1\n1 2 7 8\n", {"line 3", "\"8\""});
  reader.refuse(kBanner + "3 4 1\n1 2 nan\n", {"line 3", "missing value"});
  reader.refuse(kBanner + "3 4 1\n1 2 inf\n", {"line 3", "not finite"});
  reader.refuse(kBanner + "3 4 1\n1 2 16777217\n", {"line 3", "exactly"});
  reader.refuse(kBanner + "3 4 1\n1 2 x\n", {"line 3", "no number"});
  reader.refuse(kBanner + "3 4 1000000000000\n1 2 7\n", {"line 2", "more than the file can hold"});
  reader.refuse(kBanner + "4000000000 4 1\n1 2 7\n", {"line 2", "4000000000 rows"});
  reader.refuse(kBanner + "3 4\n1 2 7\n", {"line 2", "number of entries is missing"});
  reader.refuse(kBanner + "0 4 0\n", {"line 2", "number of rows is \"0\""});
  reader.refuse(kBanner + "% no size\n", {"before the size"});
  reader.refuse("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n",
                {"line 1", "\"complex\""});
  reader.refuse("%%MatrixMarket matrix coordinate real symmetric\n1 1 1\n1 1 1\n",
                {"line 1", "\"symmetric\""});
  reader.refuse("%%MatrixMarket vector coordinate real general\n1 1\n", {"line 1"});
}

TEST_CASE("svmlight text is read with its labels") {
  const Reader reader;
  const Dataset data = reader.read("# by a program\n1 1:2.5 4:1 # a comment\n\n-1 2:0.5\r\n+1 qid:3 3:7");
  CHECK(data.type() == ElementType::sparse);
  CHECK(dense_of(data) == Floats{2.5f, 0, 0, 1, 0, 0.5f, 0, 0, 0, 0, 7, 0});
  CHECK(data.label_names() == std::vector<std::string>{"-1", "1"});
  CHECK(std::vector<std::int32_t>(data.labels().begin(), data.labels().end()) ==
        std::vector<std::int32_t>{1, 0, 1});
  const ReadNotes notes = data.notes();
  CHECK(notes.description.find("svmlight text, columns counted from 1") != std::string::npos);
  CHECK(notes.description.find("2 classes") != std::string::npos);
  REQUIRE(notes.warnings.size() == 1);
  CHECK(notes.warnings[0].find("qid") != std::string::npos);
  // A column 0 says that columns are counted from it.
  const Dataset zero = reader.read("0 0:1 2:3\n1\n0 1:2\n");
  CHECK(dense_of(zero) == Floats{1, 0, 3, 0, 0, 0, 0, 2, 0});
  CHECK(zero.notes().description.find("counted from 0") != std::string::npos);
  const Dataset turned = reader.read(test::gzip_bytes("3 4:1 2:5\n4 1:2\n"));
  CHECK(dense_of(turned) == Floats{0, 5, 0, 1, 2, 0, 0, 0});
  CHECK(turned.notes().description.find("columns of 1 row put in order") != std::string::npos);
  // Rows of zeros may come first.
  CHECK(dense_of(reader.read("1 \n0\n1 2:3\n")) == Floats{0, 0, 0, 0, 0, 3});
  // A first line longer than what a format is told by.
  std::string wide = "1";
  for (int column = 1; column <= 3000; ++column) wide += " " + std::to_string(column) + ":1.25";
  CHECK(reader.read(wide + "\n0 3001:1\n").columns() == 3001);
}

TEST_CASE("svmlight text that cannot be rows is refused with its line") {
  const Reader reader;
  const std::string first = "1 1:2\n";
  reader.refuse(first + "1 2:x\n", {"line 2", "column 2", "no number"});
  reader.refuse(first + "1 2:nan\n", {"line 2", "column 2", "missing"});
  reader.refuse(first + "1 2:inf\n", {"line 2", "not finite"});
  reader.refuse(first + "1 2:16777217\n", {"line 2", "exactly"});
  reader.refuse(first + "1 a:2\n", {"line 2", "\"a:2\""});
  reader.refuse(first + "1 -1:2\n", {"line 2", "\"-1:2\""});
  reader.refuse(first + "1 4294967296:2\n", {"line 2", "4294967295"});
  reader.refuse(first + "1 2\n", {"line 2", "\"2\""});
  reader.refuse(first + "1,2 2:1\n", {"line 2", "one"});
  reader.refuse(first + "2:1\n", {"line 2", "begins with its label"});
  reader.refuse(first + "1 3:1 3:2\n", {"row 1 has column 2 twice"});
  reader.refuse("1 qid:2\n0 qid:3\n", {"no value"});
}

}  // namespace
}  // namespace vaecuda
