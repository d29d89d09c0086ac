// vae_cuda over rows of data: encode, reconstruct, score.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/source_at.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tool_models.hpp"
#include "tests/support/tool_runs.hpp"
#include "vaecuda/vaecuda.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

}  // namespace

TEST_CASE("encode writes what the library gives, whatever the batch size", "[tool]") {
  const TempDir folder;
  const fs::path z = folder.path() / "z.npy";
  const fs::path logvar = folder.path() / "logvar.csv";
  const auto json = tool_json({"encode", tool_models().pictures, "--data", kShapes, "--out", z.string(),
                               "--logvar", logvar.string()});
  CHECK(json.at("rows") == kShapesRows);
  CHECK(json.at("latent_dim") == 3);
  RunOn on;
  on.device = "cpu";
  const Vae vae = Vae::load(tool_models().pictures, on);
  const Dataset data = load_dataset(source_at(kShapes));
  const Encoded expected = vae.encode(std::vector<float>(data.u8().begin(), data.u8().end()));
  CHECK(values_of(z) == expected.mean);
  CHECK(values_of(logvar) == expected.logvar);  // a table's digits bring the same floats back
  CHECK(load_written(logvar).column_names() == std::vector<std::string>{"logvar0", "logvar1", "logvar2"});
  CHECK(contains(read_file(z).substr(0, 128), "'shape': (600, 3), }"));
  CHECK(read_file(z).size() == 128 + 600 * 3 * 4);
  const std::string bytes = read_file(z);
  for (const std::string batch : {"1", "300", "512"}) {
    tool_json({"encode", tool_models().pictures, "--data", kShapes, "--out", z.string(), "--batch-size",
               batch, "--threads", batch == "1" ? "1" : "3"});
    CHECK(read_file(z) == bytes);
  }
}

TEST_CASE("a quantized model gives its codes, and tells of its codebooks", "[tool]") {
  const TempDir folder;
  const std::string model = train_small(folder.path() / "run", kShapes, [](RunConfig& config) {
    config.model.hidden = {24};
    config.model.latent = LatentKind::vq;
    config.model.latent_dim = 6;
    config.model.codebooks = 3;
    config.model.codebook_size = 8;
    config.train.steps = 20;
  });
  const fs::path z = folder.path() / "z.npy";
  const fs::path codes = folder.path() / "codes.csv";
  tool_json({"encode", model, "--data", kShapes, "--out", z.string(), "--codes", codes.string()});
  RunOn on;
  on.device = "cpu";
  const Dataset data = load_dataset(source_at(kShapes));
  const Encoded expected =
      Vae::load(model, on).encode(std::vector<float>(data.u8().begin(), data.u8().end()));
  CHECK(values_of(z) == expected.mean);
  CHECK(values_of(codes) == expected.codes);
  CHECK(load_written(codes).column_names() == std::vector<std::string>{"code0", "code1", "code2"});
  const auto info = nlohmann::json::parse(run_tool({"info", model, "--json"}).out);
  CHECK(info.at("codebooks") == 3);
  CHECK(info.at("codebook_size") == 8);
  CHECK(info.at("tensors").at("codebook") == nlohmann::json({24, 2}));
  check_tool_refuses({"encode", model, "--data", kShapes, "--out", z.string(), "--logvar",
                      (folder.path() / "logvar.npy").string()},
                     kUsage, "quantized");
  check_tool_refuses(
      {"encode", tool_models().pictures, "--data", kShapes, "--out", z.string(), "--codes", codes.string()},
      kUsage, "--latent vq");
  check_tool_refuses({"generate", model, "--temperature", "0.5", "--out", z.string()}, kUsage, "--latent vq");
}

TEST_CASE("reconstruct writes rows in the data's units, or pairs of pictures", "[tool]") {
  const TempDir folder;
  const fs::path rows = folder.path() / "x.csv";
  CHECK(
      tool_json({"reconstruct", tool_models().tabular, "--data", tool_models().table, "--out", rows.string()})
          .at("rows") == 90);
  const Dataset data = load_written(rows);
  CHECK(data.column_names() == std::vector<std::string>{"speed", "load", "heat, outer"});
  double load_mean = 0.0;
  for (std::int64_t row = 0; row < 90; ++row)
    load_mean += static_cast<double>(data.f32()[static_cast<std::size_t>(row * 3 + 1)]);
  CHECK(load_mean / 90.0 == Approx(103.0).margin(2.0));  // the column runs from 100 to 106
  const fs::path sheet = folder.path() / "x.png";
  tool_json({"reconstruct", tool_models().pictures, "--data", kShapes, "-n", "6", "--out", sheet.string()});
  CHECK(png_size(sheet) == std::pair<std::int64_t, std::int64_t>{3 + 3 * 51, 3 + 2 * (2 * 48 + 1 + 3)});
  // Rows that are no pictures are drawn as lines, in cells of 48 x 96.
  tool_json({"reconstruct", tool_models().tabular, "--data", tool_models().table, "-n", "1", "--out",
             sheet.string()});
  CHECK(png_size(sheet) == std::pair<std::int64_t, std::int64_t>{3 + 96 + 3, 3 + 2 * 48 + 1 + 3});
  check_tool_refuses({"reconstruct", tool_models().tabular, "--data", tool_models().table, "-n", "1", "--out",
                      rows.string()},
                     kUsage, "--count");
}

