// A trained model in use through the public API: what the passes give, in which units, and that a row's
// result depends on the row alone.
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "host/model/model_file.hpp"
#include "host/plan/backend.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/oracle.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::TempDir;
using Floats = std::vector<float>;
using Part = ParameterStore::Part;

/// 7 columns, 5 hidden units, 3 latents; parameters by a seed.
ModelFile small_model(Likelihood likelihood = Likelihood::gaussian) {
  ModelFile file;
  file.model.input_dim = 7;
  file.model.hidden = {5};
  file.model.latent_dim = 3;
  file.model.likelihood = likelihood;
  file.seed = 11;
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.resize(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, file.model, 5, file.parameters.data());
  return file;
}

/// Loads what was saved: the way that a user comes by a Vae.
Vae open(const ModelFile& file, std::int64_t batch_size = 0, std::int64_t threads = 1) {
  const TempDir folder;
  const std::string path = (folder.path() / "m.safetensors").string();
  save_model(path, file);
  RunOn on;
  on.device = "cpu";
  on.threads = threads;
  on.batch_size = batch_size;
  return Vae::load(path, on);
}

/// Values in [0, 1), no two rows alike.
Floats some_rows(std::int64_t rows, std::int64_t columns) {
  Floats values;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    values.push_back(static_cast<float>((i * 7919 + 13) % 1009) / 1009.0f);
  }
  return values;
}

Floats slice(const Floats& values, std::int64_t row, std::int64_t count, std::int64_t columns) {
  return {values.begin() + row * columns, values.begin() + (row + count) * columns};
}

bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

double mean_of(const Floats& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Encoder and decoder in doubles, straight from the tensors: no code of the product but their places.
struct Oracle {
  explicit Oracle(const ModelFile& file) : tensors(tensors_of(file)) {}

  [[nodiscard]] std::vector<double> linear(const std::string& name, const std::vector<double>& x) const {
    const auto find = [&](const std::string& tensor) {
      for (const ModelTensor& t : tensors) {
        if (t.name == name + tensor) return t;
      }
      throw std::runtime_error("no tensor " + name + tensor);
    };
    const ModelTensor weight = find(".weight");
    const ModelTensor bias = find(".bias");
    std::vector<double> y(bias.values.begin(), bias.values.end());
    for (std::size_t o = 0; o < y.size(); ++o) {
      for (std::size_t i = 0; i < x.size(); ++i)
        y[o] += static_cast<double>(weight.values[o * x.size() + i]) * x[i];
    }
    return y;
  }
  static std::vector<double> relu(std::vector<double> x) {
    for (double& v : x) v = std::max(v, 0.0);
    return x;
  }
  [[nodiscard]] std::vector<double> head(const std::vector<double>& x) const {
    return linear("head", relu(linear("encoder.0", x)));
  }
  [[nodiscard]] std::vector<double> output(const std::vector<double>& z) const {
    return linear("output", relu(linear("decoder.0", z)));
  }

  std::vector<ModelTensor> tensors;
};

void check_near(std::span<const float> actual, const std::vector<double>& expected, double tolerance = 2e-6) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO("element " << i);
    CHECK(std::fabs(static_cast<double>(actual[i]) - expected[i]) <=
          tolerance * (1.0 + std::fabs(expected[i])));
  }
}

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("encode, decode and reconstruct follow the network, in the units of the data", "[vae]") {
  ModelFile file = small_model();
  file.preparation.scale = 0.25f;
  for (int c = 0; c < 7; ++c) {
    file.preparation.mean.push_back(0.1f * static_cast<float>(c));
    file.preparation.inverse_deviation.push_back(1.0f + 0.5f * static_cast<float>(c));
  }
  const Vae vae = open(file);
  const Oracle oracle(file);
  const Floats x = some_rows(3, 7);
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
    check_near(slice(encoded.mean, row, 1, 3), mu);
    check_near(slice(encoded.logvar, row, 1, 3), {head.begin() + 3, head.end()});
    std::vector<double> raw = oracle.output(mu);
    for (std::size_t c = 0; c < 7; ++c) raw[c] = (raw[c] / inverse(c) + mean(c)) / 0.25;
    check_near(slice(reconstructed, row, 1, 7), raw);
    check_near(vae.decode(slice(encoded.mean, row, 1, 3)), raw);
  }
}

