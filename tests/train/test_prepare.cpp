// From files to prepared rows: splits, filters, standardization, and values that do not suit the likelihood.
#include <cmath>
#include <fstream>
#include <set>

#include "host/data/prepare.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::test {
namespace {

/// A table of `rows` rows: an index, its double, a constant, and a label that is "odd" for every odd row.
std::string table(const TempDir& dir, int rows) {
  std::string text = "index,twice,constant,label\n";
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i) + "," + std::to_string(2 * i) + ",7," + (i % 2 == 1 ? "odd" : "even") + "\n";
  }
  return write_file(dir.path() / "table.csv", text);
}

RunConfig table_config(const TempDir& dir, int rows) {
  RunConfig config;
  config.data.train.path = table(dir, rows);
  config.model.likelihood = Likelihood::gaussian;
  return config;
}

/// The first column of a data set.
std::set<int> indices(const Dataset& data) {
  std::set<int> found;
  for (std::int64_t r = 0; r < data.rows(); ++r) {
    found.insert(static_cast<int>(data.f32()[static_cast<std::size_t>(r * data.columns())]));
  }
  return found;
}

}  // namespace

TEST_CASE("fractions cut the rows into three disjoint parts", "[prepare]") {
  const TempDir dir;
  RunConfig config = table_config(dir, 100);
  config.data.test_fraction = 0.2;
  config.data.valid_fraction = 0.1;
  const PreparedData data = prepare_data(config);
  REQUIRE(data.test);
  REQUIRE(data.valid);
  CHECK(data.train.rows() == 70);
  CHECK(data.valid->rows() == 10);
  CHECK(data.test->rows() == 20);
  std::set<int> all = indices(data.train);
  all.merge(indices(*data.valid));
  all.merge(indices(*data.test));
  CHECK(all.size() == 100);

  SECTION("the same seed holds the same rows out, another seed others") {
    CHECK(indices(*prepare_data(config).test) == indices(*data.test));
    config.train.seed = 99;
    CHECK(indices(*prepare_data(config).test) != indices(*data.test));
  }
}

TEST_CASE("fractions that leave nothing are refused", "[prepare]") {
  const TempDir dir;
  RunConfig config = table_config(dir, 10);
  config.data.test_fraction = 0.01;
  check_error<ConfigError>([&] { (void)prepare_data(config); }, {"--test-fraction", "10 rows", "table.csv"});
  config.data.test_fraction = 0.96;
  check_error<ConfigError>([&] { (void)prepare_data(config); }, {"leaves none to train on", "table.csv"});
}

TEST_CASE("a normal label filters training and validation, not the test", "[prepare]") {
  const TempDir dir;
  RunConfig config = table_config(dir, 100);
  config.data.normal_label = "even";
  config.data.test_fraction = 0.3;
  config.data.valid_fraction = 0.2;
  const PreparedData data = prepare_data(config);
  for (const Dataset* part : {&data.train, &*data.valid}) {
    for (const int index : indices(*part)) CHECK(index % 2 == 0);
  }
  CHECK(data.test->rows() == 30);
  const std::set<int> test = indices(*data.test);
  CHECK(std::any_of(test.begin(), test.end(), [](int index) { return index % 2 == 1; }));
  config.data.normal_label = "evan";
  check_error<ConfigError>([&] { (void)prepare_data(config); }, {"evan", "even, odd", "table.csv"});
}

TEST_CASE("a normal label may be written as another number of the same value", "[prepare]") {
  RunConfig config;
  const TempDir dir;
  config.data.train.path = write_file(dir.path() / "t.csv", "x,label\n1,0.0\n2,1.0\n3,0.50\n4,1\n");
  config.model.likelihood = Likelihood::gaussian;
  for (const auto& [text, rows] : {std::pair{"1", 2}, {"1.0", 2}, {"0", 1}, {".5", 1}, {"0.5", 1}}) {
    INFO(text);
    config.data.normal_label = text;
    CHECK(prepare_data(config).train.rows() == rows);
  }
  config.data.normal_label = "1.0x";
  check_error<ConfigError>([&] { (void)prepare_data(config); }, {"1.0x", "0, 0.5, 1"});
  config.data.normal_label = "1";
  config.data.train.path = write_file(dir.path() / "plain.csv", "1,2\n3,4\n");
  config.data.train.labels_path = write_file(dir.path() / "vectors.csv", "1,2\n3,4\n");
  check_error<ConfigError>([&] { (void)prepare_data(config); }, {"--normal-label 1", "vectors"});
}

