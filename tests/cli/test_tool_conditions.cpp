// vae_cuda with conditional models: classes whose numbers are written otherwise, and label vectors.
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tool_models.hpp"
#include "tests/support/tool_runs.hpp"
#include "vaecuda/vaecuda.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

std::string train_on(const DataSource& data, const fs::path& out) {
  RunConfig config;
  config.data.train = data;
  config.model.likelihood = Likelihood::gaussian;
  config.model.conditional = true;
  config.model.hidden = {6};
  config.model.latent_dim = 2;
  config.train.device = "cpu";
  config.train.steps = 3;
  config.output.dir = out.string();
  return Trainer(config).run().model;
}

}  // namespace

TEST_CASE("a model told classes in decimals scores the file that it was trained on", "[tool]") {
  const TempDir folder;
  const fs::path scores = folder.path() / "scores.npy";
  std::string decimals = "x,y,label\n";
  std::string integers = decimals;
  for (int i = 0; i < 20; ++i) {
    const std::string row = std::to_string(i * 7 % 5) + "," + std::to_string(i) + ",";
    decimals += row + (i % 2 == 0 ? "0.0\n" : "1.0\n");
    integers += row + (i % 2 == 0 ? "0\n" : "1\n");
  }
  DataSource data;
  data.path = write_file(folder.path() / "decimals.csv", decimals);
  const std::string model = train_on(data, folder.path() / "run");
  tool_json({"score", model, "--data", data.path, "--out", scores.string()});
  const std::vector<float> found = values_of(scores);
  CHECK(found.size() == 20);
  const std::string same = write_file(folder.path() / "integers.csv", integers);
  tool_json({"score", model, "--data", same, "--out", scores.string()});
  CHECK(values_of(scores) == found);
  // 0.0 and 1.0 mark anomalies as 0 and 1 do, however --anomaly-label is written.
  const auto evaluated = [&](const Words& more) {
    return tool_json(Words{"evaluate", model, "--data", data.path, "--samples", "0"} + more).at("anomalies");
  };
  CHECK(evaluated({}).at("label") == "1");
  CHECK(evaluated({"--anomaly-label", "1.00"}) == evaluated({}));
  const fs::path drawn = folder.path() / "x.npy";
  tool_json({"generate", model, "-n", "4", "--label", "1.0", "--out", drawn.string()});
  const std::vector<float> ones = values_of(drawn);
  tool_json({"generate", model, "-n", "4", "--label", "1", "--out", drawn.string()});
  CHECK(values_of(drawn) == ones);
}

TEST_CASE("a model that is told vectors works in every command", "[tool]") {
  const TempDir folder;
  DataSource data;
  data.path =
      write_file(folder.path() / "x.npy", npy_bytes("<f4", "8,4", bytes_of(std::vector<float>(32, 0.25f))));
  data.labels_path = write_file(folder.path() / "c.csv", "1,0.5\n2,0\n0,0\n1,1\n-1,0.25\n3,2\n0,1\n1,0\n");
  const std::string model = train_on(data, folder.path() / "run");
  const std::string rows = (folder.path() / "o.npy").string();
  const Words told = {"--data", data.path, "--labels", data.labels_path};
  CHECK(tool_json({"info", model}).at("parameters") > 0);
  tool_json(Words{"encode", model, "--out", rows} + told);
  CHECK(values_of(rows).size() == 16);
  tool_json(Words{"reconstruct", model, "--out", rows} + told);
  CHECK(values_of(rows).size() == 32);
  tool_json(Words{"reconstruct", model, "-n", "3", "--out", (folder.path() / "o.png").string()} + told);
  tool_json(Words{"score", model, "--samples", "4", "--out", rows} + told);
  CHECK(values_of(rows).size() == 8);
  CHECK(tool_json(Words{"evaluate", model, "--samples", "3"} + told).at("rows") == 8);
  for (const Words& walk : {Words{"generate", model, "-n", "3"}, Words{"manifold", model, "--grid", "2"},
                            Words{"traverse", model, "--steps", "3"},
                            Words{"interpolate", model, "--from", "0", "--to", "4"} + told,
                            Words{"neighbors", model, "--row", "1"} + told}) {
    INFO(walk.front());
    tool_json(walk + Words{"--label", "1,0.5", "--out", rows});
    const std::vector<float> one = values_of(rows);
    tool_json(walk + Words{"--label", "-2,3", "--out", rows});
    CHECK(values_of(rows) != one);
    check_tool_refuses(walk + Words{"--label", "1", "--out", rows}, kUsage, "vectors of 2 numbers");
    check_tool_refuses(
        walk + Words{"--out", rows}, kUsage,
        "--label is missing: this model is conditional; it is conditioned on vectors of 2 numbers");
  }
  check_tool_refuses({"encode", model, "--data", data.path, "--out", rows}, kBadFile, "--labels");
}

}  // namespace vaecuda::test
