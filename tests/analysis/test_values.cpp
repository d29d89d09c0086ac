// What Thrust measures of a data set in device memory against what the host measures of it: the same bits.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "analysis/bench.hpp"
#include "host/data/host_values.hpp"
#include "host/data/prepare.hpp"
#include "host/train/session.hpp"
#include "support/catch.hpp"
#include "vaecuda/error.hpp"

namespace {

using namespace vaecuda;

std::uint64_t bits_of(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

Dataset floats(std::int64_t rows, std::int64_t columns, double width, std::uint32_t seed) {
  std::mt19937 bits(seed);
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const double unit = static_cast<double>(bits()) / 4294967296.0 - 0.3;
    values.push_back(i % 11 == 0 ? 0.0f : static_cast<float>(unit * std::exp2(width * unit)));
  }
  return Dataset(std::move(values), rows, columns);
}

Dataset bytes(std::int64_t rows, std::int64_t columns, std::uint32_t seed) {
  std::mt19937 bits(seed);
  std::vector<std::uint8_t> values;
  for (std::int64_t i = 0; i < rows * columns; ++i) values.push_back(static_cast<std::uint8_t>(bits() % 256));
  return Dataset(std::move(values), rows, columns);
}

void check_equal(const Dataset& data, float scale) {
  const auto backend = test::thrust_backend();
  const auto resident = backend->make_resident(data);
  const std::int64_t held = backend->allocated_bytes();
  const ValueStatistics& there = *resident->values();
  const data::HostValues here(data);
  const math::ValueTotals totals = there.totals();
  CHECK(totals.largest == here.totals().largest);
  CHECK(totals.exponents == here.totals().exponents);
  CHECK(totals.count == here.totals().count);
  for (const auto& [least, most] : {std::pair{0.0f, 1.0f}, {-1e30f, 1e30f}, {0.2f, 0.21f}, {-0.1f, 0.69f}}) {
    CHECK(there.first_outside(scale, least, most) == here.first_outside(scale, least, most));
  }
  const std::vector<math::ColumnMoments> moments = there.columns(scale);
  const std::vector<math::ColumnMoments> expected = here.columns(scale);
  REQUIRE(moments.size() == expected.size());
  std::size_t equal = 0;
  for (std::size_t c = 0; c < moments.size(); ++c) {
    equal += bits_of(moments[c].mean) == bits_of(expected[c].mean) &&
                     bits_of(moments[c].squares) == bits_of(expected[c].squares) &&
                     moments[c].varies == expected[c].varies
                 ? 1
                 : 0;
  }
  CHECK(equal == expected.size());
  CHECK(backend->allocated_bytes() == held);
}

}  // namespace

TEST_CASE("Thrust measures values to the last bit as the host does", "[analysis][values]") {
  // Around the rows that are loaded ahead of their use, and one column or row alone.
  for (const std::int64_t rows : {1, 15, 16, 17, 33, 1000}) {
    for (const std::int64_t columns : {1, 3, 50}) {
      INFO(rows << " rows of " << columns << " columns");
      check_equal(floats(rows, columns, 2.0, 5), 1.0f);
      check_equal(floats(rows, columns, 90.0, 6), 0.37f);
      check_equal(bytes(rows, columns, 7), 1.0f / 255.0f);
    }
  }
  check_equal(Dataset(std::vector<float>(60, 2.5f), 20, 3), 1.0f);    // constant columns
  check_equal(Dataset(std::vector<float>(60, 0.0f), 20, 3), 1.0f);    // of no scale
  check_equal(Dataset(std::vector<float>(60, 1e-42f), 20, 3), 1.0f);  // denormal
  check_equal(Dataset(std::vector<std::uint8_t>(60, 0), 20, 3), 1.0f);
}

