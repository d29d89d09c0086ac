// The page of a run: what it holds, that it is well-formed and whole in itself, and what it says of what is
// missing.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>
#include <string>
#include <vector>

#include "host/report/axis.hpp"
#include "host/report/chart.hpp"
#include "host/report/markup.hpp"
#include "host/report/principal_axes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/report_pages.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/words.hpp"
#include "vaecuda/vaecuda.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

std::string row_of(const std::string& name, const LossTerms& terms) {
  return fmt::format("<tr><th scope=\"row\">{}</th><td>{:.4f}</td><td>{:.4f}</td><td>{:.4f}</td></tr>", name,
                     terms.loss, terms.reconstruction, terms.kl);
}

}  // namespace

TEST_CASE("a run's page shows its figures, curves, latents, pictures and configuration", "[report]") {
  const TempDir folder;
  TrainSummary summary;
  const RunConfig config = report_run(folder.path() / "run");
  const std::string page = page_of(config, &summary);
  CHECK(contains(page, row_of("training, last epoch", summary.train)));
  CHECK(contains(page, row_of("validation, best model", *summary.valid)));
  CHECK(contains(page, row_of("test, best model", *summary.test)));
  for (const std::string_view heading :
       {"Loss", "Reconstruction", "KL divergence", "KL per latent over the epochs", "Throughput",
        "KL per latent", "Latents", "Reconstructions", "Samples", "Interpolations"}) {
    INFO(heading);
    CHECK(contains(page, fmt::format("<h3>{}</h3>", heading)));
  }
  CHECK(count_of(page, "<rect class=\"bar") == 3);
  CHECK(count_of(page, "src=\"data:image/png;base64,iVBORw0KGgo") == 3);
  CHECK(contains(page, "<th scope=\"row\">latent_dim</th><td>3</td>"));
  CHECK(contains(page, "256–24–3–24–256"));
  // What is the same at all times is a sentence and no card.
  CHECK(contains(page, "<p class=\"note\">Learning rate: 0.001 throughout.</p>"));
  CHECK_FALSE(contains(page, "<h3>Learning rate</h3>"));
  CHECK(count_of(page, "class=\"note\"") == count_of(page, " throughout.</p>"));
}

TEST_CASE("the lines and columns of picture sheets have names", "[report]") {
  const TempDir folder;
  RunConfig config = report_run(folder.path() / "run");
  config.model.latent_dim = 2;
  const std::string page = page_of(config);
  const auto names_of = [&](const std::string& heading, const std::string& side) {
    const std::size_t figure = page.find("<h3>" + heading + "</h3>");
    REQUIRE(figure != std::string::npos);
    const std::size_t begin = page.find("<div class=\"" + side + "\"", figure);
    std::string names = page.substr(begin, page.find("</div>", begin) - begin);
    names.erase(0, names.find('>') + 1);
    return names;
  };
  // 32 pairs of 48 x 97 pixels: eight side by side.
  CHECK(names_of("Reconstructions", "across").starts_with("<span>+0</span><span>+1</span>"));
  CHECK(names_of("Reconstructions", "across").ends_with("<span>+7</span>"));
  CHECK(names_of("Reconstructions", "down") == "<span>0</span><span>8</span><span>16</span><span>24</span>");
  CHECK(count_of(names_of("Samples", "across"), "<span>") == 8);
  CHECK(names_of("Samples", "down").ends_with("<span>56</span>"));
  CHECK(names_of("Interpolations", "across").starts_with("<span>0 %</span><span>11 %</span>"));
  CHECK(names_of("Interpolations", "down").starts_with("<span>0 → 1</span><span>2 → 3</span>"));
  CHECK(names_of("Latent plane", "across").starts_with("<span>-1.96</span>"));
  CHECK(names_of("Latent plane", "down").starts_with("<span>1.96</span>"));
}

TEST_CASE("type has one size in all charts", "[report]") {
  const TempDir folder;
  const std::string page = page_of(report_run(folder.path() / "run"));
  const std::size_t charts = count_of(page, "<svg class=\"chart ");
  CHECK(charts >= 7);
  CHECK(count_of(page, "viewBox=\"0 0 320 ") == charts);
}

