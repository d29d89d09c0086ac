// vae_cuda evaluate as a user meets it.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/source_at.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tool_runs.hpp"
#include "vaecuda/vaecuda.hpp"

using namespace vaecuda;
using test::contains;
using test::operator+;
using test::ProgramResult;
using test::TempDir;
using test::Words;

namespace {

namespace fs = std::filesystem;

const std::string kShapes = "shapes:16x16,n=400";

/// A model of pictures, one of a table with two odd rows in ten, and one without posterior.
class Models {
 public:
  Models() {
    std::string text = "a,b,c,label\n";
    for (int i = 0; i < 200; ++i) {
      const bool odd = i % 10 < 2;
      text += std::to_string(odd ? 90 + i % 3 : i % 10) + "," + std::to_string(100 + i % 7) + "," +
              std::to_string(i % 3) + "," + (odd ? "1" : "0") + "\n";
    }
    table_ = test::write_file(folder_.path() / "table.csv", text);
    pictures_ = train(kShapes, "pictures", LatentKind::gaussian);
    tabular_ = train(table_, "tabular", LatentKind::gaussian);
    codes_ = train(table_, "codes", LatentKind::deterministic);
  }
  [[nodiscard]] const std::string& pictures() const { return pictures_; }
  [[nodiscard]] const std::string& tabular() const { return tabular_; }
  [[nodiscard]] const std::string& codes() const { return codes_; }
  [[nodiscard]] const std::string& table() const { return table_; }

 private:
  std::string train(const std::string& data, const std::string& name, LatentKind latent) {
    return test::train_small(folder_.path() / name, data, [&](RunConfig& config) {
      config.data.standardize = data == table_;
      config.model.likelihood = data == table_ ? Likelihood::gaussian : Likelihood::bernoulli;
      config.model.latent = latent;
      config.train.steps = 30;
    });
  }
  TempDir folder_;
  std::string table_;
  std::string pictures_;
  std::string tabular_;
  std::string codes_;
};

const Models& models() {
  static const Models kModels;
  return kModels;
}

ProgramResult evaluate_with(const Words& words) {
  return test::run_tool(Words{"evaluate"} + words + Words{"--device", "cpu"});
}

nlohmann::json document(const Words& words) {
  return test::tool_json(Words{"evaluate"} + words);
}

void check_refused(const Words& words, int exit_code, std::string_view part) {
  test::check_tool_refuses(Words{"evaluate"} + words, exit_code, part);
}

}  // namespace

TEST_CASE("evaluate tells a program what the library gives", "[evaluate]") {
  const auto json = document({models().pictures(), "--data", kShapes, "--samples", "5"});
  RunOn on;
  on.device = "cpu";
  EvaluateOptions options;
  options.samples = 5;
  const Evaluation expected =
      evaluate(Vae::load(models().pictures(), on), load_dataset(test::source_at(kShapes)), options);
  CHECK(json.at("nll").at("samples") == 5);
  CHECK(json.at("nll").at("mean").get<double>() == expected.nll->mean);
  CHECK(json.at("nll").at("mean") < json.at("negative_elbo").at("mean"));
  CHECK(json.at("bits_per_dimension").at("nll").get<double>() == *expected.nll_bits);
  CHECK(json.at("rows") == 400);
  CHECK(json.at("columns") == 256);
  CHECK(json.at("seed") == 1);
  CHECK(json.at("negative_elbo").at("mean").get<double>() == expected.negative_elbo.mean);
  CHECK(json.at("negative_elbo").at("standard_error").get<double>() == expected.negative_elbo.standard_error);
  CHECK(json.at("bits_per_dimension").at("negative_elbo").get<double>() ==
        Approx(expected.negative_elbo.mean / 256.0 / std::log(2.0)));
  CHECK(json.at("squared_error").at("mean").get<double>() == expected.squared_error.mean);
  REQUIRE(json.at("latents").size() == 2);
  const double kl =
      json.at("latents")[0].at("kl").get<double>() + json.at("latents")[1].at("kl").get<double>();
  CHECK(kl == Approx(json.at("kl").at("mean").get<double>()).epsilon(1e-4));
  const auto& aggregate = json.at("aggregate");
  CHECK(aggregate.at("information").get<double>() + aggregate.at("marginal_kl").get<double>() ==
        Approx(kl).epsilon(1e-4));
  std::vector<std::string> names;
  for (const auto& factor : json.at("factors")) {
    names.push_back(factor.at("name"));
    CHECK(factor.at("information").size() == 2);
  }
  CHECK(names == std::vector<std::string>{"shape", "scale", "rotation", "x", "y", "colour"});
  CHECK(json.at("factors")[5].at("entropy") == 0.0);
  CHECK(json.at("mutual_information_gap").get<double>() == *expected.mutual_information_gap);
  CHECK_FALSE(json.contains("anomalies"));
  CHECK(document({models().pictures(), "--data", kShapes, "--samples", "0", "--seed", "2"})
            .at("negative_elbo") != json.at("negative_elbo"));
  CHECK(json.at("elbo_samples") == 1);
  options.samples = 0;
  options.elbo_samples = 3;
  const auto mean =
      document({models().pictures(), "--data", kShapes, "--samples", "0", "--elbo-samples", "3"});
  CHECK(mean.at("elbo_samples") == 3);
  CHECK(mean.at("negative_elbo").at("mean").get<double>() ==
        evaluate(Vae::load(models().pictures(), on), load_dataset(test::source_at(kShapes)), options)
            .negative_elbo.mean);
  CHECK(mean.at("kl").at("mean").get<double>() == json.at("kl").at("mean").get<double>());
}

