// A trained model's latents through the public API: of every kind, drawn, told a label, and walked between.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "host/latents/codebook.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/builder.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/small_vae.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using Floats = std::vector<float>;
using Part = ParameterStore::Part;

}  // namespace

TEST_CASE("a deterministic latent has codes, no KL and no prior", "[vae]") {
  ModelFile file = test::small_model();
  file.model.latent = LatentKind::deterministic;
  test::initialize(file);
  const Vae vae = test::open_model(file);
  const test::NetworkInDoubles oracle(file);
  const Floats x = test::some_rows(2, 7);
  const Encoded encoded = vae.encode(x);
  CHECK(encoded.logvar.empty());
  REQUIRE(encoded.mean.size() == 6);
  test::check_near(test::slice(encoded.mean, 1, 1, 3), oracle.head({x.begin() + 7, x.end()}));
  CHECK(test::same_bits(vae.reconstruct(x), vae.decode(encoded.mean)));
  const ElboTerms terms = vae.elbo(x);
  CHECK(terms.kl == Floats{0.0f, 0.0f});
  CHECK(terms.reconstruction[0] > 0.0f);
  check_error<ConfigError>([&] { (void)vae.sample(1, 1); }, {"deterministic"});
}

TEST_CASE("a quantized latent has codes, their vectors, a constant KL and samples", "[vae]") {
  ModelFile file = test::small_model();
  file.model.latent = LatentKind::vq;
  file.model.latent_dim = 6;
  file.model.codebooks = 3;
  file.model.codebook_size = 4;
  const ParameterLayout layout = make_layout(file.model);
  const CodebookParameters book = codebook_of(layout);
  test::initialize(file);
  for (std::int64_t i = 0; i < book.elements(); ++i) {
    file.parameters[static_cast<std::size_t>(book.codes + i)] *= 4.0f;  // as far apart as latents are
  }
  const Vae vae = test::open_model(file);
  const Floats x = test::some_rows(300, 7);
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
  CHECK(test::same_bits(vae.decode(encoded.mean), vae.reconstruct(x)));
  for (const float kl : vae.elbo(x).kl) REQUIRE(kl == Approx(3.0 * std::log(4.0)));

  // Samples: the generating plan's, each code of each codebook about as often as the others.
  const Floats latents = vae.sample_latents(4000, 9);
  CHECK(test::same_bits(vae.decode(latents), vae.sample(4000, 9)));
  for (std::size_t group = 0; group < 3; ++group) {
    for (const float code : {0.0f, 1.0f, 2.0f, 3.0f}) {
      int hits = 0;
      for (std::size_t row = 0; row < 4000; ++row) {
        hits += latents[row * 6 + group * 2] == vector_of(group, code, 0);
      }
      CHECK(std::abs(hits - 1000) < 140);  // five deviations of 27
    }
  }
  CHECK(test::same_bits(test::slice(latents, 0, 10, 6), vae.sample_latents(10, 9)));
  CHECK_FALSE(test::same_bits(test::slice(latents, 0, 10, 6), vae.sample_latents(10, 8)));
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
  CHECK(test::same_bits(means, test::slice(vae.sample(300, 9), 0, 300, 7)));
}

TEST_CASE("samples depend on seed, row and temperature alone", "[vae]") {
  const Vae vae = test::open_model(test::small_model());
  const Floats all = vae.sample(300, 4);
  CHECK(test::same_bits(vae.sample(3, 4), test::slice(all, 0, 3, 7)));
  CHECK_FALSE(test::same_bits(vae.sample(3, 5), test::slice(all, 0, 3, 7)));
  CHECK(test::same_bits(all, vae.decode(vae.sample_latents(300, 4))));
  CHECK(test::same_bits(vae.sample(2, 4, 0.0), vae.decode(Floats(6, 0.0f))));
  CHECK(vae.sample(0, 4).empty());

  const Floats z = vae.sample_latents(20000, 1);
  double square = 0.0;
  for (const float v : z) square += static_cast<double>(v) * static_cast<double>(v);
  // 60,000 squares of a standard normal: mean 1, deviation √(2 / 60,000) = 0.006.
  CHECK(std::fabs(square / 60000.0 - 1.0) < 0.03);
  CHECK(std::fabs(test::mean_of(z)) < 0.02);
  const Floats warm = vae.sample_latents(5, 1, 2.0);
  for (std::size_t i = 0; i < warm.size(); ++i) CHECK(warm[i] == 2.0f * z[i]);

  check_error<ConfigError>([&] { (void)vae.sample(-1, 1); }, {"-1 samples"});
  check_error<ConfigError>([&] { (void)vae.sample(1, 1, -0.5); }, {"temperature -0.5"});
  check_error<ConfigError>([&] { (void)vae.sample(1, 1, std::nan("")); }, {"temperature nan"});
}