TEST_CASE("the warnings of a run stand at the head of its page", "[report]") {
  const TempDir folder;
  RunConfig config = report_run(folder.path() / "run");
  config.train.epochs.reset();
  config.train.steps = 1;
  config.optimizer.lr = 1e-6;
  TrainSummary summary;
  const std::string page = page_of(config, &summary);
  REQUIRE_FALSE(summary.warnings.empty());
  CHECK(contains(summary.warnings[0], "no better than the columns' means alone"));
  CHECK(count_of(page, "<p class=\"warning\">") == summary.warnings.size());
  CHECK(contains(page, "no better than the columns&#39; means alone"));
  CHECK(page.find("class=\"warning\">") < page.find("Final figures"));
}

TEST_CASE("the names of groups lie on no other name", "[report]") {
  // Ten groups with one middle, and ten along a line.
  for (const double apart : {0.0, 0.05, 1.0}) {
    std::vector<PointGroup> groups;
    for (int i = 0; i < 10; ++i) {
      const double x = apart * i;
      groups.push_back({fmt::format("group number {}", i), {{x - 1.0, -1.0}, {x + 1.0, 1.0}}});
    }
    const std::string svg = scatter_chart({"id", "label", "x", "y"}, groups);
    const std::regex name("<text class=\"group s[0-9]\" x=\"([0-9.]+)\" y=\"([0-9.]+)\">([^<]+)</text>");
    std::vector<std::array<double, 2>> places;
    for (std::sregex_iterator at(svg.begin(), svg.end(), name), end; at != end; ++at) {
      places.push_back({std::stod((*at)[1]), std::stod((*at)[2])});
    }
    REQUIRE(places.size() == 10);
    constexpr double kWide = 14 * 6.5;  // letters of 12 pixels, bold
    for (std::size_t i = 0; i < places.size(); ++i) {
      CHECK(places[i][0] - kWide / 2 > 40.0);
      CHECK(places[i][0] + kWide / 2 < 320.0);
      for (std::size_t j = 0; j < i; ++j) {
        const bool apart_from =
            std::abs(places[i][0] - places[j][0]) >= kWide || std::abs(places[i][1] - places[j][1]) >= 12.0;
        CHECK(apart_from);
      }
    }
  }
}

TEST_CASE("names and labels reach the page as text", "[report]") {
  const TempDir folder;
  const std::string hostile = "<script>alert(\"1\")</script>&'\x01";
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  for (int row = 0; row < 40; ++row) {
    labels.push_back(row % 2);
    for (int column = 0; column < 4; ++column)
      values.push_back(0.25F * static_cast<float>((row + column) % 4));
  }
  RunData data{Dataset(std::move(values), 40, 4), std::nullopt, std::nullopt};
  data.train.set_labels(std::move(labels), {"a<b>&\"", hostile});
  RunConfig config = report_run(folder.path() / "run<b>&\"'");
  config.data = DataConfig{};
  Trainer run(config, std::move(data));
  static_cast<void>(run.run());
  const std::string page = read_file(run.write_report());
  check_page(page);
  CHECK(contains(page, "<h1>run&lt;b&gt;&amp;&quot;&#39;</h1>"));
  CHECK(contains(page, ">a&lt;b&gt;&amp;&quot;</text>"));
  CHECK(count_of(page, "<script>") == 1);
  // Later the rows are gone: the page says so and shows the rest.
  const std::string later = report_of(config.output.dir);
  check_page(later);
  CHECK(contains(later, "were given in memory, so that they cannot be read again"));
  CHECK(contains(later, "<h3>Reconstructions</h3>"));
  CHECK_FALSE(contains(later, "<h3>Latents</h3>"));
}

TEST_CASE("what a run does not have is told in its place", "[report]") {
  const TempDir folder;
  RunConfig config = report_run(folder.path() / "run");
  config.data.valid_fraction = 0.0;
  config.data.test_fraction = 0.0;
  config.train.epochs.reset();
  SECTION("no held-out rows, one line of metrics, two latents") {
    config.train.steps = 1;
    config.model.latent_dim = 2;
    const std::string page = page_of(config);
    CHECK(contains(page, "No rows were held out for validation"));
    CHECK(contains(page, "No rows were held out for a test"));
    CHECK(contains(page, "<h3>Latent plane</h3>"));
    // 20 pictures side by side: wider than a phone, so it is moved, by the keyboard too.
    CHECK(contains(page,
                   "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Latent plane\"><div "
                   "class=\"sheet\">"));
    CHECK(contains(page, ">latent 1</text>"));
  }
  SECTION("a deterministic latent") {
    config.train.steps = 5;
    config.model.latent = LatentKind::deterministic;
    const std::string page = page_of(config);
    CHECK(contains(page, "a deterministic latent has no prior"));
    CHECK(contains(page, "Only a Gaussian latent has a KL"));
    CHECK_FALSE(contains(page, "<h3>KL divergence</h3>"));
  }
  SECTION("a quantized latent") {
    config.train.steps = 5;
    config.model.latent = LatentKind::vq;
    config.model.codebook_size = 8;
    const std::string page = page_of(config);
    CHECK(contains(page, "<h3>Perplexity of the codes</h3>"));
    CHECK(contains(page, "<th scope=\"col\">quantization error</th>"));
  }
  SECTION("a conditional model walks inside a class") {
    config.train.steps = 5;
    config.model.conditional = true;
    CHECK(contains(page_of(config), "<h3>Interpolations</h3>"));
  }
}