TEST_CASE("Thrust finds the first value out of a range, NaN included", "[analysis][values]") {
  const auto backend = test::thrust_backend();
  constexpr std::int64_t kRows = 40;
  constexpr std::int64_t kColumns = 25;
  for (const float bad : {-1e-6f, 1.0000001f, std::numeric_limits<float>::infinity(), std::nanf("")}) {
    for (const std::size_t at : {0U, 1U, 499U, 999U}) {
      std::vector<float> values(kRows * kColumns, 0.5f);
      values[at] = bad;
      values.back() = bad;
      const Dataset data(values, kRows, kColumns);
      const auto resident = backend->make_resident(data);
      INFO(bad << " at " << at);
      CHECK(resident->values()->first_outside(1.0f, 0.0f, 1.0f) == static_cast<std::int64_t>(at));
    }
  }
  const Dataset fit(std::vector<float>(kRows * kColumns, 1.0f), kRows, kColumns);
  CHECK(!backend->make_resident(fit)->values()->first_outside(1.0f, 0.0f, 1.0f));
}

namespace {

RunConfig config_of(const Dataset& data) {
  RunConfig config;
  config.model.input_dim = data.columns();
  config.model.hidden = {8};
  config.model.latent_dim = 2;
  config.model.likelihood = Likelihood::gaussian;
  config.train.batch_size = 16;
  config.data.standardize = true;
  config.data.valid_fraction = 0.1;
  return config;
}

/// Prepared with the training rows on a device, which keeps them.
struct OnDevice {
  std::shared_ptr<Backend> backend = test::thrust_backend();
  std::unique_ptr<ResidentData> resident;

  PreparedData prepare(const RunConfig& config, const Dataset& data) {
    return prepare_data(config, {data, {}, {}}, {}, [this](const Dataset& train) {
      resident = backend->make_resident(train);
      return resident->values();
    });
  }
};

}  // namespace

TEST_CASE("rows are prepared alike wherever they are measured", "[analysis][values]") {
  Dataset data = floats(200, 6, 3.0, 9);
  const RunConfig config = config_of(data);
  const PreparedData here = prepare_data(config, {data, {}, {}});
  OnDevice device;
  const PreparedData there = device.prepare(config, data);
  REQUIRE(device.resident != nullptr);
  CHECK(there.preparation.mean == here.preparation.mean);
  CHECK(there.preparation.inverse_deviation == here.preparation.inverse_deviation);
  CHECK(there.preparation.scale == here.preparation.scale);
  CHECK(there.sizes == here.sizes);
  CHECK(there.warnings == here.warnings);

  // The session trains on the very copy that was measured.
  RunClock clock;
  clock.rows = there.train.rows();
  clock.batch = config.train.batch_size;
  clock.total_steps = 3;
  const std::int64_t held = device.backend->allocated_bytes();
  Session session(device.backend, config, there, clock, std::move(device.resident));
  const std::shared_ptr<Backend> other = test::thrust_backend();
  Session again(other, config, here, clock);
  CHECK(held == static_cast<std::int64_t>(there.train.f32().size_bytes()));
  CHECK(device.backend->allocated_bytes() == other->allocated_bytes());
  for (Session* each : {&session, &again}) {
    std::vector<float> start(static_cast<std::size_t>(each->layout().size), 0.01f);
    each->write(ParameterStore::Part::parameters, start);
    each->program().run(3);
  }
  CHECK(session.read(ParameterStore::Part::parameters) == again.read(ParameterStore::Part::parameters));
}

TEST_CASE("a value that does not suit is refused with the same words", "[analysis][values]") {
  std::vector<float> values(300, 0.25f);
  values[77] = 1.5f;
  values[200] = -3.0f;
  const Dataset data(values, 100, 3);
  RunConfig config = config_of(data);
  config.model.likelihood = Likelihood::bernoulli;
  config.data.standardize = false;
  const auto words_of = [](const auto& prepare) {
    try {
      static_cast<void>(prepare());
    } catch (const FileError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  OnDevice device;
  const std::string here = words_of([&] { return prepare_data(config, {data, {}, {}}); });
  CHECK(here.find("1.5 lies outside") != std::string::npos);
  CHECK(words_of([&] { return device.prepare(config, data); }) == here);

  config.data.binarize = BinarizeMode::threshold;
  const Dataset below(std::vector<float>(300, 0.25f), 100, 3);
  const std::string one_side = words_of([&] { return prepare_data(config, {below, {}, {}}); });
  CHECK(one_side.find("makes 0 of every value") != std::string::npos);
  CHECK(words_of([&] { return device.prepare(config, below); }) == one_side);
}