TEST_CASE("evaluate prints the same bytes for any batch size and number of threads", "[evaluate]") {
  const TempDir folder;
  const Words call = {models().pictures(), "--data", kShapes, "--samples", "5", "--json"};
  const std::string one = evaluate_with(call + Words{"--threads", "1"}).out;
  CHECK(evaluate_with(call + Words{"--threads", "3", "--batch-size", "300"}).out == one);
}

TEST_CASE("evaluate ranks rows that are labelled as anomalies", "[evaluate]") {
  const Words call = {models().tabular(), "--data", models().table(), "--samples", "5"};
  const auto json = document(call);  // labels 0 and 1: 1 is meant
  CHECK(json.at("anomalies").at("label") == "1");
  CHECK(json.at("anomalies").at("rows") == 40);
  CHECK(json.at("anomalies").at("scores").size() == 6);
  for (const auto& score : json.at("anomalies").at("scores")) {
    CHECK(score.at("roc_auc").get<double>() >= 0.0);
    CHECK(score.at("roc_auc").get<double>() <= 1.0);
  }
  // The column of nineties stands out by its norm alone.
  CHECK(json.at("anomalies").at("scores").at("norm").at("roc_auc").get<double>() > 0.9);
  CHECK(json.at("factors")[0].at("name") == "label");
  const auto swapped = document(call + Words{"--anomaly-label", "0"});
  CHECK(swapped.at("anomalies").at("rows") == 160);
  CHECK(swapped.at("anomalies").at("scores").at("norm").at("roc_auc").get<double>() ==
        Approx(1.0 - json.at("anomalies").at("scores").at("norm").at("roc_auc").get<double>()));
}

TEST_CASE("evaluate's table and the figures of every row", "[evaluate]") {
  const TempDir folder;
  const std::string rows = (folder.path() / "rows.csv").string();
  const ProgramResult text =
      evaluate_with({models().tabular(), "--data", models().table(), "--rows", rows, "--samples", "3"});
  REQUIRE(text.exit_code == 0);
  for (const std::string_view part :
       {"200 rows of 3 values, seed 1", "negative ELBO", "bits per dimension", "-log p(x), 3 samples",
        "active units", "  z1 ", "I(x; z)", "anomalies: 40 of 200", "MIG"}) {
    CHECK(contains(text.out, part));
  }
  CHECK(contains(text.err, "rows.csv: 200 rows"));
  DataSource source;
  source.path = rows;
  source.label_column = "none";
  const Dataset written = load_dataset(source);
  CHECK(written.rows() == 200);
  CHECK(written.column_names() ==
        std::vector<std::string>{"negative_elbo", "reconstruction", "kl", "squared_error", "norm", "nll"});
  const ProgramResult codes = evaluate_with({models().codes(), "--data", models().table()});
  CHECK(codes.exit_code == 0);
  CHECK_FALSE(contains(codes.out, "I(x; z)"));
  CHECK_FALSE(document({models().codes(), "--data", models().table()}).at("latents")[0].contains("kl"));
}

TEST_CASE("evaluate refuses what makes no sense and leaves nothing behind", "[evaluate]") {
  const TempDir folder;
  const Words call = {models().tabular(), "--data", models().table()};
  check_refused({models().tabular()}, 2, "--data is missing");
  check_refused(call + Words{"--elbo-samples", "0"}, 2, "--elbo-samples: '0' is not");
  check_refused({models().pictures(), "--data", models().table()}, 3,
                "rows have 3 values, but the model was trained on rows of 256");
  check_refused(call + Words{"--label-column", "none", "--anomaly-label", "1"}, 2,
                "has no labels; give --labels or --label-column");
  check_refused({models().pictures(), "--data", kShapes, "--anomaly-label", "2"}, 2,
                "no such label; it has square, ellipse, heart");
  for (const std::string bad : {"-1", "1e3", "2000000"}) {
    check_refused(call + Words{"--samples", bad}, 2, "--samples: '" + bad + "' is not a whole number from 0");
  }
  check_refused({models().codes(), "--data", models().table(), "--samples", "5"}, 2, "has no density");
  check_refused(call + Words{"--bins", "1"}, 2, "--bins: '1' is not a whole number from 2");
  check_refused(call + Words{"--active-threshold", "-1"}, 2, "--active-threshold: '-1' is not");
  check_refused(call + Words{"--rows", (folder.path() / "x.txt").string()}, 2, ".npy or .csv");
  check_refused(call + Words{"--part", "all"}, 2, "--part: 'all' is not train or test");
  const std::string bare = test::write_file(folder.path() / "bare.csv", "a,b,c\n1,2,3\n4,5,6\n");
  check_refused({models().tabular(), "--data", bare, "--anomaly-label", "1"}, 2,
                "bare.csv has no labels; give --labels or --label-column");
  const std::string rows = (folder.path() / "rows.csv").string();
  check_refused(call + Words{"--rows", rows, "--anomaly-label", "7"}, 2, "no such label");
  CHECK_FALSE(fs::exists(rows));
}
