// vae_cuda_bench as a person and a script meet it: what it prints in each format, and what it refuses. Times
// are only checked to be there: a machine that runs tests is no place to measure.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/run_program.hpp"
#include "support/words.hpp"
#include "vaecuda/device.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/version.hpp"

using namespace vaecuda;
using test::contains;
using test::operator+;
using test::Words;
using Json = nlohmann::json;

namespace {

constexpr int kUsage = 2;
constexpr int kNoDevice = 5;

const Words kQuick{"--device", "cpu", "--time-limit", "0.01"};
const Words kTiny{"--input", "12", "--hidden", "8,6", "--latent-dim", "3", "--batch-size", "16"};
const Words kTinyNetwork{"--input", "12", "--hidden", "8,6", "--latent-dim", "3"};

std::string bench(const Words& words, const char* threads = "1") {
  const test::ProgramResult result =
      test::run_program(VAECUDA_BENCH_PATH, words + kQuick + Words{"--threads", threads});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result.out;
}

Json bench_json(const Words& words, const char* threads = "1") {
  return Json::parse(bench(words + Words{"--json"}, threads));
}

void check_refused(const Words& words, int exit_code, std::string_view part) {
  test::check_refuses(VAECUDA_BENCH_PATH, words, exit_code, part);
}

void check_positive(const Json& row, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    INFO(key);
    REQUIRE(row.at(key).is_number());
    CHECK(row.at(key).get<double>() > 0.0);
  }
}

/// What every document has.
void check_frame(const Json& json, const std::string& command, int threads = 1) {
  CHECK(json.at("schema") == 1);
  CHECK(json.at("command") == command);
  const Json& device = json.at("device");
  CHECK(device.at("kind") == "cpu");
  CHECK(device.at("threads") == threads);
  CHECK(device.at("index") == 0);
  CHECK_FALSE(device.at("name").get<std::string>().empty());
  CHECK(device.at("memory_bytes").get<std::int64_t>() > 0);
  CHECK_FALSE(device.at("kernels").get<std::string>().empty());
  for (const char* key :
       {"capability", "multiprocessors", "memory_mhz", "driver", "driver_cuda_version", "toolkit_version"}) {
    CHECK(device.at(key).is_null());
  }
  const Json& build = json.at("build");
  CHECK(build.at("version") == version());
  for (const char* key : {"commit", "compiler", "description"}) {
    CHECK_FALSE(build.at(key).get<std::string>().empty());
  }
  CHECK(build.at("flags").is_string());
  CHECK(build.at("architectures").is_string());
  CHECK_FALSE(json.at("results").empty());
}

void check_tiny(const Json& row, std::int64_t batch) {
  CHECK(row.at("shape") == "custom");
  CHECK(row.at("input") == 12);
  CHECK(row.at("hidden") == Json({8, 6}));
  CHECK(row.at("latent_dim") == 3);
  CHECK(row.at("batch_size") == batch);
  CHECK(row.at("precision") == "fp32");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::int64_t count(const std::string& line, char c) {
  return std::count(line.begin(), line.end(), c);
}

}  // namespace

TEST_CASE("bench step measures a training step", "[bench]") {
  for (const char* values : {"bits", "bytes", "floats"}) {
    INFO(values);
    const Json json = bench_json(Words{"step"} + kTiny + Words{"--values", values, "--min-repeats", "3"});
    check_frame(json, "step");
    REQUIRE(json.at("results").size() == 1);
    const Json& row = json.at("results").at(0);
    check_tiny(row, 16);
    CHECK(row.at("samples") == 1);
    check_positive(row, {"ms_per_step", "repeats", "steps_per_repeat", "rows_per_second", "flops", "tflops",
                         "parameters", "device_bytes"});
    CHECK(row.at("rows_per_second").get<double>() ==
          Approx(16e3 / row.at("ms_per_step").get<double>()).epsilon(1e-9));
    CHECK(row.at("tflops").get<double>() ==
          Approx(row.at("flops").get<double>() / row.at("ms_per_step").get<double>() * 1e-9).epsilon(1e-9));
    CHECK((row.at("spread").is_null() || row.at("spread").get<double>() >= 0.0));
  }
}