TEST_CASE("a conditional model is told the label of every row", "[vae]") {
  ModelFile file = test::small_model();
  file.model.conditional = true;
  file.model.condition_dim = 3;
  file.condition_names = {"ant", "cat", "dog"};
  test::initialize(file);
  const ParameterLayout layout = make_layout(file.model);
  const Vae vae = test::open_model(file);
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
  CHECK_FALSE(test::same_bits(cats, drawn("dog")));
  CHECK(test::same_bits(cats, drawn("cat")));
  // A decoder's first layer sees [z | c], so that another class is another bias: ReLU units of W·z + b + W_c.
  const Layer& first = layout.network("decoder").hidden.front();
  ModelFile plain = test::small_model();
  const ParameterLayout bare = make_layout(plain.model);
  plain.parameters.assign(static_cast<std::size_t>(bare.size), 0.0f);
  for (std::int64_t o = 0; o < first.out; ++o) {
    const auto row = static_cast<std::size_t>(first.weight + o * first.in);
    for (std::int64_t i = 0; i < 3; ++i) {
      plain.parameters[static_cast<std::size_t>(bare.network("decoder").hidden.front().weight + o * 3 + i)] =
          file.parameters[row + static_cast<std::size_t>(i)];
    }
    plain.parameters[static_cast<std::size_t>(bare.network("decoder").hidden.front().bias + o)] =
        file.parameters[static_cast<std::size_t>(first.bias + o)] + file.parameters[row + 3 + 1];
  }
  const Layer& top = layout.network("decoder").top;
  const Layer& bare_top = bare.network("decoder").top;
  std::copy_n(file.parameters.begin() + top.weight, top.in * top.out,
              plain.parameters.begin() + bare_top.weight);
  std::copy_n(file.parameters.begin() + top.bias, top.out, plain.parameters.begin() + bare_top.bias);
  const Floats by_hand = test::open_model(plain).sample(300, 4);
  REQUIRE(by_hand.size() == cats.size());
  for (std::size_t i = 0; i < cats.size(); ++i) CHECK(cats[i] == Approx(by_hand[i]).margin(1e-6));

  // Rows bring labels of their own, whatever the order of their classes.
  Dataset rows(test::some_rows(5, 7), 5, 7);
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
  CHECK(test::same_bits(one, means_of()));
  rows.set_labels({0, 0, 0, 0, 0}, {"cat"});
  CHECK_FALSE(test::same_bits(one, means_of()));

  check_error<ConfigError>([&] { (void)vae.sample(1, 1); }, {"conditional", "ant, cat, dog"});
  check_error<ConfigError>([&] { drawn("emu"); }, {"emu", "ant, cat, dog"});
  rows.set_labels({0, 0, 0, 0, 0}, {"emu"});
  check_error<FileError>([&] { (void)means_of(); }, {"emu"});
  check_error<ConfigError>(
      [&] {
        (void)test::open_model(test::small_model())
            .sample(
                1, 1, 1.0, [](const DecodedBlock&) {}, "cat");
      },
      {"--conditional"});
}