TEST_CASE("a Bernoulli model of bytes gives means that it takes again", "[vae]") {
  ModelFile file = small_model(Likelihood::bernoulli);
  file.preparation.scale = 1.0f / 255.0f;
  // Logits far out: sigmoids of 0 and 1.
  for (float& p : file.parameters) p *= 400.0f;
  const Vae vae = open(file);
  const Floats samples = vae.sample(500, 3);
  CHECK(*std::max_element(samples.begin(), samples.end()) > 254.0f);
  CHECK(*std::min_element(samples.begin(), samples.end()) >= 0.0f);
  CHECK(vae.elbo(samples).kl.size() == 500);
}

TEST_CASE("a row's result does not depend on the batch size, the rows beside it or the threads", "[vae]") {
  ModelFile file = small_model(Likelihood::bernoulli);
  file.model.hidden = {300};  // wide enough that the work is cut and shared
  file.preparation.binarize = Binarize::stochastic;
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.assign(static_cast<std::size_t>(layout.size), 0.0f);
  initialize_parameters(layout, file.model, 9, file.parameters.data());
  const Floats x = some_rows(1100, 7);
  const Vae reference = open(file);
  const Encoded encoded = reference.encode(x);
  const ElboTerms elbo = reference.elbo(x, 21);
  const Floats means = reference.reconstruct(x);
  for (const std::int64_t batch_size : {1, 256, 300, 1024, 5000}) {
    const Vae vae = open(file, batch_size, batch_size % 3 + 1);
    INFO("batch size " << batch_size);
    CHECK(same_bits(vae.encode(x).mean, encoded.mean));
    CHECK(same_bits(vae.encode(x).logvar, encoded.logvar));
    CHECK(same_bits(vae.elbo(x, 21).reconstruction, elbo.reconstruction));
    CHECK(same_bits(vae.elbo(x, 21).kl, elbo.kl));
    CHECK(same_bits(vae.reconstruct(x), means));
  }
  // Without noise a row's place does not matter either.
  file.preparation.binarize = Binarize::none;
  const Vae vae = open(file);
  const Floats all = vae.encode(x).mean;
  for (const std::int64_t row : {0, 1, 127, 128, 255, 256, 777, 1099}) {
    INFO("row " << row);
    CHECK(same_bits(vae.encode(slice(x, row, 1, 7)).mean, slice(all, row, 1, 3)));
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
  const TrainSummary summary = TrainingRun(config).run();
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
  CHECK(read_bytes(copy) == read_bytes(summary.model));
  CHECK(nll / 900.0 == Approx(summary.test->reconstruction).epsilon(0.1));  // other rows, the same model

  config.data.test_fraction = 0.0;
  config.data.train.path = "shapes:16x16,n=300";
  config.data.test_path = "shapes:16x16,n=400";
  config.output.dir = (folder.path() / "whole").string();
  const TrainSummary whole = TrainingRun(config).run();
  const Dataset same = load_dataset({"shapes:16x16,n=400", {}, {}, {}});
  const Floats raw(same.u8().begin(), same.u8().end());
  const Vae trained = Vae::load(whole.model, on);
  const ElboTerms terms = trained.elbo(raw);
  CHECK(mean_of(terms.reconstruction) == whole.test->reconstruction);
  CHECK(mean_of(terms.kl) == whole.test->kl);
}

TEST_CASE("a deterministic latent has codes, no KL and no prior", "[vae]") {
  ModelFile file = small_model();
  file.model.latent = LatentKind::deterministic;
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.assign(static_cast<std::size_t>(layout.size), 0.0f);
  initialize_parameters(layout, file.model, 5, file.parameters.data());
  const Vae vae = open(file);
  const Oracle oracle(file);
  const Floats x = some_rows(2, 7);
  const Encoded encoded = vae.encode(x);
  CHECK(encoded.logvar.empty());
  REQUIRE(encoded.mean.size() == 6);
  check_near(slice(encoded.mean, 1, 1, 3), oracle.head({x.begin() + 7, x.end()}));
  CHECK(same_bits(vae.reconstruct(x), vae.decode(encoded.mean)));
  const ElboTerms terms = vae.elbo(x);
  CHECK(terms.kl == Floats{0.0f, 0.0f});
  CHECK(terms.reconstruction[0] > 0.0f);
  check_error<ConfigError>([&] { (void)vae.sample(1, 1); }, {"deterministic"});
}

TEST_CASE("a head of log sigma is given as log variance", "[vae]") {
  ModelFile file = small_model();
  const Floats x = some_rows(2, 7);
  const Encoded plain = open(file).encode(x);
  file.model.logvar_head = LogvarHead::logsigma;
  const Encoded doubled = open(file).encode(x);
  CHECK(same_bits(doubled.mean, plain.mean));
  for (std::size_t i = 0; i < plain.logvar.size(); ++i) CHECK(doubled.logvar[i] == 2.0f * plain.logvar[i]);
}

TEST_CASE("device pointers need a model on a GPU", "[vae]") {
  const Vae vae = open(small_model());
  float memory[8] = {};
  check_error<DeviceError>([&] { vae.encode_on_device(memory, 1, memory, nullptr, nullptr); },
                           {"device pointers", "on the CPU", "host memory"});
  check_error<DeviceError>([&] { vae.elbo_on_device(memory, 1, 1, memory, nullptr, nullptr); },
                           {"device pointers"});
  check_error<ConfigError>([&] { vae.encode_on_device(nullptr, 3, memory, nullptr, nullptr); }, {"3 rows"});
  ModelFile file = small_model();
  file.model.logvar_head = LogvarHead::logsigma;
  check_error<ConfigError>([&] { open(file).encode_on_device(memory, 1, memory, memory, nullptr); },
                           {"log sigma"});
}

TEST_CASE("a quantized latent has codes, their vectors, a constant KL and samples", "[vae]") {
  ModelFile file = small_model();
  file.model.latent = LatentKind::vq;
  file.model.latent_dim = 6;
  file.model.codebooks = 3;
  file.model.codebook_size = 4;
  const ParameterLayout layout = make_layout(file.model);
  const Codebook& book = layout.codebook;
  file.parameters.resize(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, file.model, 5, file.parameters.data());
  for (std::int64_t i = 0; i < book.elements(); ++i) {
    file.parameters[static_cast<std::size_t>(book.codes + i)] *= 4.0f;  // as far apart as latents are
  }
  const Vae vae = open(file);
  const Floats x = some_rows(300, 7);
  const Encoded encoded = vae.encode(x);
  REQUIRE(encoded.codes.size() == 900);
  REQUIRE(encoded.mean.size() == 1800);
  CHECK(encoded.logvar.empty());
  const auto vector_of = [&](std::size_t group, float code, std::size_t i) {
    const auto at = (group * 4 + static_cast<std::size_t>(code)) * 2 + i;
    return file.parameters[static_cast<std::size_t>(book.codes) + at];
  };
  std::vector<int> used(12);
  for (std::size_t i = 0; i < encoded.codes.size(); ++i) {
    const float code = encoded.codes[i];
    REQUIRE((code == 0.0f || code == 1.0f || code == 2.0f || code == 3.0f));
    ++used[i % 3 * 4 + static_cast<std::size_t>(code)];
    for (std::size_t c = 0; c < 2; ++c) REQUIRE(encoded.mean[2 * i + c] == vector_of(i % 3, code, c));
  }
  CHECK(std::count_if(used.begin(), used.end(), [](int n) { return n > 0; }) > 3);
  CHECK(same_bits(vae.decode(encoded.mean), vae.reconstruct(x)));
  for (const float kl : vae.elbo(x).kl) REQUIRE(kl == Approx(3.0 * std::log(4.0)));

  // Samples: the generating plan's, each code of each codebook about as often as the others.
  const Floats latents = vae.sample_latents(4000, 9);
  CHECK(same_bits(vae.decode(latents), vae.sample(4000, 9)));
  for (std::size_t group = 0; group < 3; ++group) {
    for (const float code : {0.0f, 1.0f, 2.0f, 3.0f}) {
      int hits = 0;
      for (std::size_t row = 0; row < 4000; ++row) {
        hits += latents[row * 6 + group * 2] == vector_of(group, code, 0);
      }
      CHECK(std::abs(hits - 1000) < 140);  // five deviations of 27
    }
  }
  CHECK(same_bits(slice(latents, 0, 10, 6), vae.sample_latents(10, 9)));
  CHECK_FALSE(same_bits(slice(latents, 0, 10, 6), vae.sample_latents(10, 8)));
  check_error<ConfigError>([&] { (void)vae.sample(4, 9, 0.5); }, {"temperature 0.5", "--latent vq"});
  const auto backend = make_cpu_backend(1);
  const auto store = backend->make_parameters(layout.size, false);
  store->write(Part::parameters, file.parameters);
  const Plan plan = build_generate_plan(layout, file.model, 300, 9);
  const auto program = backend->compile(plan, *store, nullptr);
  program->set_position(0);
  program->run(2);
  Floats means(2100);
  program->read(plan.find_buffer("rows.mean"), means);
  CHECK(same_bits(means, slice(vae.sample(300, 9), 0, 300, 7)));
}

TEST_CASE("samples depend on seed, row and temperature alone", "[vae]") {
  const Vae vae = open(small_model());
  const Floats all = vae.sample(300, 4);
  CHECK(same_bits(vae.sample(3, 4), slice(all, 0, 3, 7)));
  CHECK_FALSE(same_bits(vae.sample(3, 5), slice(all, 0, 3, 7)));
  CHECK(same_bits(all, vae.decode(vae.sample_latents(300, 4))));
  CHECK(same_bits(vae.sample(2, 4, 0.0), vae.decode(Floats(6, 0.0f))));
  CHECK(vae.sample(0, 4).empty());

  const Floats z = vae.sample_latents(20000, 1);
  double square = 0.0;
  for (const float v : z) square += static_cast<double>(v) * static_cast<double>(v);
  // 60,000 squares of a standard normal: mean 1, deviation √(2 / 60,000) = 0.006.
  CHECK(std::fabs(square / 60000.0 - 1.0) < 0.03);
  CHECK(std::fabs(mean_of(z)) < 0.02);
  const Floats warm = vae.sample_latents(5, 1, 2.0);
  for (std::size_t i = 0; i < warm.size(); ++i) CHECK(warm[i] == 2.0f * z[i]);

  check_error<ConfigError>([&] { (void)vae.sample(-1, 1); }, {"-1 samples"});
  check_error<ConfigError>([&] { (void)vae.sample(1, 1, -0.5); }, {"temperature -0.5"});
  check_error<ConfigError>([&] { (void)vae.sample(1, 1, std::nan("")); }, {"temperature nan"});
}

TEST_CASE("a conditional model is told the label of every row", "[vae]") {
  ModelFile file = small_model();
  file.model.conditional = true;
  file.model.condition_dim = 3;
  file.condition_names = {"ant", "cat", "dog"};
  const ParameterLayout layout = make_layout(file.model);
  file.parameters.resize(static_cast<std::size_t>(layout.size));
  initialize_parameters(layout, file.model, 5, file.parameters.data());
  const Vae vae = open(file);
  CHECK(vae.info().condition_names == file.condition_names);
  const auto drawn = [&](const std::string& label) {
    Floats all;
    (void)vae.sample(
        300, 4, 1.0,
        [&](const DecodedBlock& block) { all.insert(all.end(), block.mean.begin(), block.mean.end()); },
        label);
    return all;
  };
  const Floats cats = drawn("cat");
  CHECK_FALSE(same_bits(cats, drawn("dog")));
  CHECK(same_bits(cats, drawn("cat")));
  // A decoder's first layer sees [z | c], so that another class is another bias: ReLU units of W·z + b + W_c.
  const Layer& first = layout.decoder.front();
  ModelFile plain = small_model();
  const ParameterLayout bare = make_layout(plain.model);
  plain.parameters.assign(static_cast<std::size_t>(bare.size), 0.0f);
  for (std::int64_t o = 0; o < first.out; ++o) {
    const auto row = static_cast<std::size_t>(first.weight + o * first.in);
    for (std::int64_t i = 0; i < 3; ++i) {
      plain.parameters[static_cast<std::size_t>(bare.decoder.front().weight + o * 3 + i)] =
          file.parameters[row + static_cast<std::size_t>(i)];
    }
    plain.parameters[static_cast<std::size_t>(bare.decoder.front().bias + o)] =
        file.parameters[static_cast<std::size_t>(first.bias + o)] + file.parameters[row + 3 + 1];
  }
  std::copy_n(file.parameters.begin() + layout.output.weight, layout.output.in * layout.output.out,
              plain.parameters.begin() + bare.output.weight);
  std::copy_n(file.parameters.begin() + layout.output.bias, layout.output.out,
              plain.parameters.begin() + bare.output.bias);
  const Floats by_hand = open(plain).sample(300, 4);
  REQUIRE(by_hand.size() == cats.size());
  for (std::size_t i = 0; i < cats.size(); ++i) CHECK(cats[i] == Approx(by_hand[i]).margin(1e-6));

  // Rows bring labels of their own, whatever the order of their classes.
  Dataset rows(some_rows(5, 7), 5, 7);
  const auto means_of = [&] {
    const auto source = rows_of(rows);
    Floats means;
    (void)vae.encode(*source, [&](const EncodedBlock& block) {
      means.insert(means.end(), block.mean.begin(), block.mean.end());
    });
    return means;
  };
  rows.set_labels({0, 1, 0, 1, 0}, {"cat", "dog"});
  const Floats one = means_of();
  rows.set_labels({1, 0, 1, 0, 1}, {"dog", "cat"});
  CHECK(same_bits(one, means_of()));
  rows.set_labels({0, 0, 0, 0, 0}, {"cat"});
  CHECK_FALSE(same_bits(one, means_of()));

  check_error<ConfigError>([&] { (void)vae.sample(1, 1); }, {"conditional", "ant, cat, dog"});
  check_error<ConfigError>([&] { drawn("emu"); }, {"emu", "ant, cat, dog"});
  rows.set_labels({0, 0, 0, 0, 0}, {"emu"});
  check_error<ConfigError>([&] { (void)means_of(); }, {"emu"});
  check_error<ConfigError>(
      [&] {
        (void)open(small_model())
            .sample(
                1, 1, 1.0, [](const DecodedBlock&) {}, "cat");
      },
      {"--conditional"});
}

TEST_CASE("samples are those that the generating plan draws", "[vae]") {
  const ModelFile file = small_model();
  const ParameterLayout layout = make_layout(file.model);
  const auto backend = make_cpu_backend(1);
  const auto store = backend->make_parameters(layout.size, false);
  store->write(Part::parameters, file.parameters);
  const Plan plan = build_generate_plan(layout, file.model, 64, 8);
  const auto program = backend->compile(plan, *store, nullptr);
  program->run(1);
  Floats means(64 * 7);
  program->read(plan.find_buffer("rows.mean"), means);
  const Floats samples = open(file).sample(64, 8);
  check_near(samples, {means.begin(), means.end()});  // the loops may contract products, the formula does not
}

TEST_CASE("paths between latents end where they should and keep their form", "[vae]") {
  const Floats a = {3.0f, 0.0f, 0.0f};
  const Floats b = {0.0f, 1.0f, 0.0f};
  const Floats line = interpolate_latents(a, b, 5);
  CHECK(line ==
        Floats{3.0f, 0.0f, 0.0f, 2.25f, 0.25f, 0.0f, 1.5f, 0.5f, 0.0f, 0.75f, 0.75f, 0.0f, 0.0f, 1.0f, 0.0f});
  const Floats arc = interpolate_latents(a, b, 5, true);
  for (std::size_t step = 0; step < 5; ++step) {
    const double t = static_cast<double>(step) / 4.0;
    const double x = static_cast<double>(arc[3 * step]);
    const double y = static_cast<double>(arc[3 * step + 1]);
    CHECK(std::hypot(x, y) == Approx(3.0 - 2.0 * t));                    // the length changes linearly
    CHECK(std::atan2(y, x) == Approx(t * std::acos(0.0)).margin(1e-6));  // and so does the angle
    CHECK(arc[3 * step + 2] == 0.0f);
  }
  // No arc: from the origin, in the same or the opposite direction.
  const Floats opposite = {-1.5f, 0.0f, 0.0f};
  CHECK(interpolate_latents(a, opposite, 3, true) == interpolate_latents(a, opposite, 3));
  CHECK(interpolate_latents(a, a, 3, true) == interpolate_latents(a, a, 3));
  CHECK(interpolate_latents(Floats(3, 0.0f), b, 3, true) == interpolate_latents(Floats(3, 0.0f), b, 3));
  const Vae vae = open(small_model());
  const Floats path = vae.interpolate(a, b, 4, true);
  CHECK(same_bits(slice(path, 0, 1, 7), vae.decode(a)));
  CHECK(same_bits(slice(path, 3, 1, 7), vae.decode(b)));
  check_error<ConfigError>([&] { (void)interpolate_latents(a, Floats(2), 5); }, {"3 and 2 values"});
  check_error<ConfigError>([&] { (void)interpolate_latents(a, b, 1); }, {"1 steps", "2 or more"});
}

TEST_CASE("rows that do not fit are refused with their place", "[vae]") {
  ModelFile file = small_model(Likelihood::bernoulli);
  file.preparation.scale = 0.5f;
  const Vae vae = open(file, 256);
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
  save_model(path, small_model());
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
  ModelFile file = small_model();
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
  const Vae vae = open(small_model(Likelihood::bernoulli), 256, 2);
  const Floats x = some_rows(700, 7);
  const Floats mean = vae.encode(x).mean;
  const Floats nll = vae.elbo(x, 1).reconstruction;
  const Floats samples = vae.sample(600, 2);
  std::vector<int> right(6, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const bool same = t % 3 == 0   ? same_bits(vae.encode(x).mean, mean)
                          : t % 3 == 1 ? same_bits(vae.elbo(x, 1).reconstruction, nll)
                                       : same_bits(vae.sample(600, 2), samples);
        right[t] += same ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(6, 5));
}

TEST_CASE("an exception from a sink ends the pass, and the model goes on", "[vae]") {
  const Vae vae = open(small_model(), 256);
  const Floats x = some_rows(600, 7);
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
