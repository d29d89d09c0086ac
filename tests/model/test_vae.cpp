// A trained model in use through the public API: what the passes give, in which units, and that a row's
// result depends on the row alone.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/small_vae.hpp"
#include "support/source_at.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::TempDir;
using Floats = std::vector<float>;

}  // namespace

TEST_CASE("encode, decode and reconstruct follow the network, in the units of the data", "[vae]") {
  ModelFile file = test::small_model();
  file.preparation.scale = 0.25f;
  for (int c = 0; c < 7; ++c) {
    file.preparation.mean.push_back(0.1f * static_cast<float>(c));
    file.preparation.inverse_deviation.push_back(1.0f + 0.5f * static_cast<float>(c));
  }
  const Vae vae = test::open_model(file);
  const test::NetworkInDoubles oracle(file);
  const Floats x = test::some_rows(3, 7);
  const Encoded encoded = vae.encode(x);
  const Floats reconstructed = vae.reconstruct(x);
  for (std::int64_t row = 0; row < 3; ++row) {
    std::vector<double> prepared;
    const auto mean = [&](std::size_t c) { return static_cast<double>(file.preparation.mean[c]); };
    const auto inverse = [&](std::size_t c) {
      return static_cast<double>(file.preparation.inverse_deviation[c]);
    };
    for (std::size_t c = 0; c < 7; ++c) {
      prepared.push_back((0.25 * static_cast<double>(x[static_cast<std::size_t>(row) * 7 + c]) - mean(c)) *
                         inverse(c));
    }
    const std::vector<double> head = oracle.head(prepared);
    const std::vector<double> mu(head.begin(), head.begin() + 3);
    test::check_near(test::slice(encoded.mean, row, 1, 3), mu);
    test::check_near(test::slice(encoded.logvar, row, 1, 3), {head.begin() + 3, head.end()});
    std::vector<double> raw = oracle.output(mu);
    for (std::size_t c = 0; c < 7; ++c) raw[c] = (raw[c] / inverse(c) + mean(c)) / 0.25;
    test::check_near(test::slice(reconstructed, row, 1, 7), raw);
    test::check_near(vae.decode(test::slice(encoded.mean, row, 1, 3)), raw);
  }
}

TEST_CASE("a Bernoulli model of bytes gives means that it takes again", "[vae]") {
  ModelFile file = test::small_model(Likelihood::bernoulli);
  file.preparation.scale = 1.0f / 255.0f;
  // Logits far out: sigmoids of 0 and 1.
  for (float& p : file.parameters) p *= 400.0f;
  const Vae vae = test::open_model(file);
  const Floats samples = vae.sample(500, 3);
  CHECK(*std::max_element(samples.begin(), samples.end()) > 254.0f);
  CHECK(*std::min_element(samples.begin(), samples.end()) >= 0.0f);
  CHECK(vae.elbo(samples).kl.size() == 500);
}

TEST_CASE("a row's result does not depend on the batch size, the rows beside it or the threads", "[vae]") {
  ModelFile file = test::small_model(Likelihood::bernoulli);
  file.model.hidden = {300};  // wide enough that the work is cut and shared
  file.preparation.binarize = Binarize::stochastic;
  test::initialize(file, 9);
  const Floats x = test::some_rows(1100, 7);
  const Vae reference = test::open_model(file);
  const Encoded encoded = reference.encode(x);
  const ElboTerms elbo = reference.elbo(x, 21);
  const Floats means = reference.reconstruct(x);
  for (const std::int64_t batch_size : {1, 256, 300, 1024, 5000}) {
    const Vae vae = test::open_model(file, batch_size, batch_size % 3 + 1);
    INFO("batch size " << batch_size);
    CHECK(test::same_bits(vae.encode(x).mean, encoded.mean));
    CHECK(test::same_bits(vae.encode(x).logvar, encoded.logvar));
    CHECK(test::same_bits(vae.elbo(x, 21).reconstruction, elbo.reconstruction));
    CHECK(test::same_bits(vae.elbo(x, 21).kl, elbo.kl));
    CHECK(test::same_bits(vae.reconstruct(x), means));
  }
  // Without noise a row's place does not matter either.
  file.preparation.binarize = Binarize::none;
  const Vae vae = test::open_model(file);
  const Floats all = vae.encode(x).mean;
  for (const std::int64_t row : {0, 1, 127, 128, 255, 256, 777, 1099}) {
    INFO("row " << row);
    CHECK(test::same_bits(vae.encode(test::slice(x, row, 1, 7)).mean, test::slice(all, row, 1, 3)));
  }
}

