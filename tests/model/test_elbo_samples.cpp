// The ELBO's mean over several latents of each row, of a trained model in use.
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/small_vae.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

using Floats = std::vector<float>;

ElboTerms mean_elbo(const Vae& vae, const Floats& x, std::int64_t samples, std::uint64_t seed) {
  ElboTerms all;
  const auto rows = rows_of(x, vae.info().model.input_dim);
  std::int64_t next = 0;
  const std::int64_t count = vae.elbo(*rows, samples, seed, [&](const ElboBlock& block) {
    CHECK(block.first == next);
    next += block.rows;
    all.reconstruction.insert(all.reconstruction.end(), block.reconstruction.begin(),
                              block.reconstruction.end());
    all.kl.insert(all.kl.end(), block.kl.begin(), block.kl.end());
  });
  CHECK(count == next);
  return all;
}

}  // namespace

TEST_CASE("the ELBO of several samples is the mean of the samples' own", "[vae]") {
  const Vae vae = test::open_model(test::small_model(Likelihood::bernoulli), 256);
  constexpr std::size_t kRows = 300;
  const Floats x = test::some_rows(kRows, 7);
  const ElboTerms one = vae.elbo(x, 5);
  CHECK(test::same_bits(mean_elbo(vae, x, 1, 5).reconstruction, one.reconstruction));
  for (const std::size_t samples : {2U, 3U, 300U}) {
    INFO(samples << " samples");
    // Draw k of row i is that of row i·samples + k where every row stands so often.
    const std::size_t some = samples > 100 ? 5 : kRows;
    Floats repeated;
    for (std::size_t row = 0; row < some; ++row) {
      for (std::size_t k = 0; k < samples; ++k) {
        for (std::size_t c = 0; c < 7; ++c) repeated.push_back(x[row * 7 + c]);
      }
    }
    const ElboTerms each = vae.elbo(repeated, 5);
    const ElboTerms mean =
        mean_elbo(vae, Floats(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(some * 7)),
                  static_cast<std::int64_t>(samples), 5);
    REQUIRE(mean.reconstruction.size() == some);
    REQUIRE(mean.kl.size() == some);
    for (std::size_t row = 0; row < some; ++row) {
      double sum = 0.0;
      for (std::size_t k = 0; k < samples; ++k) {
        sum += static_cast<double>(each.reconstruction[row * samples + k]);
      }
      CHECK(mean.reconstruction[row] == static_cast<float>(sum / static_cast<double>(samples)));
      CHECK(mean.kl[row] == one.kl[row]);
    }
    const Vae other = test::open_model(test::small_model(Likelihood::bernoulli), 1024, 3);
    CHECK(
        test::same_bits(mean_elbo(other, Floats(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(some * 7)),
                                  static_cast<std::int64_t>(samples), 5)
                            .reconstruction,
                        mean.reconstruction));
  }
}

TEST_CASE("many samples come closer to the ELBO's expectation", "[vae]") {
  const Vae vae = test::open_model(test::small_model(Likelihood::bernoulli));
  const Floats x = test::some_rows(200, 7);
  const ElboTerms expected = mean_elbo(vae, x, 2000, 9);
  const auto error = [&](std::int64_t samples) {
    const ElboTerms terms = mean_elbo(vae, x, samples, 10);
    double sum = 0.0;
    for (std::size_t i = 0; i < terms.kl.size(); ++i) {
      const double difference =
          static_cast<double>(terms.reconstruction[i]) - static_cast<double>(expected.reconstruction[i]);
      sum += difference * difference;
    }
    return sum;
  };
  // A hundredth in expectation; the sums over 200 rows are within a third of theirs.
  CHECK(error(100) < 0.02 * error(1));
}

TEST_CASE("what several samples cannot take is refused with its own row", "[vae]") {
  const Vae vae = test::open_model(test::small_model(Likelihood::bernoulli), 256);
  Floats x(7 * 700, 1.0f);
  x[7 * 600 + 2] = 2.5f;
  test::check_error<FileError>([&] { (void)mean_elbo(vae, x, 4, 1); }, {"row 600, column 2", "[0,1]"});
  test::check_error<ConfigError>([&] { (void)mean_elbo(vae, x, 0, 1); }, {"0 latent samples"});
}

TEST_CASE("several samples of a conditional model are told its rows' labels", "[vae]") {
  ModelFile file = test::small_model(Likelihood::bernoulli);
  file.model.conditional = true;
  file.model.condition_dim = 3;
  file.condition_names = {"a", "b", "c"};
  test::initialize(file, 11);
  const Vae vae = test::open_model(file, 256);
  const Floats x = test::some_rows(120, 7);
  Dataset one(x, 120, 7);
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 120; ++i) labels.push_back(i % 3);
  one.set_labels(labels, {"a", "b", "c"});
  Floats twice;
  std::vector<std::int32_t> labels_twice;
  for (std::size_t row = 0; row < 120; ++row) {
    for (int k = 0; k < 2; ++k) {
      twice.insert(twice.end(), x.begin() + static_cast<std::ptrdiff_t>(row * 7),
                   x.begin() + static_cast<std::ptrdiff_t>(row * 7 + 7));
      labels_twice.push_back(labels[row]);
    }
  }
  Dataset both(twice, 240, 7);
  both.set_labels(labels_twice, {"a", "b", "c"});
  Floats mean;
  vae.elbo(*rows_of(one), 2, 3,
           [&](const ElboBlock& block) { mean.insert(mean.end(), block.kl.begin(), block.kl.end()); });
  Floats each;
  vae.elbo(*rows_of(both), 3,
           [&](const ElboBlock& block) { each.insert(each.end(), block.kl.begin(), block.kl.end()); });
  REQUIRE(mean.size() == 120);
  for (std::size_t row = 0; row < 120; ++row) CHECK(mean[row] == each[2 * row]);
}

}  // namespace vaecuda
