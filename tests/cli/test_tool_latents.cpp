// vae_cuda from latents: generate and the walks.
#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
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

}  // namespace

TEST_CASE("generate draws sheets and decodes given latents", "[tool]") {
  const TempDir folder;
  const fs::path sheet = folder.path() / "x.png";
  tool_json({"generate", tool_models().pictures, "-n", "12", "--out", sheet.string()});
  CHECK(png_size(sheet) == sheet_size(3, 4));
  tool_json({"generate", tool_models().pictures, "-n", "1", "--image", "8x32x1", "--out", sheet.string()});
  CHECK(png_size(sheet) == std::pair<std::int64_t, std::int64_t>{3 + 32 * 6 + 3, 3 + 8 * 6 + 3});
  check_tool_refuses({"generate", tool_models().pictures, "--image", "8x8x1", "--out", sheet.string()},
                     kUsage, "--image 8x8x1 has 64 values, but the model's rows have 256");
  check_tool_refuses({"generate", tool_models().pictures, "-n", "5000", "--out", sheet.string()}, kUsage,
                     "at most 4096");

  const fs::path z = folder.path() / "z.csv";
  const fs::path x = folder.path() / "x.npy";
  const fs::path direct = folder.path() / "direct.npy";
  tool_json({"encode", tool_models().pictures, "--data", kShapes, "--out", z.string()});
  tool_json({"generate", tool_models().pictures, "--latents", z.string(), "--out", x.string()});
  tool_json({"reconstruct", tool_models().pictures, "--data", kShapes, "--out", direct.string()});
  CHECK(read_file(x) == read_file(direct));
  check_tool_refuses(
      {"generate", tool_models().pictures, "--latents", z.string(), "--seed", "1", "--out", x.string()},
      kUsage, "--latents and --seed contradict");
  check_tool_refuses({"generate", tool_models().pictures, "--label", "3", "--out", x.string()}, kUsage,
                     "--conditional");
  check_tool_refuses({"generate", tool_models().tabular, "--latents", z.string(), "--out", x.string()},
                     kBadFile, "rows have 3 values, but the model decodes latents of 2");
}

TEST_CASE("a conditional model walks with the class asked for", "[tool]") {
  const TempDir folder;
  const fs::path one = folder.path() / "one.npy";
  const fs::path other = folder.path() / "other.npy";
  const auto names = read_model_info(tool_models().conditional).condition_names;
  REQUIRE(names.size() >= 2);
  const std::vector<Words> walks = {
      {"manifold", tool_models().conditional, "--grid", "3"},
      {"traverse", tool_models().conditional, "--steps", "3"},
      {"interpolate", tool_models().conditional, "--data", kShapes, "--from", "0", "--to", "4"},
      {"neighbors", tool_models().conditional, "--data", kShapes, "--row", "1"}};
  for (const Words& walk : walks) {
    INFO(walk.front());
    tool_json(walk + Words{"--label", names[0], "--out", one.string()});
    tool_json(walk + Words{"--label", names[1], "--out", other.string()});
    CHECK(values_of(one) != values_of(other));
    check_tool_refuses(walk + Words{"--out", one.string()}, kUsage, "conditional");
    check_tool_refuses(walk + Words{"--label", "nobody", "--out", one.string()}, kUsage, "nobody");
  }
  check_tool_refuses({"manifold", tool_models().pictures, "--label", names[0], "--out", one.string()}, kUsage,
                     "--conditional");
}

TEST_CASE("walks in latent space have the cells asked for", "[tool]") {
  const TempDir folder;
  const std::string sheet = (folder.path() / "x.png").string();
  const Words data = {tool_models().pictures, "--data", kShapes, "--out", sheet};
  tool_json(Words{"interpolate", "--from", "2", "--to", "599", "--steps", "7", "--slerp"} + data);
  CHECK(png_size(sheet) == sheet_size(7, 1));
  tool_json(Words{"neighbors", "--row", "3", "-n", "8", "--radius", "0.5"} + data);
  CHECK(png_size(sheet) == sheet_size(3, 3));
  tool_json({"manifold", tool_models().pictures, "--dims", "2,0", "--grid", "5", "--out", sheet});
  CHECK(png_size(sheet) == sheet_size(5, 5));
  tool_json({"traverse", tool_models().pictures, "--steps", "4", "--out", sheet});
  CHECK(png_size(sheet) == sheet_size(4, 3));
  tool_json(Words{"traverse", "--steps", "4", "--dims", "1", "--row", "9"} + data);
  CHECK(png_size(sheet) == sheet_size(4, 1));

  // Ends of a path are the rows' reconstructions; a radius of 0 stays where it is.
  const fs::path path = folder.path() / "path.npy";
  const fs::path all = folder.path() / "all.npy";
  tool_json({"interpolate", tool_models().pictures, "--data", kShapes, "--from", "2", "--to", "5", "--steps",
             "3", "--out", path.string()});
  tool_json({"reconstruct", tool_models().pictures, "--data", kShapes, "--out", all.string()});
  const std::vector<float> walk = values_of(path);
  const std::vector<float> rows = values_of(all);
  REQUIRE(walk.size() == 3 * 256);
  CHECK(std::equal(walk.begin(), walk.begin() + 256, rows.begin() + 2 * 256));
  CHECK(std::equal(walk.begin() + 512, walk.end(), rows.begin() + 5 * 256));
  tool_json({"neighbors", tool_models().pictures, "--data", kShapes, "--row", "2", "-n", "1", "--radius", "0",
             "--out", path.string()});
  const std::vector<float> still = values_of(path);
  CHECK(std::equal(still.begin(), still.begin() + 256, still.begin() + 256));

  check_tool_refuses(Words{"interpolate", "--from", "0", "--to", "600"} + data, kUsage,
                     "row 600 does not exist");
  check_tool_refuses(Words{"neighbors", "--row", "-1"} + data, kUsage, "--row");
  check_tool_refuses(Words{"interpolate", "--from", "0"} + data, kUsage, "--to is missing");
  check_tool_refuses({"manifold", tool_models().pictures, "--dims", "1,1", "--out", sheet}, kUsage,
                     "two different latents");
  check_tool_refuses({"manifold", tool_models().pictures, "--dims", "0,3", "--out", sheet}, kUsage,
                     "'3' is not a whole number");
  check_tool_refuses(Words{"traverse"} + data, kUsage, "--row says which row");
}

}  // namespace vaecuda::test