TEST_CASE("bench step takes shapes by name", "[bench]") {
  const Json results = bench_json({"step", "--shape", "G,G"}).at("results");
  REQUIRE(results.size() == 1);
  CHECK(results.at(0).at("shape") == "G");
  CHECK(results.at(0).at("hidden") == Json({20, 15, 7}));
  CHECK(results.at(0).at("parameters") == 1678);
}

TEST_CASE("bench step draws several latents a row", "[bench]") {
  const Json one = bench_json(Words{"step"} + kTiny).at("results").at(0);
  const Json row = bench_json(Words{"step"} + kTiny + Words{"--samples", "5"}).at("results").at(0);
  CHECK(row.at("samples") == 5);
  CHECK(row.at("batch_size") == 16);
  CHECK(row.at("flops").get<double>() > 2.0 * one.at("flops").get<double>());
}

TEST_CASE("bench ops covers the plan", "[bench]") {
  const Json json = bench_json(Words{"ops"} + kTiny);
  check_frame(json, "ops");
  check_positive(json.at("roofline"), {"copy_gb_per_s", "gemm_tflops"});
  const std::vector<std::string> expected = {"GatherBatch",
                                             "Linear encoder.0",
                                             "Linear encoder.1",
                                             "Linear head",
                                             "LatentForward",
                                             "Linear decoder.0",
                                             "Linear decoder.1",
                                             "Linear output",
                                             "Likelihood bernoulli",
                                             "LinearBackward output",
                                             "LinearBackward decoder.1",
                                             "LinearBackward decoder.0",
                                             "LatentBackward",
                                             "LinearBackward head",
                                             "LinearBackward encoder.1",
                                             "LinearBackward encoder.0",
                                             "AdamUpdate",
                                             "AdvanceStep",
                                             "all ops",
                                             "whole step"};
  const Json& results = json.at("results");
  REQUIRE(results.size() == expected.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Json& row = results.at(i);
    INFO(expected[i]);
    check_tiny(row, 16);
    CHECK(row.at("op") == expected[i]);
    const bool whole = i + 2 >= expected.size();
    CHECK(row.at("index") == (whole ? Json(nullptr) : Json(i)));
    CHECK(row.at("merged") == (expected[i] == "AdamUpdate"));
    check_positive(row, {"repeats", "steps_per_repeat"});
    if (row.at("merged") == true) {
      for (const char* key : {"us", "tflops", "gb_per_s", "bound", "roofline_us", "percent_of_roofline"}) {
        CHECK(row.at(key).is_null());
      }
      continue;
    }
    check_positive(row, {"us", "bytes", "gb_per_s", "roofline_us", "percent_of_roofline"});
    const bool product = expected[i].compare(0, 6, "Linear") == 0;
    if (product) check_positive(row, {"flops", "tflops"});
    if (!whole) {
      CHECK((row.at("bound") == "memory" || row.at("bound") == "compute"));
      sum += row.at("us").get<double>();
    }
  }
  CHECK(results.at(expected.size() - 2).at("us").get<double>() == Approx(sum).epsilon(1e-9));
}

TEST_CASE("bench infer measures encoding, decoding and scoring", "[bench]") {
  const Json json = bench_json(Words{"infer"} + kTinyNetwork);
  check_frame(json, "infer");
  const std::vector<std::string> passes{"encode", "decode", "score"};
  REQUIRE(json.at("results").size() == passes.size());
  for (std::size_t i = 0; i < passes.size(); ++i) {
    const Json& row = json.at("results").at(i);
    check_tiny(row, 256);
    CHECK(row.at("pass") == passes[i]);
    check_positive(row,
                   {"ms_per_batch", "repeats", "batches_per_repeat", "rows_per_second", "flops", "tflops"});
  }
}

TEST_CASE("bench infer --rows measures calls beside a reading of the weights", "[bench]") {
  const Json json = bench_json(Words{"infer", "--rows", "1,9"} + kTinyNetwork);
  check_frame(json, "infer");
  const std::vector<std::string> passes{"encode", "decode", "reconstruct", "score"};
  REQUIRE(json.at("results").size() == 2 * passes.size());
  for (std::size_t i = 0; i < 2 * passes.size(); ++i) {
    const Json& row = json.at("results").at(i);
    CHECK(row.at("pass") == passes[i % passes.size()]);
    CHECK(row.at("rows") == (i < passes.size() ? 1 : 9));
    check_positive(row, {"us_per_call", "us_fastest", "us_read_weights", "us_read_fastest", "readings",
                         "readings_fastest", "repeats", "calls_per_repeat", "rows_per_second"});
    CHECK(row.at("us_per_call").get<double>() >= row.at("us_fastest").get<double>());
    CHECK(row.at("readings").get<double>() ==
          Approx(row.at("us_per_call").get<double>() / row.at("us_read_weights").get<double>()));
  }
}