TEST_CASE("a normal label needs labels", "[prepare]") {
  RunConfig config;
  const TempDir dir;
  config.data.train.path = write_file(dir.path() / "plain.csv", "1,2\n3,4\n");
  config.model.likelihood = Likelihood::gaussian;
  config.data.normal_label = "1";
  check_error<ConfigError>([&] { (void)prepare_data(config); }, {"plain.csv", "has none", "--label-column"});
}

TEST_CASE("standardization is that of the training rows", "[prepare]") {
  const TempDir dir;
  RunConfig config = table_config(dir, 50);
  config.data.standardize = true;
  config.data.test_fraction = 0.2;
  const PreparedData data = prepare_data(config);
  REQUIRE(data.preparation.mean.size() == 3);
  double mean = 0.0;
  for (const int index : indices(data.train)) mean += index;
  mean /= static_cast<double>(data.train.rows());
  double variance = 0.0;
  for (const int index : indices(data.train)) variance += (index - mean) * (index - mean);
  const double deviation = std::sqrt(variance / static_cast<double>(data.train.rows()));
  CHECK(static_cast<double>(data.preparation.mean[0]) == Approx(mean).epsilon(1e-6));
  CHECK(static_cast<double>(data.preparation.inverse_deviation[0]) == Approx(1.0 / deviation).epsilon(1e-6));
  CHECK(static_cast<double>(data.preparation.inverse_deviation[1]) == Approx(0.5 / deviation).epsilon(1e-6));
  // The constant column is centred, not scaled, and the user hears of it.
  CHECK(data.preparation.mean[2] == 7.0f);
  CHECK(data.preparation.inverse_deviation[2] == 1.0f);
  REQUIRE(data.warnings.size() == 1);
  CHECK(data.warnings[0].find("'constant' (2)") != std::string::npos);
}

TEST_CASE("a conditional model's labels are the same in every part of the data", "[prepare]") {
  const test::TempDir folder;
  const auto write = [&](const char* name, const std::string& text) {
    const std::string path = (folder.path() / name).string();
    std::ofstream(path) << text;
    return path;
  };
  RunConfig config;
  config.data.train.path = write("train.csv", "x,y,label\n1,2,cat\n3,4,dog\n5,6,ant\n");
  config.model.likelihood = Likelihood::gaussian;
  config.model.conditional = true;
  config.data.test_path = write("test.csv", "x,y,label\n1,2,dog\n3,4,cat\n");
  const PreparedData prepared = prepare_data(config);
  CHECK(prepared.condition_dim == 3);
  CHECK(prepared.condition_names == std::vector<std::string>{"ant", "cat", "dog"});
  REQUIRE(prepared.test);
  CHECK(std::vector<std::int32_t>(prepared.test->labels().begin(), prepared.test->labels().end()) ==
        std::vector<std::int32_t>{2, 1});

  config.data.test_path = write("other.csv", "x,y,label\n1,2,emu\n");
  test::check_error<FileError>([&] { static_cast<void>(prepare_data(config)); }, {"other.csv: row 0", "emu"});
  config.data.test_path = write("bare.csv", "x,y\n1,2\n");
  test::check_error<FileError>([&] { static_cast<void>(prepare_data(config)); },
                               {"bare.csv: has no labels", "--conditional"});
  config.data.test_path.clear();
  config.data.train.path = write("plain.csv", "x,y\n1,2\n3,4\n");
  test::check_error<ConfigError>([&] { static_cast<void>(prepare_data(config)); },
                                 {"--conditional", "plain.csv"});

  // A vector for each row, from a table of its own.
  config.data.train.labels_path = write("labels.csv", "a,b,c\n0.5,1,-2\n3,4,5\n");
  const PreparedData vectors = prepare_data(config);
  CHECK(vectors.condition_dim == 3);
  CHECK(vectors.condition_names.empty());
  CHECK(vectors.train.label_vectors()[2] == -2.0f);
  config.data.train.labels_path = write("short.csv", "0.5,1,-2\n");
  test::check_error<FileError>([&] { static_cast<void>(prepare_data(config)); }, {"short.csv", "1 row"});
}