TEST_CASE("the ELBO with the model's seed is that of the training run's evaluation", "[vae]") {
  const TempDir folder;
  RunConfig config;
  config.data.train.path = "shapes:16x16,n=900";
  config.data.test_fraction = 0.4;
  config.model.hidden = {24};
  config.model.latent_dim = 4;
  config.train.device = "cpu";
  config.train.seed = 17;
  config.train.steps = 20;
  config.output.dir = (folder.path() / "run").string();
  const TrainSummary summary = Trainer(config).run();
  REQUIRE(summary.test);
  // The test rows, as the run chose them.
  Dataset test = load_dataset(config.data.train);
  RunOn on;
  on.device = "cpu";
  on.batch_size = 256;
  const Vae vae = Vae::load(summary.model, on);
  CHECK(vae.info().steps == 20);
  CHECK(vae.info().seed == 17);
  CHECK(vae.info().image == ImageShape{16, 16, 1});
  CHECK(vae.info().scale == 1.0f / 255.0f);
  CHECK(vae.info().parameters == summary.parameters);
  const std::unique_ptr<RowSource> rows = rows_of(test);
  double nll = 0.0;
  const std::int64_t count = vae.elbo(*rows, vae.info().seed, [&](const ElboBlock& block) {
    for (const float v : block.reconstruction) nll += static_cast<double>(v);
  });
  CHECK(count == 900);
  // Saved as it was, byte for byte.
  const std::filesystem::path copy = folder.path() / "copy.safetensors";
  vae.save(copy.string());
  CHECK(test::read_file(copy) == test::read_file(summary.model));
  CHECK(nll / 900.0 == Approx(summary.test->reconstruction).epsilon(0.1));  // other rows, the same model

  config.data.test_fraction = 0.0;
  config.data.train.path = "shapes:16x16,n=300";
  config.data.test_path = "shapes:16x16,n=400";
  config.output.dir = (folder.path() / "whole").string();
  const TrainSummary whole = Trainer(config).run();
  const Dataset same = load_dataset(test::source_at("shapes:16x16,n=400"));
  const Floats raw(same.u8().begin(), same.u8().end());
  const Vae trained = Vae::load(whole.model, on);
  const ElboTerms terms = trained.elbo(raw);
  CHECK(test::mean_of(terms.reconstruction) == whole.test->reconstruction);
  CHECK(test::mean_of(terms.kl) == whole.test->kl);
}

TEST_CASE("a head of log sigma is given as log variance", "[vae]") {
  ModelFile file = test::small_model();
  const Floats x = test::some_rows(2, 7);
  const Encoded plain = test::open_model(file).encode(x);
  file.model.logvar_head = LogvarHead::logsigma;
  const Encoded doubled = test::open_model(file).encode(x);
  CHECK(test::same_bits(doubled.mean, plain.mean));
  for (std::size_t i = 0; i < plain.logvar.size(); ++i) CHECK(doubled.logvar[i] == 2.0f * plain.logvar[i]);
}

TEST_CASE("device pointers need a model on a GPU", "[vae]") {
  const Vae vae = test::open_model(test::small_model());
  float memory[8] = {};
  check_error<DeviceError>([&] { vae.encode_on_device(memory, 1, memory, nullptr, nullptr); },
                           {"device pointers", "on the CPU", "host memory"});
  check_error<DeviceError>([&] { vae.elbo_on_device(memory, 1, 1, memory, nullptr, nullptr); },
                           {"device pointers"});
  check_error<DeviceError>([&] { vae.decode_on_device(memory, 1, memory, nullptr); }, {"device pointers"});
  check_error<DeviceError>([&] { vae.reconstruct_on_device(memory, 1, memory, nullptr); },
                           {"device pointers"});
  check_error<ConfigError>([&] { vae.decode_on_device(memory, -1, memory, nullptr); }, {"-1 rows"});
  check_error<ConfigError>([&] { vae.encode_on_device(nullptr, 3, memory, nullptr, nullptr); }, {"3 rows"});
  ModelFile file = test::small_model();
  file.model.logvar_head = LogvarHead::logsigma;
  check_error<ConfigError>(
      [&] { test::open_model(file).encode_on_device(memory, 1, memory, memory, nullptr); }, {"log sigma"});
}