TEST_CASE("bench machine measures the ceilings", "[bench]") {
  const Json json = bench_json({"machine"}, "2");
  check_frame(json, "machine", 2);
  const std::vector<std::pair<std::string, std::string>> expected{{"copy", "GB/s"},
                                                                  {"gemm fp32", "TFLOP/s"},
                                                                  {"gemm fp32 one thread", "TFLOP/s"},
                                                                  {"phase", "us"},
                                                                  {"core to core", "us"}};
  REQUIRE(json.at("results").size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Json& row = json.at("results").at(i);
    CHECK(row.at("name") == expected[i].first);
    CHECK(row.at("unit") == expected[i].second);
    CHECK(row.at("refused").is_null());
    CHECK_FALSE(row.at("detail").get<std::string>().empty());
    check_positive(row, {"value", "repeats", "runs_per_repeat"});
  }
}

TEST_CASE("bench machine says what one thread cannot show", "[bench]") {
  const Json json = bench_json({"machine"});
  const Json& row = json.at("results").back();
  CHECK(row.at("name") == "core to core");
  CHECK(row.at("refused") == "one thread has no other");
  CHECK(row.at("value").is_null());
}

TEST_CASE("bench prints tables for spreadsheets, pages and people", "[bench]") {
  const Words words = Words{"infer"} + kTinyNetwork;
  SECTION("comma-separated") {
    const std::vector<std::string> lines = lines_of(bench(words + Words{"--csv"}));
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].rfind("shape,input,hidden,latent_dim,batch_size,samples,precision,pass,", 0) == 0);
    for (const std::string& line : lines) CHECK(count(line, ',') == count(lines[0], ','));
    CHECK(contains(lines[1], "custom,12,8-6,3,256,1,fp32,encode,"));
    CHECK(contains(lines[0], ",schema,device,threads,commit"));
  }
  SECTION("Markdown") {
    const std::vector<std::string> lines = lines_of(bench(words + Words{"--markdown"}));
    REQUIRE(lines.size() == 7);
    CHECK(contains(lines[0], std::string("vaecuda ") + version()));
    CHECK(lines[1].empty());
    CHECK(contains(lines[2], "| shape "));
    CHECK(lines[3].find_first_not_of("|-: ") == std::string::npos);
    for (std::size_t i = 2; i < lines.size(); ++i) {
      CHECK(count(lines[i], '|') == count(lines[2], '|'));
      CHECK(lines[i].size() == lines[2].size());
    }
  }
  SECTION("text") {
    const std::vector<std::string> lines = lines_of(bench(words));
    REQUIRE(lines.size() == 6);
    CHECK(contains(lines[0], "cpu "));
    CHECK(contains(lines[2], "rows/s"));
    for (const std::string& line : lines) CHECK((line.empty() || line.back() != ' '));
  }
  SECTION("messages stay on stderr, and --quiet drops them") {
    const test::ProgramResult loud = test::run_program(VAECUDA_BENCH_PATH, words + kQuick);
    CHECK(contains(loud.err, "infer custom: 12-8-6-3"));
    const test::ProgramResult quiet =
        test::run_program(VAECUDA_BENCH_PATH, words + kQuick + Words{"--quiet"});
    CHECK(quiet.err.empty());
    CHECK_FALSE(quiet.out.empty());
  }
}

TEST_CASE("bench lists what there is", "[bench]") {
  const Json json = Json::parse(test::run_program(VAECUDA_BENCH_PATH, {"--list", "--json"}).out);
  CHECK(json.at("schema") == 1);
  CHECK(json.at("commands").size() == 4);
  std::vector<std::string> names;
  for (const Json& shape : json.at("results")) {
    names.push_back(shape.at("shape"));
    check_positive(shape, {"input", "latent_dim", "batch_size"});
    CHECK_FALSE(shape.at("hidden").empty());
  }
  CHECK(names == std::vector<std::string>{"A", "B", "B-K50", "C-128", "C-1024", "D-500", "D-24576", "E-256",
                                          "E-1024", "E-4096", "F", "G", "W"});
  const test::ProgramResult text = test::run_program(VAECUDA_BENCH_PATH, {"step", "--list"});
  CHECK(text.exit_code == 0);
  CHECK(lines_of(text.out).size() == names.size() + 1);
}