TEST_CASE("means are those of the prepared rows", "[prepare]") {
  const Dataset bytes(std::vector<std::uint8_t>{0, 255, 51, 255, 204, 255}, 3, 2);
  Preparation preparation;
  preparation.scale = 1.0f / 255.0f;
  CHECK(prepared_means(bytes, preparation)[0] == Approx(1.0 / 3.0));
  CHECK(prepared_means(bytes, preparation)[1] == Approx(1.0));
  preparation.binarize = Binarize::stochastic;
  CHECK(prepared_means(bytes, preparation)[0] == Approx(1.0 / 3.0));
  preparation.binarize = Binarize::threshold;
  CHECK(prepared_means(bytes, preparation)[0] == Approx(1.0 / 3.0));
  preparation.binarize = Binarize::none;
  preparation.mean = {0.5f, 0.0f};
  preparation.inverse_deviation = {2.0f, 3.0f};
  CHECK(prepared_means(bytes, preparation)[0] == Approx(-1.0 / 3.0));
  CHECK(prepared_means(bytes, preparation)[1] == Approx(3.0));
}

TEST_CASE("values that are no Bernoulli targets are refused with their place", "[prepare]") {
  const TempDir dir;
  RunConfig config;
  config.data.train.path = write_file(dir.path() / "values.csv", "a,b\n0.5,1\n0,1.5\n");
  check_error<FileError>([&] { (void)prepare_data(config); },
                         {"values.csv", "row 1", "'b' (1)", "1.5", "[0,1]"});
  SECTION("a threshold makes targets of anything") {
    config.data.binarize = BinarizeMode::threshold;
    CHECK(prepare_data(config).preparation.binarize == Binarize::threshold);
  }
  SECTION("a probability must be one, whatever the likelihood") {
    config.data.binarize = BinarizeMode::stochastic;
    config.model.likelihood = Likelihood::gaussian;
    check_error<FileError>([&] { (void)prepare_data(config); }, {"values.csv", "row 1", "probabilities"});
  }
  SECTION("unit scaling divides by the largest") {
    config.data.scale = ScaleMode::unit;
    CHECK(static_cast<double>(prepare_data(config).preparation.scale) == Approx(1.0 / 1.5));
  }
}

TEST_CASE("bytes are scaled to [0,1], and unscaled bytes are no Bernoulli targets", "[prepare]") {
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=10";
  CHECK(prepare_data(config).preparation.scale == 1.0f / 255.0f);
  config.data.scale = ScaleMode::none;
  check_error<FileError>([&] { (void)prepare_data(config); },
                         {"shapes:16x16,n=10", "row 0", "column ", "[0,1]"});
}

TEST_CASE("test rows of another width or type are refused", "[prepare]") {
  const TempDir dir;
  RunConfig config = table_config(dir, 10);
  config.data.test_path = write_file(dir.path() / "narrow.csv", "index,label\n1,odd\n");
  check_error<FileError>([&] { (void)prepare_data(config); }, {"narrow.csv", "2 columns", "missing"});
  config.data.train = {};
  config.data.train.path = "shapes:16x16,n=10";
  std::string row = "0.5";
  for (int i = 1; i < 256; ++i) row += ",0.5";
  config.data.test_path = write_file(dir.path() / "floats.csv", row + "\n");
  check_error<FileError>([&] { (void)prepare_data(config); }, {"floats.csv", "floats", "bytes"});
}

}  // namespace vaecuda::test