TEST_CASE("what is generated can be scored", "[tool]") {
  const TempDir folder;
  const fs::path x = folder.path() / "x.npy";
  const fs::path scores = folder.path() / "scores.npy";
  CHECK(tool_json({"generate", tool_models().pictures, "-n", "300", "--out", x.string(), "--seed", "5"})
            .at("rows") == 300);
  const auto json =
      tool_json({"score", tool_models().pictures, "--data", x.string(), "--out", scores.string()});
  CHECK(json.at("rows") == 300);
  const std::vector<float> per_row = values_of(scores);
  REQUIRE(per_row.size() == 300);
  CHECK(contains(read_file(scores).substr(0, 128), "'shape': (300,), }"));
  double mean = 0.0;
  for (const float score : per_row) mean += static_cast<double>(score) / 300.0;
  CHECK(json.at("mean").get<double>() == Approx(mean));
  CHECK(json.at("max").get<float>() == *std::max_element(per_row.begin(), per_row.end()));

  RunOn on;
  on.device = "cpu";
  const Vae vae = Vae::load(tool_models().pictures, on);
  CHECK(values_of(x) == vae.sample(300, 5));
  const ElboTerms terms = vae.elbo(values_of(x));
  for (std::size_t i = 0; i < 300; ++i) REQUIRE(per_row[i] == terms.reconstruction[i] + terms.kl[i]);
  tool_json({"score", tool_models().pictures, "--data", x.string(), "--out", scores.string(), "--metric",
             "reconstruction"});
  CHECK(values_of(scores) == terms.reconstruction);
  const auto nll = tool_json({"score", tool_models().pictures, "--data", x.string(), "--out", scores.string(),
                              "--metric", "nll", "--samples", "20"});
  CHECK(nll.at("metric") == "nll");
  CHECK(nll.at("samples") == 20);
  std::vector<float> negated = vae.log_likelihood(values_of(x), 20, vae.info().seed);
  for (float& value : negated) value = -value;
  CHECK(values_of(scores) == negated);
  const Words again = {"score", tool_models().pictures, "--data", x.string(), "--out", scores.string()};
  check_tool_refuses(again + Words{"--metric", "nlp"}, kUsage, "'nlp' is not elbo, nll or reconstruction");
  CHECK(tool_json(again + Words{"--samples", "5"}).at("samples") == 5);
  const std::vector<float> values = values_of(x);
  const auto data = rows_of(values, vae.info().model.input_dim);
  std::vector<float> drawn;
  vae.elbo(*data, 5, vae.info().seed, [&](const ElboBlock& block) {
    for (std::size_t i = 0; i < block.kl.size(); ++i) drawn.push_back(block.reconstruction[i] + block.kl[i]);
  });
  CHECK(values_of(scores) == drawn);
  check_tool_refuses(again + Words{"--samples", "0"}, kUsage, "--samples: '0' is not");
  check_tool_refuses(again + Words{"--metric", "nll", "--samples", "0"}, kUsage, "--samples: '0' is not");
}

TEST_CASE("score flags rows above a threshold, of this data or another", "[tool]") {
  const TempDir folder;
  const fs::path table = folder.path() / "scores.csv";
  const fs::path flags = folder.path() / "flags.npy";
  const Words basic = {"score", tool_models().tabular, "--data", tool_models().table};
  const auto json = tool_json(
      basic + Words{"--threshold-quantile", "0.9", "--out", table.string(), "--flags", flags.string()});
  const Dataset scores = load_written(table);
  CHECK(scores.column_names() == std::vector<std::string>{"row", "score", "flag"});
  REQUIRE(scores.rows() == 90);
  std::int64_t flagged = 0;
  const Dataset marks = load_written(flags);
  REQUIRE(marks.type() == ElementType::u8);
  for (std::int64_t row = 0; row < 90; ++row) {
    const float* cells = scores.f32().data() + row * 3;
    CHECK(cells[0] == static_cast<float>(row));
    CHECK((cells[2] == 1.0f) == (static_cast<double>(cells[1]) > json.at("threshold").get<double>()));
    CHECK(cells[2] == static_cast<float>(marks.u8()[static_cast<std::size_t>(row)]));
    flagged += cells[2] == 1.0f ? 1 : 0;
  }
  CHECK(flagged == 9);  // scores of 90 rows with noise of their own: none alike
  CHECK(json.at("flagged") == 9);

  // A row far from all that was trained on is found by the quantile of the usual rows.
  const std::string odd =
      write_file(folder.path() / "odd.csv", "speed,load,\"heat, outer\"\n3,103,1\n3,103,900\n");
  const auto found = tool_json({"score", tool_models().tabular, "--data", odd, "--reference",
                                tool_models().table, "--threshold-quantile", "1", "--out", table.string()});
  CHECK(found.at("flagged") == 1);
  CHECK(load_written(table).f32()[5] == 1.0f);

  const ProgramResult printed = run_tool(basic + Words{"--quiet", "--device", "cpu"});
  CHECK(printed.exit_code == 0);
  CHECK(printed.err.empty());
  CHECK(printed.out.find("row,score\n0,") == 0);
  CHECK(std::count(printed.out.begin(), printed.out.end(), '\n') == 91);

  check_tool_refuses(basic + Words{"--threshold", "1", "--threshold-quantile", "0.5"}, kUsage, "contradict");
  check_tool_refuses(basic + Words{"--threshold-quantile", "1.5"}, kUsage,
                     "--threshold-quantile: '1.5' is not");
  check_tool_refuses(basic + Words{"--flags", flags.string()}, kUsage,
                     "belong to --threshold-quantile or --threshold");
  check_tool_refuses(basic + Words{"--metric", "loss"}, kUsage,
                     "--metric: 'loss' is not elbo, nll or reconstruction");
  check_tool_refuses(basic + Words{"--json"}, kUsage, "give --out a file");
}

}  // namespace vaecuda::test