TEST_CASE("a folder that lost files still has a page", "[report]") {
  const TempDir folder;
  const RunConfig config = report_run(folder.path() / "run");
  const fs::path dir = config.output.dir;
  static_cast<void>(Trainer(config).run());
  {
    std::ofstream metrics(dir / "metrics.jsonl", std::ios::app);
    metrics << "{\"step\":9000,\"epo";
  }
  fs::remove(dir / "samples.png");
  std::string page = report_of(dir);
  check_page(page);
  CHECK(contains(page, "could not be read are left out (1)"));
  CHECK(contains(page, "samples.png is not in the run&#39;s folder"));
  fs::remove(dir / "metrics.jsonl");
  fs::remove(dir / "model.safetensors");
  page = report_of(dir);
  check_page(page);
  CHECK(contains(page, "There are no curves."));
  CHECK(contains(page, "There is no model to show"));
  const std::string config_text = read_file(dir / "config.toml");
  CHECK(contains(config_text, "shapes:16x16,n=400"));
  fs::remove(dir / "config.toml");
  check_error<FileError>([&] { static_cast<void>(report_of(dir)); },
                         {"holds no run", "config.toml", dir.string()});
  check_error<ConfigError>(
      [&] { static_cast<void>(Trainer(report_run(folder.path() / "new")).write_report()); },
      {"call run() first"});
}

TEST_CASE("a figure that is not finite and rows that have moved are said", "[report]") {
  const TempDir folder;
  RunConfig config = report_run(folder.path() / "run");
  static_cast<void>(Trainer(config).run());
  const fs::path dir = config.output.dir;
  std::string text = read_file(dir / "config.toml");
  text.replace(text.find("shapes:16x16,n=400"), 18, "/nonexistent/rows.npy");
  write_file(dir / "config.toml", text);
  write_file(dir / "metrics.jsonl",
             "{\"step\":1,\"epoch\":0.4,\"loss\":null,\"reconstruction\":null,\"kl\":1.5,\"lr\":0.001,"
             "\"seconds\":0.0}\n");
  const std::string page = report_of(dir);
  check_page(page);
  CHECK(contains(page, "<td>not finite</td>"));
  CHECK(contains(page, "cannot be read any more: /nonexistent/rows.npy"));
}

TEST_CASE("axes end at round numbers", "[report]") {
  const Axis loss = make_axis(101.3, 187.0, 4, true);
  CHECK(loss.low == Approx(100.0));
  CHECK(loss.high == Approx(200.0));
  CHECK(loss.words == std::vector<std::string>{"100", "150", "200"});
  CHECK(make_axis(0.0, 0.001, 4, true).words == std::vector<std::string>{"0", "0.0005", "0.0010"});
  CHECK(make_axis(0.0, 60000.0, 3, true).words == std::vector<std::string>{"0", "20k", "40k", "60k"});
  const Axis flat = make_axis(3.0, 3.0, 4, true);
  CHECK(flat.low < 3.0);
  CHECK(flat.high > 3.0);
  CHECK(make_axis(-static_cast<double>(INFINITY), static_cast<double>(NAN), 4, true).ticks.size() > 1);
}

