// What the page draws from metrics.jsonl: latents over the epochs, and the curves of a run that was stopped.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "host/run_report/run_record.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/report_pages.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/words.hpp"
#include "vaecuda/vaecuda.hpp"

namespace vaecuda::test {
namespace {

namespace fs = std::filesystem;

/// The chart or picture under this heading, empty where there is none.
std::string figure_of(const std::string& page, const std::string& heading) {
  const std::size_t at = page.find(fmt::format("<h3>{}</h3>", heading));
  return at == std::string::npos ? "" : page.substr(at, page.find("</figure>", at) - at);
}

std::vector<std::int64_t> steps_of(const RunRecord& run) {
  std::vector<std::int64_t> steps;
  for (const RecordLine& line : run.lines) steps.push_back(line.step);
  return steps;
}

/// A folder with the least that a page needs: a configuration, and these metrics.
void write_run(const fs::path& dir, const std::string& metrics) {
  fs::create_directories(dir);
  write_file(dir / "config.toml", to_toml(report_run(dir)));
  write_file(dir / "metrics.jsonl", metrics);
}

/// The page without what times change, and without the name of the run's folder.
std::string comparable(std::string page, const std::string& dir) {
  const std::string figure = figure_of(page, "Throughput");
  REQUIRE_FALSE(figure.empty());
  page.erase(page.find(figure), figure.size());
  REQUIRE(count_of(page, dir) == 1);
  return page.erase(page.find(dir), dir.size());
}

}  // namespace

TEST_CASE("the page of a run that was stopped and resumed is that of one at once", "[report]") {
  const TempDir folder;
  RunConfig config = report_run(folder.path() / "whole" / "run");
  config.train.epochs = 4;
  config.train.batch_size = 32;
  const std::string whole = comparable(page_of(config), config.output.dir);
  const RunRecord record = read_run(config.output.dir);
  REQUIRE(record.lines.back().step == 40);

  config.output.dir = (folder.path() / "parts" / "run").string();
  const fs::path state = fs::path(config.output.dir) / "state.safetensors";
  for (const std::int64_t stop : {7, 23}) {
    const bool begins = stop == 7;
    RunConfig part = begins ? config : load_run_config(config.output.dir);
    part.output.checkpoint_every = stop;
    const std::string before = begins ? "" : read_file(state);
    TrainObserver observer;
    observer.stop_requested = [&] { return fs::exists(state) && read_file(state) != before; };
    const TrainSummary summary = Trainer(part, observer, begins ? Start::fresh : Start::resume).run();
    REQUIRE(summary.stopped);
    REQUIRE(summary.steps == stop);
    CHECK(contains(report_of(config.output.dir), "<h3>Loss</h3>"));  // of a run that is under way
  }
  RunConfig last = load_run_config(config.output.dir);
  last.output.checkpoint_every = config.output.checkpoint_every;
  Trainer rest(last, {}, Start::resume);
  static_cast<void>(rest.run());
  const RunRecord resumed = read_run(config.output.dir);
  CHECK(steps_of(resumed) == steps_of(record));
  CHECK(resumed.broken_lines == 0);
  for (std::size_t i = 1; i < resumed.lines.size(); ++i) {
    CHECK(resumed.lines[i].seconds >= resumed.lines[i - 1].seconds);  // the clock goes on, too
  }
  const std::string page = read_file(rest.write_report());
  check_page(page);
  const bool same = comparable(page, config.output.dir) == whole;
  CHECK(same);
}

TEST_CASE("steps that are told twice and half lines leave one curve", "[report]") {
  const TempDir folder;
  const auto line = [](int step, double loss) {
    return fmt::format(
        "{{\"step\":{},\"epoch\":{},\"loss\":{},\"kl\":1,\"reconstruction\":2,\"lr\":0.1,"
        "\"later\":[{{\"a\":[]}},\"\\u00e4\"],\"seconds\":{}}}\n",
        step, 0.5 * step, loss, step);
  };
  std::string metrics;
  for (int step = 1; step <= 5; ++step) metrics += line(step, 10.0 + step);
  metrics += "{\"step\":6,\"epo\n";
  metrics += "{\"step\":7,\"epoch\":1,\"loss\":[]}\n{\"epoch\":1}\n{\"step\":-8,\"epoch\":1}\n[]\n\n";
  for (int step = 4; step <= 7; ++step) metrics += line(step, 20.0 + step);
  write_run(folder.path() / "run", metrics);
  const RunRecord run = read_run(folder.path() / "run");
  CHECK(steps_of(run) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7});
  CHECK(run.lines[2].loss.loss == 13.0);
  CHECK(run.lines[3].loss.loss == 24.0);
  CHECK(run.broken_lines == 6);
  CHECK(rows_per_second(run, 4) == Approx(static_cast<double>(run.config.train.batch_size)));
  const std::string page = report_of(folder.path() / "run");
  check_page(page);
  const std::string loss = figure_of(page, "Loss");
  CHECK(count_of(loss, "<path class=\"line ") == 1);
  std::smatch found;
  REQUIRE(std::regex_search(loss, found, std::regex("data-name=\"training\" d=\"([^\"]*)\"")));
  const std::string curve = found[1];
  CHECK(count_of(curve, "M") == 1);  // begun once: no gap
  CHECK(count_of(curve, "L") == 6);
  CHECK(contains(page, "tells the KL of each latent over the epochs"));
  CHECK(figure_of(page, "KL per latent over the epochs").empty());
}