TEST_CASE("rows that do not fit are refused with their place", "[vae]") {
  ModelFile file = test::small_model(Likelihood::bernoulli);
  file.preparation.scale = 0.5f;
  const Vae vae = test::open_model(file, 256);
  check_error<ConfigError>([&] { (void)vae.encode(Floats(8)); }, {"8 values", "rows of 7"});
  check_error<ConfigError>([&] { (void)vae.decode(Floats(4)); }, {"4 values", "rows of 3"});
  Floats x(7 * 700, 1.0f);
  x[7 * 600 + 2] = 2.5f;
  check_error<FileError>([&] { (void)vae.elbo(x); },
                         {"memory: row 600, column 2", "1.25", "[0,1]", "multiplies them by 0.5"});
  x[7 * 300 + 1] = std::numeric_limits<float>::quiet_NaN();
  check_error<FileError>([&] { (void)vae.encode(x); }, {"row 300, column 1", "nan", "finite"});
  check_error<FileError>(
      [&] {
        (void)vae.decode(Floats{0.0f, std::numeric_limits<float>::infinity(), 0.0f});
      },
      {"row 0, column 1", "inf"});
  const Dataset narrow(Floats(10), 2, 5);
  const auto source = rows_of(narrow);
  check_error<FileError>([&] { vae.encode(*source, [](const EncodedBlock&) {}); },
                         {"rows have 5 values", "trained on rows of 7"});
  CHECK(vae.encode(Floats{}).mean.empty());
}

TEST_CASE("a model or a device that cannot be had is said", "[vae]") {
  check_error<FileError>([] { (void)Vae::load("/nonexistent/m.safetensors"); },
                         {"/nonexistent/m.safetensors"});
  const TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  save_model(path, test::small_model());
  const auto load_on = [&](const std::string& device, std::int64_t batch_size, Precision precision) {
    RunOn on;
    on.device = device;
    on.batch_size = batch_size;
    on.precision = precision;
    return Vae::load(path, on);
  };
  check_error<ConfigError>([&] { (void)load_on("tpu", 0, Precision::fp32); }, {"tpu"});
  check_error<ConfigError>([&] { (void)load_on("cpu", -1, Precision::fp32); }, {"-1"});
  check_error<DeviceError>([&] { (void)load_on("cpu", 0, Precision::bf16); }, {"bf16"});
  Vae moved = load_on("cpu", 0, Precision::fp32);
  const Vae vae = std::move(moved);
  CHECK(vae.device().kind == DeviceKind::cpu);
  CHECK(vae.device_note().empty());
}

TEST_CASE("the head of a model file tells all but its parameters", "[vae]") {
  const TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  ModelFile file = test::small_model();
  file.preparation.mean.assign(7, 0.5f);
  file.preparation.inverse_deviation.assign(7, 2.0f);
  file.column_names = {"a", "b", "c", "d", "e", "f", "g"};
  save_model(path, file);
  const ModelInfo info = read_model_info(path);
  CHECK(info.model.hidden == std::vector<std::int64_t>{5});
  CHECK(info.column_names == file.column_names);
  CHECK(info.mean == file.preparation.mean);
  CHECK(info.inverse_deviation == file.preparation.inverse_deviation);
  CHECK(info.parameters == make_layout(file.model).parameters);
  REQUIRE(info.tensors.size() == 10);
  CHECK(info.tensors[0].name == "encoder.0.weight");
  CHECK(info.tensors[0].shape == std::vector<std::int64_t>{5, 7});
  CHECK(info.tensors[9].name == "data.inverse_deviation");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 4);
  check_error<FileError>([&] { (void)read_model_info(path); }, {path});
}

TEST_CASE("threads that share a model take turns and get what is theirs", "[vae][threads]") {
  const Vae vae = test::open_model(test::small_model(Likelihood::bernoulli), 256, 2);
  const Floats x = test::some_rows(700, 7);
  const Floats mean = vae.encode(x).mean;
  const Floats nll = vae.elbo(x, 1).reconstruction;
  const Floats samples = vae.sample(600, 2);
  std::vector<int> right(6, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const bool same = t % 3 == 0   ? test::same_bits(vae.encode(x).mean, mean)
                          : t % 3 == 1 ? test::same_bits(vae.elbo(x, 1).reconstruction, nll)
                                       : test::same_bits(vae.sample(600, 2), samples);
        right[t] += same ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(6, 5));
}

TEST_CASE("an exception from a sink ends the pass, and the model goes on", "[vae]") {
  const Vae vae = test::open_model(test::small_model(), 256);
  const Floats x = test::some_rows(600, 7);
  const auto rows = rows_of(x, 7);
  int blocks = 0;
  CHECK_THROWS_AS(
      vae.encode(*rows,
                 [&](const EncodedBlock& block) {
                   CHECK(block.first == 256 * blocks);
                   // A sink may use the model itself.
                   CHECK(vae.decode(block.mean).size() == static_cast<std::size_t>(block.rows * 7));
                   if (++blocks == 2) throw std::runtime_error("enough");
                 }),
      std::runtime_error);
  CHECK(blocks == 2);
  CHECK(vae.encode(x).mean.size() == 1800);
}

}  // namespace vaecuda
