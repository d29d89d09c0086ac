// The public data sets, where they are at hand: VAECUDA_DATA_DIR, by default ../shared/data beside the
// project.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda {
namespace {

// The source in the data folder; an empty path, and the reason printed, where it is absent.
DataSource find_data(const std::string& name) {
  const char* const chosen = std::getenv("VAECUDA_DATA_DIR");
  const std::filesystem::path root =
      chosen != nullptr ? chosen : std::filesystem::path(VAECUDA_SOURCE_DIR) / ".." / "shared" / "data";
  DataSource source;
  if (std::filesystem::exists(root / name)) {
    source.path = (root / name).string();
  } else {
    std::cout << "skipped: " << (root / name).string() << " is absent (set VAECUDA_DATA_DIR)\n";
  }
  return source;
}

std::int64_t sum(const Dataset& data) {
  return std::accumulate(data.u8().begin(), data.u8().end(), std::int64_t{0});
}

std::vector<std::int64_t> label_counts(const Dataset& data) {
  std::vector<std::int64_t> counts(data.label_names().size());
  for (const std::int32_t label : data.labels()) ++counts[static_cast<std::size_t>(label)];
  return counts;
}
using Counts = std::vector<std::int64_t>;
using Names = std::vector<std::string>;
const Names kDigits = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

TEST_CASE("MNIST") {
  const DataSource source = find_data("mnist");
  if (source.path.empty()) return;
  const Dataset train = load_dataset(source);
  CHECK(train.rows() == 60000);
  CHECK(train.image() == ImageShape{28, 28, 1});
  CHECK(sum(train) == 1567298545);
  CHECK(train.label_names() == kDigits);
  CHECK(label_counts(train) == Counts{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(train.labels()[0] == 5);
  REQUIRE(has_test_part(source));
  const Dataset test = load_dataset(source, DataPart::test);
  CHECK(test.rows() == 10000);
  CHECK(sum(test) == 264923200);
  CHECK(label_counts(test) == Counts{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
}

TEST_CASE("Fashion-MNIST") {
  const DataSource source = find_data("fashion-mnist");
  if (source.path.empty()) return;
  const Dataset train = load_dataset(source);
  CHECK(sum(train) == 3431114169);
  CHECK(label_counts(train) == Counts(10, 6000));
  const Dataset test = load_dataset(source, DataPart::test);
  CHECK(sum(test) == 573469082);
  CHECK(label_counts(test) == Counts(10, 1000));
}

TEST_CASE("binarized MNIST, whose names only end as MNIST's do") {
  const DataSource source = find_data("binarized-mnist");
  if (source.path.empty()) return;
  const Dataset train = load_dataset(source);
  CHECK(train.rows() == 50000);
  CHECK(sum(train) == 1305100455);
  CHECK(train.labels().empty());
  CHECK(sum(load_dataset(source, DataPart::test)) == 264918480);
}

TEST_CASE("the tables of ADBench") {
  struct Table {
    std::string file;
    std::int64_t rows, columns, anomalies;
  };
  for (const Table& table : {Table{"6_cardio.csv.gz", 1831, 21, 176}, Table{"38_thyroid.csv.gz", 3772, 6, 93},
                             Table{"28_pendigits.csv.gz", 6870, 16, 156}}) {
    const DataSource source = find_data("adbench/" + table.file);
    if (source.path.empty()) continue;
    INFO(table.file);
    const Dataset data = load_dataset(source);
    CHECK(data.rows() == table.rows);
    CHECK(data.columns() == table.columns);
    CHECK(data.column_names().size() == static_cast<std::size_t>(table.columns));
    CHECK(data.column_names().front() == "x0");
    CHECK(data.label_names() == Names{"0", "1"});
    CHECK(label_counts(data) == Counts{table.rows - table.anomalies, table.anomalies});
  }
  const DataSource cardio = find_data("adbench/6_cardio.csv.gz");
  if (!cardio.path.empty()) CHECK(load_dataset(cardio).f32()[0] == 0.004912314661768384F);
}

}  // namespace
}  // namespace vaecuda
