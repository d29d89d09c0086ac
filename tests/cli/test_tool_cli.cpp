// vae_cuda as a user meets it: every command, what it writes, and how it refuses.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/vaecuda.hpp"

using namespace vaecuda;
using test::ProgramResult;
using test::TempDir;

namespace {

using Words = std::vector<std::string>;
namespace fs = std::filesystem;

constexpr int kRuntime = 1;
constexpr int kUsage = 2;
constexpr int kBadFile = 3;
constexpr std::int64_t kRows = 600;
const std::string kShapes = "shapes:16x16,n=600";

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// One folder for all tests of this file: a model of pictures, and one of a table with names.
class Models {
 public:
  Models() {
    RunConfig pictures;
    pictures.data.train.path = kShapes;
    pictures.model.hidden = {24};
    pictures.model.latent_dim = 3;
    pictures.train.device = "cpu";
    pictures.train.steps = 60;
    pictures.output.dir = (folder_.path() / "pictures").string();
    pictures_ = TrainingRun(pictures).run();

    std::string table = "speed,load,\"heat, outer\",label\n";
    for (int i = 0; i < 90; ++i) {
      table += std::to_string(i % 10) + "," + std::to_string(100 + i % 7) + "," + std::to_string(i % 3) +
               "," + (i % 2 == 0 ? "good" : "bad") + "\n";
    }
    table_path_ = test::write_file(folder_.path() / "table.csv", table);
    RunConfig tabular;
    tabular.data.train.path = table_path_;
    tabular.data.standardize = true;
    tabular.model.likelihood = Likelihood::gaussian;
    tabular.model.hidden = {8};
    tabular.model.latent_dim = 2;
    tabular.train.device = "cpu";
    tabular.train.steps = 60;
    tabular.output.dir = (folder_.path() / "tabular").string();
    tabular_ = TrainingRun(tabular).run().model;

    RunConfig told = pictures;
    told.model.conditional = true;
    told.output.dir = (folder_.path() / "conditional").string();
    conditional_ = TrainingRun(told).run().model;
  }
  [[nodiscard]] const std::string& pictures() const { return pictures_.model; }
  [[nodiscard]] const std::string& tabular() const { return tabular_; }
  /// The pictures once more, told their class.
  [[nodiscard]] const std::string& conditional() const { return conditional_; }
  [[nodiscard]] const std::string& table() const { return table_path_; }