TEST_CASE("axes are drawn of any range", "[report]") {
  constexpr double kMost = std::numeric_limits<double>::max();
  constexpr double kTiny = std::numeric_limits<double>::denorm_min();
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> ends = {-kMost, -1e300,  -1.0,  -1e-300,   -kTiny, 0.0,  kTiny,
                                    1e-310, 1e-300,  0.1,   1.0,       1e9,    1e12, 1e15,
                                    1e300,  1.7e308, kMost, kInfinite, kNan};
  for (const double low : ends) {
    for (const double high : ends) {
      for (const int intervals : {1, 4, 6}) {
        for (const bool widen : {false, true}) {
          INFO(low << " to " << high << " in " << intervals << (widen ? ", widened" : ""));
          const Axis axis = make_axis(low, high, intervals, widen);
          REQUIRE(std::isfinite(axis.low));
          REQUIRE(std::isfinite(axis.high));
          REQUIRE(axis.low < axis.high);
          REQUIRE(!axis.ticks.empty());
          REQUIRE(axis.ticks.size() == axis.words.size());
          REQUIRE(axis.ticks.size() <= static_cast<std::size_t>(intervals) + 4);
          REQUIRE(std::is_sorted(axis.ticks.begin(), axis.ticks.end()));
          if (std::isfinite(low) && std::isfinite(high) && low <= high) {
            REQUIRE(axis.low <= low);
            REQUIRE(axis.high >= high);
          }
          for (const double value : ends) {
            const double share = axis.share(value);
            REQUIRE(std::abs(share) <= Axis::kFar + 1.0);
            if (std::isfinite(value) && value >= axis.low && value <= axis.high) {
              REQUIRE(share >= 0.0);
              REQUIRE(share <= 1.0);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("rows that are not finite take no part in the principal plane", "[report]") {
  const std::vector<float> finite = {1.0F, 2.0F, 3.0F, -1.0F, 0.5F, 2.0F, 0.0F, -2.0F, 1.0F};
  std::vector<float> values = finite;
  values.insert(values.begin() + 3, {INFINITY, 0.0F, 0.0F});
  values.insert(values.end(), {0.0F, NAN, 0.0F});
  const PlaneView whole = principal_plane(finite, 3);
  const PlaneView view = principal_plane(values, 3);
  REQUIRE(view.points.size() == 5);
  CHECK(view.share == whole.share);
  CHECK(view.points[0] == whole.points[0]);
  CHECK(std::isnan(view.points[1][0]));
  CHECK(view.points[2] == whole.points[1]);
  CHECK(view.points[3] == whole.points[2]);
  CHECK(std::isnan(view.points[4][1]));
  CHECK(std::isnan(principal_plane(std::vector<float>(6, NAN), 3).points[1][0]));
}

TEST_CASE("the principal plane holds the directions of greatest variance", "[report]") {
  // Points 5·a·(0.6, 0.8, 0) + 2·b·(0, 0, 1) with a, b = ±1 and a little in the direction left over.
  std::vector<float> values;
  for (int i = 0; i < 8; ++i) {
    const float a = (i & 1) != 0 ? 5.0F : -5.0F;
    const float b = (i & 2) != 0 ? 2.0F : -2.0F;
    const float c = (i & 4) != 0 ? 0.1F : -0.1F;
    values.insert(values.end(), {0.6F * a - 0.8F * c + 7.0F, 0.8F * a + 0.6F * c, b});
  }
  const PlaneView view = principal_plane(values, 3);
  REQUIRE(view.points.size() == 8);
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(view.points[i][0] == Approx((i & 1) != 0 ? 5.0 : -5.0).margin(1e-5));
    CHECK(view.points[i][1] == Approx((i & 2) != 0 ? 2.0 : -2.0).margin(1e-5));
  }
  CHECK(view.share[0] == Approx(25.0 / 29.01).margin(1e-6));
  CHECK(view.share[1] == Approx(4.0 / 29.01).margin(1e-6));
  const PlaneView same = principal_plane(std::vector<float>(12, 3.0F), 4);
  CHECK(same.points == std::vector<std::array<double, 2>>(3));
}

TEST_CASE("bytes become base64, and text markup", "[report]") {
  const auto encoded = [](std::string_view text) {
    return png_address({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}).substr(22);
  };
  // RFC 4648, section 10.
  CHECK(encoded("") == "");
  CHECK(encoded("f") == "Zg==");
  CHECK(encoded("fo") == "Zm8=");
  CHECK(encoded("foobar") == "Zm9vYmFy");
  CHECK(escape_markup("a<b>&\"'\n\xc3\xa4\x7f\xc3") ==
        "a&lt;b&gt;&amp;&quot;&#39;\n\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(escape_markup("\xc2\x9b|\xe2\x80\xae|\xe2\x81\xa7|\xc2\xa0|\xe2\x80\xa6") ==
        "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd|\xc2\xa0|\xe2\x80\xa6");
  CHECK(grouped(-1234567) ==
        "-1\xe2\x80\xaf"
        "234\xe2\x80\xaf"
        "567");
  CHECK(grouped(999) == "999");
}

}  // namespace vaecuda::test
