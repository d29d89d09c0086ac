#include "tests/support/tool_models.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tool_runs.hpp"

namespace vaecuda::test {
namespace {

ToolModels train_models(const std::filesystem::path& dir) {
  ToolModels models;
  const auto of_pictures = [](RunConfig& config) {
    config.model.hidden = {24};
    config.model.latent_dim = 3;
  };
  models.pictures = train_small(dir / "pictures", kShapes, of_pictures);
  models.conditional = train_small(dir / "conditional", kShapes, [&](RunConfig& config) {
    of_pictures(config);
    config.model.conditional = true;
  });
  std::string table = "speed,load,\"heat, outer\",label\n";
  for (int i = 0; i < 90; ++i) {
    table += std::to_string(i % 10) + "," + std::to_string(100 + i % 7) + "," + std::to_string(i % 3) + "," +
             (i % 2 == 0 ? "good" : "bad") + "\n";
  }
  models.table = write_file(dir / "table.csv", table);
  models.tabular = train_small(dir / "tabular", models.table, [](RunConfig& config) {
    config.data.standardize = true;
    config.model.likelihood = Likelihood::gaussian;
  });
  return models;
}

}  // namespace

const ToolModels& tool_models() {
  static const TempDir kFolder;
  static const ToolModels kModels = train_models(kFolder.path());
  return kModels;
}

Dataset load_written(const std::filesystem::path& path) {
  DataSource source;
  source.path = path.string();
  source.label_column = path.extension() == ".csv" ? "none" : "";
  return load_dataset(source);
}

std::vector<float> values_of(const std::filesystem::path& path) {
  const Dataset data = load_written(path);
  return {data.f32().begin(), data.f32().end()};
}

std::pair<std::int64_t, std::int64_t> png_size(const std::filesystem::path& path) {
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

std::pair<std::int64_t, std::int64_t> sheet_size(std::int64_t across, std::int64_t down) {
  return {3 + across * 51, 3 + down * 51};
}

}  // namespace vaecuda::test
