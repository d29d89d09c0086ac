// The folder of counts that Cell Ranger writes.
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/sparse.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::write_file;
using Floats = std::vector<float>;
using Names = std::vector<std::string>;

// Three features of two cells.
const std::string kMatrix =
    "%%MatrixMarket matrix coordinate integer general\n%metadata_json: {}\n3 2 3\n1 1 4\n3 1 1\n2 2 300\n";
const std::string kFeatures =
    "ENSG1\tA\tGene Expression\nENSG2\tA\tGene Expression\nENSG3\tB\tGene Expression\n";

Dataset load(const test::TempDir& folder) {
  DataSource source;
  source.path = folder.path().string();
  return load_dataset(source);
}

TEST_CASE("10x counts are cells by genes, named by their ids") {
  const test::TempDir folder;
  write_file(folder.path() / "matrix.mtx.gz", test::gzip_bytes(kMatrix));
  write_file(folder.path() / "features.tsv.gz", test::gzip_bytes(kFeatures));
  write_file(folder.path() / "barcodes.tsv.gz", test::gzip_bytes("AAAC-1\nAAAG-1\n"));
  const Dataset data = load(folder);
  CHECK(data.type() == ElementType::sparse);
  CHECK(data.rows() == 2);
  CHECK(test::dense_of(data) == Floats{4, 0, 1, 0, 300, 0});
  CHECK(data.column_names() == Names{"ENSG1", "ENSG2", "ENSG3"});
  CHECK(data.notes().description.find(
            "2 rows × 3 columns, 10x counts, integer, uint16 values, 50 % of them") != std::string::npos);
  DataSource source;
  source.path = folder.path().string();
  CHECK(open_rows(source)->columns() == 3);
  // The matrix alone has genes as rows, which nobody may take for cells unaware.
  source.path = (folder.path() / "matrix.mtx.gz").string();
  const Dataset genes = load_dataset(source);
  CHECK(genes.rows() == 3);
  REQUIRE(genes.notes().warnings.size() == 1);
  CHECK(genes.notes().warnings[0].find("give its folder") != std::string::npos);
  source.path = folder.path().string();
  CHECK_FALSE(has_test_part(source));
}

TEST_CASE("the files of older versions are read, and features of other types left out") {
  const test::TempDir older;
  write_file(older.path() / "matrix.mtx", kMatrix);
  write_file(older.path() / "genes.tsv", "ENSG1\tA\nENSG2\tA\nENSG3\tB\n");
  write_file(older.path() / "barcodes.tsv", "AAAC-1\nAAAG-1\n");
  CHECK(test::dense_of(load(older)) == Floats{4, 0, 1, 0, 300, 0});
  const test::TempDir mixed;
  write_file(mixed.path() / "matrix.mtx", kMatrix);
  write_file(mixed.path() / "features.tsv",
             "ENSG1\tA\tGene Expression\nCD3\tCD3\tAntibody Capture\nENSG3\tB\tGene Expression\n");
  write_file(mixed.path() / "barcodes.tsv", "AAAC-1\nAAAG-1\n");
  const Dataset data = load(mixed);
  CHECK(test::dense_of(data) == Floats{4, 1, 0, 0});
  CHECK(data.column_names() == Names{"ENSG1", "ENSG3"});
  CHECK(data.notes().description.find("1 feature of other types left out") != std::string::npos);
}

TEST_CASE("10x files that are missing or do not fit together are refused") {
  const test::TempDir folder;
  const auto refuse = [&](std::initializer_list<std::string_view> needles) {
    check_error<FileError>([&] { (void)load(folder); }, needles);
  };
  refuse({"no training data", "matrix.mtx[.gz]"});
  write_file(folder.path() / "matrix.mtx", kMatrix);
  refuse({"holds matrix.mtx", "lacks features.tsv or genes.tsv"});
  write_file(folder.path() / "features.tsv", kFeatures);
  refuse({"lacks barcodes.tsv"});
  write_file(folder.path() / "barcodes.tsv", "AAAC-1\n");
  refuse({"barcodes.tsv", "1 line", "2 columns"});
  write_file(folder.path() / "barcodes.tsv", "AAAC-1\nAAAG-1\n");
  write_file(folder.path() / "features.tsv", "ENSG1\tA\tGene Expression\n");
  refuse({"features.tsv", "1 line", "3 rows"});
  write_file(folder.path() / "features.tsv", "ENSG1\tA\tCustom\nENSG2\tA\tCustom\nENSG3\tA\tCustom\n");
  refuse({"features.tsv", "no feature of the type Gene Expression"});
  write_file(folder.path() / "features.tsv", "\tA\tGene Expression\n");
  refuse({"features.tsv", "line 1", "no id"});
  write_file(folder.path() / "features.tsv", kFeatures);
  write_file(folder.path() / "matrix.mtx", kMatrix + "2 2 1\n");
  refuse({"matrix.mtx", "line 7", "follows the last"});
  write_file(folder.path() / "matrix.mtx",
             "%%MatrixMarket matrix coordinate integer general\n3 2 2\n1 1 4\n1 1 4\n");
  refuse({"matrix.mtx", "row 0 has column 0 twice"});
}

}  // namespace
}  // namespace vaecuda