 private:
  TempDir folder_;
  TrainSummary pictures_;
  std::string tabular_;
  std::string conditional_;
  std::string table_path_;
};

const Models& models() {
  static const Models kModels;
  return kModels;
}

ProgramResult tool(const Words& words, const test::ProgramOptions& options = {}) {
  return test::run_program(VAECUDA_TOOL_PATH, words, options);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Runs a command on the CPU and requires success; gives its document.
nlohmann::json done(const Words& words) {
  const ProgramResult result = tool(words + Words{"--json", "--device", "cpu"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.err.empty());
  return nlohmann::json::parse(result.out);  // throws where anything follows the document
}

void check_refused(const Words& words, int exit_code, std::string_view part) {
  const ProgramResult result = tool(words + Words{"--device", "cpu"});
  INFO(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK(result.out.empty());
  CHECK(contains(result.err, "error: "));
  CHECK(contains(result.err, part));
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

Dataset load(const fs::path& path) {
  DataSource source;
  source.path = path.string();
  source.label_column = path.extension() == ".csv" ? "none" : "";
  return load_dataset(source);
}

std::vector<float> values_of(const fs::path& path) {
  const Dataset data = load(path);
  return {data.f32().begin(), data.f32().end()};
}

/// Width and height of a PNG file.
std::pair<std::int64_t, std::int64_t> png_size(const fs::path& path) {
  const std::string bytes = read_file(path);
  REQUIRE(bytes.size() > 24);
  REQUIRE(bytes.substr(1, 3) == "PNG");
  const auto big_endian = [&](std::size_t at) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value * 256 + static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  return {big_endian(16), big_endian(20)};
}

/// A sheet of 16x16 pictures, three times as large, with gutters of 3.
std::pair<std::int64_t, std::int64_t> sheet_size(std::int64_t across, std::int64_t down) {
  return {3 + across * 51, 3 + down * 51};
}

const std::vector<std::string>& command_names() {
  static const std::vector<std::string> kNames = {"info",        "encode",    "reconstruct", "generate",
                                                  "interpolate", "neighbors", "manifold",    "traverse",
                                                  "score",       "evaluate",  "export"};
  return kNames;
}

}  // namespace

TEST_CASE("vae_cuda --help lists the commands, and each has a help of its own", "[tool]") {
  const ProgramResult help = tool({"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.err.empty());
  for (const std::string& name : command_names()) {
    INFO(name);
    CHECK(contains(help.out, "\n  " + name + " "));
    const ProgramResult own = tool({name, "-h"});
    CHECK(own.exit_code == 0);
    CHECK(own.err.empty());
    CHECK(contains(own.out, "Example: vae_cuda " + name));
    for (const std::string_view flag :
         {"MODEL", "--device", "--threads", "--batch-size", "--seed", "--json"}) {
      CHECK(contains(own.out, flag));
    }
    CHECK(tool({name, "--zebra", "--help"}).out == own.out);
    CHECK(tool({"--help", name}).out == own.out);
  }
  const ProgramResult version_text = tool({"encode", "--version"});
  CHECK(version_text.exit_code == 0);
  CHECK(version_text.out.find(std::string("vae_cuda ") + version() + "\n") == 0);
}

TEST_CASE("commands and options that do not exist name the nearest one", "[tool]") {
  check_refused({"encod"}, kUsage, "unknown command 'encod'; did you mean encode?");
  check_refused({"zzzzzz"}, kUsage, "unknown command 'zzzzzz'; expected one of info, encode");
  CHECK(tool({}).exit_code == kUsage);
  CHECK(contains(tool({}).err, "no command"));
  check_refused({"--quiet", "encode"}, kUsage, "'--quiet' stands where the command is expected");
  check_refused({"encode", "m", "--ot", "z.npy"}, kUsage, "unknown option '--ot'; did you mean --out?");
  check_refused({"encode", "m", "n"}, kUsage, "unexpected argument 'n'");
  check_refused({"generate", "m", "--out", "x.png", "-n", "1x"}, kUsage,
                "--count: '1x' is not a whole number from 1");
  check_refused({"generate", "m", "--out", "x.png", "--temperature", "-1"}, kUsage,
                "--temperature: '-1' is not");
  check_refused({"generate", "m", "--out", "x.png", "--batch_size", "0"}, kUsage, "--batch-size: '0' is not");
  check_refused({"generate", "m", "--out", "x.jpg"}, kUsage, ".png for a picture, .npy or .csv for rows");
  for (const std::string& name : command_names())
    check_refused({name}, kUsage, "MODEL is missing: vae_cuda " + name);
}

TEST_CASE("every command refuses what is no model", "[tool]") {
  const TempDir folder;
  const std::string broken = test::write_file(folder.path() / "m.safetensors", "not a model");
  const std::string out = (folder.path() / "x.npy").string();
  const std::vector<Words> calls = {
      {"info"},
      {"encode", "--data", kShapes, "--out", out},
      {"reconstruct", "--data", kShapes, "--out", out},
      {"generate", "--out", out},
      {"interpolate", "--data", kShapes, "--from", "0", "--to", "1", "--out", out},
      {"neighbors", "--data", kShapes, "--row", "0", "--out", out},
      {"manifold", "--out", out},
      {"traverse", "--out", out},
      {"score", "--data", kShapes, "--out", out},
      {"evaluate", "--data", kShapes, "--rows", out},
      {"export", "--format", "npz", "--out", out},
  };
  REQUIRE(calls.size() == command_names().size());
  for (const Words& call : calls) {
    check_refused(call + Words{broken}, kBadFile, broken);
    check_refused(call + Words{"/nonexistent/m.safetensors"}, kBadFile,
                  "/nonexistent/m.safetensors: no such file");
  }
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("info tells a model's network, data and training", "[tool]") {
  const ProgramResult text = tool({"info", models().pictures()});
  CHECK(text.exit_code == 0);
  CHECK(contains(text.out, "256 - 24 - 3 - 24 - 256, relu"));
  CHECK(contains(text.out, "pictures of 16 x 16 x 1"));
  CHECK(contains(text.out, "60 steps, seed 1, beta 1"));
  CHECK(contains(text.out, "encoder.0.weight"));
  const auto json = done({"info", models().tabular()});
  CHECK(json.at("column_names") == nlohmann::json({"speed", "load", "heat, outer"}));
  CHECK(json.at("likelihood") == "gaussian");
  CHECK(json.at("mean").size() == 3);
  CHECK(json.at("image").is_null());
  CHECK(json.at("parameters") == 3 * 8 + 8 + 8 * 4 + 4 + 2 * 8 + 8 + 8 * 3 + 3);
  CHECK(json.at("tensors").at("head.weight") == nlohmann::json({4, 8}));
}

TEST_CASE("encode writes what the library gives, whatever the batch size", "[tool]") {
  const TempDir folder;
  const fs::path z = folder.path() / "z.npy";
  const fs::path logvar = folder.path() / "logvar.csv";
  const auto json = done(
      {"encode", models().pictures(), "--data", kShapes, "--out", z.string(), "--logvar", logvar.string()});
  CHECK(json.at("rows") == kRows);
  CHECK(json.at("latent_dim") == 3);
  RunOn on;
  on.device = "cpu";
  const Vae vae = Vae::load(models().pictures(), on);
  const Dataset data = load_dataset({kShapes, {}, {}, {}});
  const Encoded expected = vae.encode(std::vector<float>(data.u8().begin(), data.u8().end()));
  CHECK(values_of(z) == expected.mean);
  CHECK(values_of(logvar) == expected.logvar);  // a table's digits bring the same floats back
  CHECK(load(logvar).column_names() == std::vector<std::string>{"logvar0", "logvar1", "logvar2"});
  CHECK(contains(read_file(z).substr(0, 128), "'shape': (600, 3), }"));
  CHECK(read_file(z).size() == 128 + 600 * 3 * 4);
  const std::string bytes = read_file(z);
  for (const std::string batch : {"1", "300", "512"}) {
    done({"encode", models().pictures(), "--data", kShapes, "--out", z.string(), "--batch-size", batch,
          "--threads", batch == "1" ? "1" : "3"});
    CHECK(read_file(z) == bytes);
  }
}

TEST_CASE("a quantized model gives its codes, and tells of its codebooks", "[tool]") {
  const TempDir folder;
  RunConfig config;
  config.data.train.path = kShapes;
  config.model.hidden = {24};
  config.model.latent = LatentKind::vq;
  config.model.latent_dim = 6;
  config.model.codebooks = 3;
  config.model.codebook_size = 8;
  config.train.device = "cpu";
  config.train.steps = 20;
  config.output.dir = (folder.path() / "run").string();
  const std::string model = TrainingRun(config).run().model;
  const fs::path z = folder.path() / "z.npy";
  const fs::path codes = folder.path() / "codes.csv";
  done({"encode", model, "--data", kShapes, "--out", z.string(), "--codes", codes.string()});
  RunOn on;
  on.device = "cpu";
  const Dataset data = load_dataset({kShapes, {}, {}, {}});
  const Encoded expected =
      Vae::load(model, on).encode(std::vector<float>(data.u8().begin(), data.u8().end()));
  CHECK(values_of(z) == expected.mean);
  CHECK(values_of(codes) == expected.codes);
  CHECK(load(codes).column_names() == std::vector<std::string>{"code0", "code1", "code2"});
  const auto info = nlohmann::json::parse(tool({"info", model, "--json"}).out);
  CHECK(info.at("codebooks") == 3);
  CHECK(info.at("codebook_size") == 8);
  CHECK(info.at("tensors").at("codebook") == nlohmann::json({24, 2}));
  check_refused({"encode", model, "--data", kShapes, "--out", z.string(), "--logvar", z.string()}, kUsage,
                "quantized");
  check_refused(
      {"encode", models().pictures(), "--data", kShapes, "--out", z.string(), "--codes", codes.string()},
      kUsage, "--latent vq");
  check_refused({"generate", model, "--temperature", "0.5", "--out", z.string()}, kUsage, "--latent vq");
}

TEST_CASE("reconstruct writes rows in the data's units, or pairs of pictures", "[tool]") {
  const TempDir folder;
  const fs::path rows = folder.path() / "x.csv";
  CHECK(done({"reconstruct", models().tabular(), "--data", models().table(), "--out", rows.string()})
            .at("rows") == 90);
  const Dataset data = load(rows);
  CHECK(data.column_names() == std::vector<std::string>{"speed", "load", "heat, outer"});
  double load_mean = 0.0;
  for (std::int64_t row = 0; row < 90; ++row)
    load_mean += static_cast<double>(data.f32()[static_cast<std::size_t>(row * 3 + 1)]);
  CHECK(load_mean / 90.0 == Approx(103.0).margin(2.0));  // the column runs from 100 to 106
  const fs::path sheet = folder.path() / "x.png";
  done({"reconstruct", models().pictures(), "--data", kShapes, "-n", "6", "--out", sheet.string()});
  CHECK(png_size(sheet) == std::pair<std::int64_t, std::int64_t>{3 + 3 * 51, 3 + 2 * (2 * 48 + 1 + 3)});
  // Rows that are no pictures are drawn as lines, in cells of 48 x 96.
  done({"reconstruct", models().tabular(), "--data", models().table(), "-n", "1", "--out", sheet.string()});
  CHECK(png_size(sheet) == std::pair<std::int64_t, std::int64_t>{3 + 96 + 3, 3 + 2 * 48 + 1 + 3});
  check_refused(
      {"reconstruct", models().tabular(), "--data", models().table(), "-n", "1", "--out", rows.string()},
      kUsage, "--count");
}

TEST_CASE("what is generated can be scored", "[tool]") {
  const TempDir folder;
  const fs::path x = folder.path() / "x.npy";
  const fs::path scores = folder.path() / "scores.npy";
  CHECK(done({"generate", models().pictures(), "-n", "300", "--out", x.string(), "--seed", "5"}).at("rows") ==
        300);
  const auto json = done({"score", models().pictures(), "--data", x.string(), "--out", scores.string()});
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
  const Vae vae = Vae::load(models().pictures(), on);
  CHECK(values_of(x) == vae.sample(300, 5));
  const ElboTerms terms = vae.elbo(values_of(x));
  for (std::size_t i = 0; i < 300; ++i) REQUIRE(per_row[i] == terms.reconstruction[i] + terms.kl[i]);
  done({"score", models().pictures(), "--data", x.string(), "--out", scores.string(), "--metric",
        "reconstruction"});
  CHECK(values_of(scores) == terms.reconstruction);
}

TEST_CASE("generate draws sheets and decodes given latents", "[tool]") {
  const TempDir folder;
  const fs::path sheet = folder.path() / "x.png";
  done({"generate", models().pictures(), "-n", "12", "--out", sheet.string()});
  CHECK(png_size(sheet) == sheet_size(3, 4));
  done({"generate", models().pictures(), "-n", "1", "--image", "8x32x1", "--out", sheet.string()});
  CHECK(png_size(sheet) == std::pair<std::int64_t, std::int64_t>{3 + 32 * 6 + 3, 3 + 8 * 6 + 3});
  check_refused({"generate", models().pictures(), "--image", "8x8x1", "--out", sheet.string()}, kUsage,
                "--image 8x8x1 has 64 values, but the model's rows have 256");
  check_refused({"generate", models().pictures(), "-n", "5000", "--out", sheet.string()}, kUsage,
                "at most 4096");

  const fs::path z = folder.path() / "z.csv";
  const fs::path x = folder.path() / "x.npy";
  const fs::path direct = folder.path() / "direct.npy";
  done({"encode", models().pictures(), "--data", kShapes, "--out", z.string()});
  done({"generate", models().pictures(), "--latents", z.string(), "--out", x.string()});
  done({"reconstruct", models().pictures(), "--data", kShapes, "--out", direct.string()});
  CHECK(read_file(x) == read_file(direct));
  check_refused(
      {"generate", models().pictures(), "--latents", z.string(), "--seed", "1", "--out", x.string()}, kUsage,
      "--latents and --seed contradict");
  check_refused({"generate", models().pictures(), "--label", "3", "--out", x.string()}, kUsage,
                "--conditional");
  check_refused({"generate", models().tabular(), "--latents", z.string(), "--out", x.string()}, kBadFile,
                "rows have 3 values, but the model decodes latents of 2");
}

TEST_CASE("a conditional model walks with the class asked for", "[tool]") {
  const TempDir folder;
  const fs::path one = folder.path() / "one.npy";
  const fs::path other = folder.path() / "other.npy";
  const auto names = read_model_info(models().conditional()).condition_names;
  REQUIRE(names.size() >= 2);
  const std::vector<Words> walks = {
      {"manifold", models().conditional(), "--grid", "3"},
      {"traverse", models().conditional(), "--steps", "3"},
      {"interpolate", models().conditional(), "--data", kShapes, "--from", "0", "--to", "4"},
      {"neighbors", models().conditional(), "--data", kShapes, "--row", "1"}};
  for (const Words& walk : walks) {
    INFO(walk.front());
    done(walk + Words{"--label", names[0], "--out", one.string()});
    done(walk + Words{"--label", names[1], "--out", other.string()});
    CHECK(values_of(one) != values_of(other));
    check_refused(walk + Words{"--out", one.string()}, kUsage, "conditional");
    check_refused(walk + Words{"--label", "nobody", "--out", one.string()}, kUsage, "nobody");
  }
  check_refused({"manifold", models().pictures(), "--label", names[0], "--out", one.string()}, kUsage,
                "--conditional");
}

TEST_CASE("walks in latent space have the cells asked for", "[tool]") {
  const TempDir folder;
  const std::string sheet = (folder.path() / "x.png").string();
  const Words data = {models().pictures(), "--data", kShapes, "--out", sheet};
  done(Words{"interpolate", "--from", "2", "--to", "599", "--steps", "7", "--slerp"} + data);
  CHECK(png_size(sheet) == sheet_size(7, 1));
  done(Words{"neighbors", "--row", "3", "-n", "8", "--radius", "0.5"} + data);
  CHECK(png_size(sheet) == sheet_size(3, 3));
  done({"manifold", models().pictures(), "--dims", "2,0", "--grid", "5", "--out", sheet});
  CHECK(png_size(sheet) == sheet_size(5, 5));
  done({"traverse", models().pictures(), "--steps", "4", "--out", sheet});
  CHECK(png_size(sheet) == sheet_size(4, 3));
  done(Words{"traverse", "--steps", "4", "--dims", "1", "--row", "9"} + data);
  CHECK(png_size(sheet) == sheet_size(4, 1));

  // Ends of a path are the rows' reconstructions; a radius of 0 stays where it is.
  const fs::path path = folder.path() / "path.npy";
  const fs::path all = folder.path() / "all.npy";
  done({"interpolate", models().pictures(), "--data", kShapes, "--from", "2", "--to", "5", "--steps", "3",
        "--out", path.string()});
  done({"reconstruct", models().pictures(), "--data", kShapes, "--out", all.string()});
  const std::vector<float> walk = values_of(path);
  const std::vector<float> rows = values_of(all);
  REQUIRE(walk.size() == 3 * 256);
  CHECK(std::equal(walk.begin(), walk.begin() + 256, rows.begin() + 2 * 256));
  CHECK(std::equal(walk.begin() + 512, walk.end(), rows.begin() + 5 * 256));
  done({"neighbors", models().pictures(), "--data", kShapes, "--row", "2", "-n", "1", "--radius", "0",
        "--out", path.string()});
  const std::vector<float> still = values_of(path);
  CHECK(std::equal(still.begin(), still.begin() + 256, still.begin() + 256));

  check_refused(Words{"interpolate", "--from", "0", "--to", "600"} + data, kUsage, "row 600 does not exist");
  check_refused(Words{"neighbors", "--row", "-1"} + data, kUsage, "--row");
  check_refused(Words{"interpolate", "--from", "0"} + data, kUsage, "--to is missing");
  check_refused({"manifold", models().pictures(), "--dims", "1,1", "--out", sheet}, kUsage,
                "two different latents");
  check_refused({"manifold", models().pictures(), "--dims", "0,3", "--out", sheet}, kUsage,
                "'3' is not a whole number");
  check_refused(Words{"traverse"} + data, kUsage, "--row says which row");
}

TEST_CASE("score flags rows above a threshold, of this data or another", "[tool]") {
  const TempDir folder;
  const fs::path table = folder.path() / "scores.csv";
  const fs::path flags = folder.path() / "flags.npy";
  const Words basic = {"score", models().tabular(), "--data", models().table()};
  const auto json =
      done(basic + Words{"--threshold-quantile", "0.9", "--out", table.string(), "--flags", flags.string()});
  const Dataset scores = load(table);
  CHECK(scores.column_names() == std::vector<std::string>{"row", "score", "flag"});
  REQUIRE(scores.rows() == 90);
  std::int64_t flagged = 0;
  const Dataset marks = load(flags);
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
      test::write_file(folder.path() / "odd.csv", "speed,load,\"heat, outer\"\n3,103,1\n3,103,900\n");
  const auto found = done({"score", models().tabular(), "--data", odd, "--reference", models().table(),
                           "--threshold-quantile", "1", "--out", table.string()});
  CHECK(found.at("flagged") == 1);
  CHECK(load(table).f32()[5] == 1.0f);

  const ProgramResult printed = tool(basic + Words{"--quiet", "--device", "cpu"});
  CHECK(printed.exit_code == 0);
  CHECK(printed.err.empty());
  CHECK(printed.out.find("row,score\n0,") == 0);
  CHECK(std::count(printed.out.begin(), printed.out.end(), '\n') == 91);

  check_refused(basic + Words{"--threshold", "1", "--threshold-quantile", "0.5"}, kUsage, "contradict");
  check_refused(basic + Words{"--threshold-quantile", "1.5"}, kUsage, "--threshold-quantile: '1.5' is not");
  check_refused(basic + Words{"--flags", flags.string()}, kUsage,
                "belong to --threshold-quantile or --threshold");
  check_refused(basic + Words{"--metric", "loss"}, kUsage, "--metric: 'loss' is not elbo or reconstruction");
  check_refused(basic + Words{"--json"}, kUsage, "give --out a file");
}

TEST_CASE("export gives the file back, and an archive that zip tools read", "[tool]") {
  const TempDir folder;
  const fs::path copy = folder.path() / "copy.safetensors";
  done({"export", models().tabular(), "--format", "safetensors", "--out", copy.string()});
  CHECK(read_file(copy) == read_file(models().tabular()));
  const fs::path archive = folder.path() / "m.npz";
  CHECK(done({"export", models().tabular(), "--format", "npz", "--out", archive.string()}).at("tensors") ==
        10);
  check_refused({"export", models().tabular(), "--format", "onnx", "--out", copy.string()}, kUsage,
                "--format: 'onnx' is not safetensors or npz");
  const std::string script =
      test::write_file(folder.path() / "read.py",
                       "import sys, json, zipfile\n"
                       "z = zipfile.ZipFile(sys.argv[1])\n"
                       "assert z.testzip() is None\n"
                       "assert json.loads(z.read('config.json'))['model']['latent_dim'] == 2\n"
                       "head = z.read('head.weight.npy')\n"
                       "assert head[:6] == b'\\x93NUMPY' and b\"'shape': (4, 8), }\" in head[:128] and "
                       "len(head) == 128 + 4 * 4 * 8\n"
                       "try:\n"
                       "    import numpy\n"
                       "except ImportError:\n"
                       "    print('no numpy')\n"
                       "    sys.exit(0)\n"
                       "m = numpy.load(sys.argv[1])\n"
                       "assert m['head.weight'].shape == (4, 8) and m['data.mean'].dtype == numpy.float32\n"
                       "print('numpy')\n");
  if (!fs::exists("/usr/bin/python3")) {
    WARN("no python3: the archive is not read by another program");
    return;
  }
  const ProgramResult python = test::run_program("/usr/bin/python3", {script, archive.string()});
  INFO(python.err);
  CHECK(python.exit_code == 0);
  if (contains(python.out, "no numpy")) WARN("no numpy: the archive was read by zipfile alone");
}

TEST_CASE("data of another width, broken data and unwritable outputs leave nothing behind", "[tool]") {
  const TempDir folder;
  const std::string out = (folder.path() / "z.npy").string();
  const std::string narrow = test::write_file(folder.path() / "narrow.csv", "1,2\n3,4\n");
  for (const std::string command : {"encode", "reconstruct", "score"}) {
    INFO(command);
    check_refused({command, models().tabular(), "--data", narrow, "--out", out}, kBadFile,
                  "rows have 2 values, but the model was trained on rows of 3");
    check_refused({command, models().tabular(), "--data", "/nonexistent.csv", "--out", out}, kBadFile,
                  "/nonexistent.csv");
    check_refused({command, models().tabular(), "--out", out}, kUsage, "--data is missing");
  }
  std::string late = "1,2,3\n";
  for (int i = 0; i < 1000; ++i) late += "1,2,3\n";
  const std::string broken = test::write_file(folder.path() / "late.csv", late + "1,2,x\n");
  check_refused({"encode", models().tabular(), "--data", broken, "--out", out}, kBadFile, "line 1002");
  CHECK_FALSE(fs::exists(out));
  // An old file stays whole where the new one fails, and is replaced where it does not.
  std::ofstream(out) << "old";
  check_refused({"encode", models().tabular(), "--data", broken, "--batch-size", "256", "--out", out},
                kBadFile, "line 1002");
  CHECK(read_file(out) == "old");
  for (const auto& entry : fs::directory_iterator(folder.path()))
    CHECK_FALSE(contains(entry.path().string(), ".tmp"));
  done({"encode", models().tabular(), "--data", models().table(), "--out", out});
  CHECK(read_file(out).size() == 128 + 90 * 2 * 4);
  check_refused({"encode", models().tabular(), "--data", models().table(), "--out", "/nonexistent/z.npy"},
                kRuntime, "/nonexistent");
  check_refused({"generate", models().pictures(), "--out", "/nonexistent/x.png"}, kRuntime, "/nonexistent");
  check_refused({"encode", models().tabular(), "--data", models().table(), "--labels", "/nonexistent.csv",
                 "--out", out},
                kBadFile, "/nonexistent.csv");
  check_refused({"encode", models().tabular(), "--data", models().table(), "--part", "test", "--out", out},
                kUsage, "has no test part");
  check_refused({"encode", models().tabular(), "--data", models().table(), "--part", "dev", "--out", out},
                kUsage, "--part: 'dev' is not train or test");
}