TEST_CASE("bench answers --help and --version anywhere", "[bench]") {
  for (const Words& words : {Words{"--help"}, Words{"step", "--nonsense", "-h"}}) {
    const test::ProgramResult help = test::run_program(VAECUDA_BENCH_PATH, words);
    CHECK(help.exit_code == 0);
    CHECK(help.err.empty());
    for (const char* word : {"step", "ops", "infer", "machine", "--shape", "--time-limit", "--precision"}) {
      CHECK(contains(help.out, word));
    }
    CHECK_FALSE(contains(help.out, "--epochs"));
  }
  const test::ProgramResult told = test::run_program(VAECUDA_BENCH_PATH, {"--version", "machine"});
  CHECK(told.exit_code == 0);
  CHECK(contains(told.out, std::string("vae_cuda_bench ") + version()));
}

TEST_CASE("bench refuses what makes no sense", "[bench]") {
  check_refused({}, kUsage, "a sub-command comes first");
  check_refused({"--shape", "A"}, kUsage, "a sub-command comes first");
  check_refused({"stepp"}, kUsage, "unknown sub-command 'stepp'; did you mean step?");
  check_refused({"step", "ops"}, kUsage, "unexpected argument 'ops'");
  check_refused({"step", "--shap", "A"}, kUsage, "did you mean --shape?");
  check_refused({"step", "--epochs", "3"}, kUsage, "unknown option '--epochs'");
  check_refused({"step", "--shape", "C-12"}, kUsage, "'C-12' is no shape; did you mean C-128?");
  check_refused({"step", "--shape", "A,"}, kUsage, "'' is no shape");
  check_refused({"step", "--shape", "A", "--hidden", "3"}, kUsage, "--shape and --hidden contradict");
  check_refused({"step", "--shape", "A", "--batch-size", "3"}, kUsage, "--shape and --batch-size contradict");
  check_refused({"step", "--hidden", "3"}, kUsage, "--input");
  check_refused({"step", "--input", "9", "--samples", "0"}, kUsage, "--samples");
  check_refused({"step", "--shape", "A", "--samples", "5"}, kUsage, "--shape and --samples contradict");
  check_refused({"infer", "--samples", "5"}, kUsage, "infer has no use for it");
  check_refused({"step", "--rows", "5"}, kUsage, "step has no use for it");
  check_refused({"infer", "--rows", "0"}, kUsage, "--rows");
  check_refused({"infer", "--rows", "1,"}, kUsage, "--rows");
  check_refused({"step", "--json", "--csv"}, kUsage, "--json and --csv contradict");
  check_refused({"step", "--values", "zeros"}, kUsage, "'zeros' is not one of bits, bytes, floats");
  check_refused({"infer", "--batch-size", "8"}, kUsage, "infer has no use for it");
  check_refused({"machine", "--shape", "A"}, kUsage, "machine has no use for it");
  check_refused({"machine", "--precision", "tf32"}, kUsage, "machine has no use for it");
  for (const char* text : {"0", "-1", "nan", "inf", "1e", "01", "1000001", "two"}) {
    check_refused({"step", "--time-limit", text}, kUsage, "is not a number above 0 up to 1000000");
  }
  for (const char* text : {"0", "-1", "010", "1.5", "99999999999999999999", "two"}) {
    check_refused({"step", "--min-repeats", text}, kUsage, "is not a whole number from 1 to 1000000");
    check_refused({"step", "--input", text}, kUsage, "is not a whole number from 1 to 16777216");
  }
}

TEST_CASE("bench refuses devices and precisions that are not there", "[bench]") {
  check_refused({"step", "--device", "cpu", "--precision", "bf16"}, kNoDevice,
                "the CPU computes in fp32 only");
  check_refused({"step", "--device", "gpu"}, kUsage, "--device");
  try {
    static_cast<void>(choose_device("cuda"));
  } catch (const DeviceError& error) {
    check_refused({"machine", "--device", "cuda"}, kNoDevice, error.what());
  }
}