TEST_CASE("a model that is told vectors takes those of its rows, or numbers for a label", "[vae]") {
  ModelFile file = test::small_model();
  file.model.conditional = true;
  file.model.condition_dim = 3;
  file.condition_names = {"ant", "cat", "dog"};
  test::initialize(file);
  const Vae classes = test::open_model(file);
  file.condition_names.clear();
  const Vae vae = test::open_model(file);
  Dataset rows(test::some_rows(5, 7), 5, 7);
  const auto means_of = [&rows](const Vae& model, const char* label = nullptr) {
    const auto source = rows_of(rows);
    const auto labelled = with_label(*source, label != nullptr ? label : "");
    Floats means;
    (void)model.encode(label != nullptr ? *labelled : *source, [&](const EncodedBlock& block) {
      means.insert(means.end(), block.mean.begin(), block.mean.end());
    });
    return means;
  };
  // One-hot vectors are classes.
  rows.set_labels({1, 0, 2, 1, 1}, {"ant", "cat", "dog"});
  const Floats expected = means_of(classes);
  rows.set_label_vectors({0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0});
  CHECK(test::same_bits(means_of(vae), expected));
  const Floats cats = means_of(classes, "cat");
  CHECK(test::same_bits(means_of(vae, "0,1,0"), cats));
  CHECK_FALSE(test::same_bits(means_of(vae, "0,0.5,0"), cats));
  Floats several;
  vae.elbo(*rows_of(rows), 3, 8,
           [&](const ElboBlock& block) { several.insert(several.end(), block.kl.begin(), block.kl.end()); });
  REQUIRE(several.size() == 5);
  Floats kl;
  vae.elbo(*rows_of(rows), 8,
           [&](const ElboBlock& block) { kl.insert(kl.end(), block.kl.begin(), block.kl.end()); });
  CHECK(several == kl);

  for (const char* wrong : {"cat", "0,1", "0,1,0,0", "0,,0", "0,1,inf", ""}) {
    INFO(wrong);
    check_error<FileError>([&] { (void)means_of(vae, wrong); }, {"vectors of 3 numbers", "commas"});
    check_error<ConfigError>([&] { require_label(vae.info(), wrong); }, {"vectors of 3 numbers", "commas"});
  }
  rows.set_label_vectors({0, 1, 0, 1, 0, 0, 0, 0, 1, 0});
  check_error<FileError>([&] { (void)means_of(vae); }, {"a vector of 3 numbers", "have 2", "--labels"});
  const Dataset bare(test::some_rows(5, 7), 5, 7);
  check_error<FileError>([&] { vae.encode(*rows_of(bare), [](const EncodedBlock&) {}); },
                         {"a vector of 3 numbers", "it has none", "--labels"});
}

TEST_CASE("samples are those that the generating plan draws", "[vae]") {
  const ModelFile file = test::small_model();
  const ParameterLayout layout = make_layout(file.model);
  const auto backend = make_cpu_backend(1);
  const auto store = backend->make_parameters(layout.size, false);
  store->write(Part::parameters, file.parameters);
  const Plan plan = build_generate_plan(layout, file.model, 64, 8);
  const auto program = backend->compile(plan, *store, nullptr);
  program->run(1);
  Floats means(64 * 7);
  program->read(plan.find_buffer("rows.mean"), means);
  const Floats samples = test::open_model(file).sample(64, 8);
  test::check_near(samples,
                   {means.begin(), means.end()});  // the loops may contract products, the formula does not
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
  const Vae vae = test::open_model(test::small_model());
  const Floats path = vae.interpolate(a, b, 4, true);
  CHECK(test::same_bits(test::slice(path, 0, 1, 7), vae.decode(a)));
  CHECK(test::same_bits(test::slice(path, 3, 1, 7), vae.decode(b)));
  check_error<ConfigError>([&] { (void)interpolate_latents(a, Floats(2), 5); }, {"3 and 2 values"});
  check_error<ConfigError>([&] { (void)interpolate_latents(a, b, 1); }, {"1 steps", "2 or more"});
  const Floats far = {3e38f, 3e38f};
  const Floats other = {-3e38f, 3e38f};
  check_error<ConfigError>([&] { (void)interpolate_latents(far, other, 10, true); },
                           {"length 4.24e+38", "value 1 of step 1"});
}

}  // namespace vaecuda