TEST_CASE("each latent's KL is drawn over the epochs, the greatest on top", "[report]") {
  const TempDir folder;
  // Latent 0 fades, latent 1 grows, latent 2 stays at nothing, latent 3 is not known at last.
  std::string metrics;
  for (int epoch = 1; epoch <= 4; ++epoch) {
    metrics += fmt::format(
        "{{\"step\":{0},\"epoch\":{1},\"loss\":9,\"reconstruction\":8,\"kl\":1}}\n"
        "{{\"step\":{2},\"epoch\":{3},\"loss\":9,\"reconstruction\":8,\"kl\":1,\"valid\":{{\"loss\":9,"
        "\"reconstruction\":8,\"kl\":1,\"active_units\":{7},\"kl_per_latent\":[{4},{5},0,{6}]}}}}\n",
        10 * epoch - 5, epoch - 0.5, 10 * epoch, epoch, 4.0 - epoch, 0.5 * epoch, epoch < 4 ? "1.5" : "null",
        std::min(epoch, 3));
  }
  write_run(folder.path() / "run", metrics);
  const std::string page = report_of(folder.path() / "run");
  check_page(page);
  const std::string strip = figure_of(page, "KL per latent over the epochs");
  const std::vector<std::string> expected = {
      "<title>latent 1: 0.500 nats at first, 2.000 at the end</title>",
      "<title>latent 0: 3.000 nats at first, 0.000 at the end</title>",
      "<title>latent 2: 0.000 nats at first, 0.000 at the end</title>",
      "<title>latent 3: 1.500 nats at first, not finite at the end</title>"};
  std::size_t at = 0;
  for (const std::string& title : expected) {
    INFO(title);
    const std::size_t found = strip.find(title);
    REQUIRE(found != std::string::npos);
    CHECK(found > at);
    at = found;
  }
  // Four rows of 168/4 units between 26 and 194; four epochs of 260/4 between 46 and 306. 3 nats are 16
  // shades.
  CHECK(contains(strip, "d=\"M46.0 68.00H111.0v42.00H46.0z\"/>"));                     // latent 0: 3 nats
  CHECK(contains(strip, "fill-opacity=\"0.5\" d=\"M176.0 26.00H241.0v42.00H176.0z"));  // latent 1: 1.5
  CHECK(contains(strip, "M46.0 152.00H241.0v42.00H46.0z"));  // latent 3: 1.5 in three epochs, then none
  CHECK(contains(strip, ">3 nats</text>"));
  CHECK(contains(strip, "of 4 latents over 4 epochs"));
  const std::string active = figure_of(page, "Active latents");
  CHECK(count_of(active, "h0") == 4);
  CHECK(contains(active, "the last value is 3 latents"));
  CHECK(count_of(active, "class=\"tick end\"") == 4);  // 0, 1, 2, 3
  CHECK(count_of(active, "L") == 3);                   // evaluations alone: lines between them are no gaps
}

TEST_CASE("a posterior that has collapsed leaves the strip without colour", "[report]") {
  const TempDir folder;
  write_run(folder.path() / "run",
            "{\"step\":5,\"epoch\":1,\"loss\":9,\"reconstruction\":9,\"kl\":0,\"valid\":{\"loss\":9,"
            "\"reconstruction\":9,\"kl\":0,\"active_units\":0,\"kl_per_latent\":[0,1e-9]}}\n");
  const std::string page = report_of(folder.path() / "run");
  check_page(page);
  const std::string strip = figure_of(page, "KL per latent over the epochs");
  CHECK(count_of(strip, "<path class=\"heat\"") == 0);
  CHECK(count_of(strip, "<rect class=\"heat\"") == 16);  // the scale
  CHECK(contains(strip, ">0.010 nats</text>"));
  CHECK(figure_of(page, "Active latents").empty());
  CHECK(contains(page, "Active latents: 0 latents throughout."));
}

TEST_CASE("many latents and many evaluations stay legible and small", "[report]") {
  const TempDir folder;
  std::string metrics;
  for (int epoch = 1; epoch <= 1000; ++epoch) {
    metrics += fmt::format(
        "{{\"step\":{0},\"epoch\":{0},\"loss\":9,\"reconstruction\":8,\"kl\":1,"
        "\"valid\":{{\"loss\":9,\"reconstruction\":8,\"kl\":1,\"active_units\":3,"
        "\"kl_per_latent\":[",
        epoch);
    for (int latent = 0; latent < 300; ++latent)
      metrics += fmt::format("{}{}", latent > 0 ? "," : "", (latent * 7 + epoch * (latent % 5)) % 97 * 0.04);
    metrics += "]}}\n";
  }
  write_run(folder.path() / "run", metrics);
  const std::string page = report_of(folder.path() / "run");
  check_page(page);
  const std::string strip = figure_of(page, "KL per latent over the epochs");
  CHECK(count_of(strip, "class=\"hit\"") == 64);
  CHECK(contains(strip, "The 64 greatest are drawn."));
  CHECK(strip.size() < 250000);
  CHECK(count_of(strip, "v3.50") <= 64 * 120);  // cells: as many as can be seen
}

}  // namespace vaecuda::test
