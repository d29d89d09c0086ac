// Rows that are kept sparse: what is kept, what is refused, and that they are the same rows as dense ones.
#include "vaecuda/sparse.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/data/fingerprint.hpp"
#include "host/data/prepare.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/sparse.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using test::dense_of;
using test::sparse_of;
using Begins = std::vector<std::int64_t>;
using Floats = std::vector<float>;
using Narrow = std::vector<std::uint16_t>;
using Wide = std::vector<std::uint32_t>;
using Bytes = std::vector<std::uint8_t>;

TEST_CASE("sparse rows are kept in the smallest types that hold them") {
  const SparseRows bytes(Begins{0, 2, 2, 3}, Wide{0, 3, 1}, Floats{255, 1, 7}, 4);
  CHECK(bytes.rows() == 3);
  CHECK(bytes.columns() == 4);
  CHECK(bytes.stored() == 3);
  CHECK(std::get<Narrow>(bytes.column_indices()) == Narrow{0, 3, 1});
  CHECK(std::get<Bytes>(bytes.values()) == Bytes{255, 1, 7});
  CHECK(bytes.bytes() == 4 * 8 + 3 * 2 + 3);

  const SparseRows counts(Begins{0, 1}, Narrow{65535}, Floats{65535}, 65536);
  CHECK(std::holds_alternative<Narrow>(counts.column_indices()));
  CHECK(std::get<Narrow>(counts.values()) == Narrow{65535});
  const SparseRows wide(Begins{0, 1}, Narrow{65535}, Narrow{200}, 65537);
  CHECK(std::get<Wide>(wide.column_indices()) == Wide{65535});
  CHECK(std::get<Bytes>(wide.values()) == Bytes{200});
  for (const float other : {0.5f, -1.0f, 65536.0f, std::numeric_limits<float>::quiet_NaN()}) {
    const SparseRows floats(Begins{0, 2}, Wide{0, 1}, Floats{1, other}, 2);
    CHECK(std::holds_alternative<Floats>(floats.values()));
  }
  CHECK(SparseRows().rows() == 0);
  CHECK(SparseRows(Begins{0}, Wide{}, Floats{}, 5).rows() == 0);
}

TEST_CASE("zeros that are stored are dropped") {
  const SparseRows rows(Begins{0, 3, 4, 6}, Wide{0, 1, 2, 1, 0, 2}, Floats{0, 5, -0.0f, 0, 3, 4}, 3);
  CHECK(std::vector<std::int64_t>(rows.row_begin().begin(), rows.row_begin().end()) == Begins{0, 1, 1, 3});
  CHECK(std::get<Narrow>(rows.column_indices()) == Narrow{1, 0, 2});
  CHECK(std::get<Bytes>(rows.values()) == Bytes{5, 3, 4});
}

TEST_CASE("parts that are no sparse rows are refused with their place") {
  const auto make = [](Begins begins, Wide columns, Floats values, std::int64_t width) {
    return [=] { (void)SparseRows(begins, columns, values, width); };
  };
  check_error<ConfigError>(make({0, 1}, {3}, {1}, 3), {"row 0", "column 3", "3 columns"});
  check_error<ConfigError>(make({0, 1, 3}, {0, 2, 1}, {1, 1, 1}, 3), {"row 1", "column 1 behind column 2"});
  check_error<ConfigError>(make({0, 2}, {1, 1}, {1, 1}, 3), {"row 0", "column 1 behind column 1"});
  check_error<ConfigError>(make({0, 2, 1}, {0}, {1}, 3), {"row 1", "begins at 2 and ends at 1"});
  check_error<ConfigError>(make({0, 2}, {0}, {1}, 3), {"1 column indices and 1 values", "end at 2"});
  check_error<ConfigError>(make({0, 1}, {0}, {1, 2}, 3), {"1 column indices and 2 values"});
  check_error<ConfigError>(make({1, 1}, {}, {}, 3), {"start with 0"});
  check_error<ConfigError>(make({}, {}, {}, 3), {"start with 0"});
  check_error<ConfigError>(make({0}, {}, {}, 0), {"0 columns"});
  check_error<ConfigError>([] { (void)Dataset(SparseRows()); }, {"without columns"});
}

TEST_CASE("a sparse data set has the rows, selections and blocks of a dense one") {
  for (const std::uint32_t most : {9U, 3000U, 70000U}) {
    const std::int64_t rows = 37;
    const std::int64_t columns = 23;
    const Floats values = test::some_counts(rows, columns, most);
    Dataset dense(values, rows, columns);
    Dataset sparse(sparse_of(values, rows, columns));
    CHECK(sparse.type() == ElementType::sparse);
    CHECK(sparse.u8().empty());
    CHECK(sparse.f32().empty());
    CHECK(sparse.stored() == rows * columns - std::count(values.begin(), values.end(), 0.0f));
    CHECK(dense.stored() == rows * columns);
    CHECK(sparse.bytes() == sparse.sparse().bytes());
    std::vector<std::int32_t> labels;
    std::vector<std::string> names;
    for (std::int32_t row = 0; row < rows; ++row) labels.push_back(row % 3);
    for (std::int64_t column = 0; column < columns; ++column) names.push_back("c" + std::to_string(column));
    for (Dataset* data : {&dense, &sparse}) {
      data->set_labels(labels, {"a", "b", "c"});
      data->set_column_names(names);
    }
    CHECK(dense_of(sparse) == values);
    const std::vector<std::int64_t> chosen = {36, 0, 5, 5, 17};
    CHECK(dense_of(sparse.select(chosen)) == dense_of(dense.select(chosen)));
    CHECK(sparse.select(chosen).labels()[0] == 0);
    CHECK(sparse.select({}).rows() == 0);
    const std::vector<std::int64_t> picked = {22, 3, 3, 0, 11, 10};
    CHECK(dense_of(sparse.select_columns(picked)) == dense_of(dense.select_columns(picked)));
    CHECK(sparse.select_columns(picked).column_names() == dense.select_columns(picked).column_names());
    const std::vector<std::int64_t> bad = {23};
    check_error<ConfigError>([&] { (void)sparse.select_columns(bad); }, {"column 23"});
    check_error<ConfigError>([&] { (void)sparse.select(std::vector<std::int64_t>{37}); }, {"row 37"});
    Floats row(static_cast<std::size_t>(columns));
    check_error<ConfigError>([&] { sparse.copy_row(37, row); }, {"row 37"});
    check_error<ConfigError>([&] { sparse.copy_row(0, std::span(row).first(3)); }, {"room for 3 values"});

    const std::unique_ptr<RowSource> one = rows_of(sparse);
    const std::unique_ptr<RowSource> other = rows_of(dense);
    for (bool more = true; more;) {
      const auto found = one->next(8);
      const auto expected = other->next(8);
      REQUIRE(Floats(found.begin(), found.end()) == Floats(expected.begin(), expected.end()));
      CHECK(one->labels().size() == other->labels().size());
      more = !found.empty();
    }
    std::unique_ptr<RowSource> again = rows_of(sparse);
    CHECK(dense_of(take_rows(*again, chosen)) == dense_of(dense.select(chosen)));
  }
}

TEST_CASE("a fingerprint tells sparse rows apart") {
  const auto print = [](Begins begins, Wide columns, Floats values) {
    return fingerprint(Dataset(SparseRows(std::move(begins), std::move(columns), std::move(values), 4)), 1);
  };
  const std::uint64_t first = print({0, 1, 2}, {0, 1}, {1, 2});
  CHECK(first == print({0, 1, 2}, {0, 1}, {1, 2}));
  CHECK(first != print({0, 2, 2}, {0, 1}, {1, 2}));
  CHECK(first != print({0, 1, 2}, {0, 2}, {1, 2}));
  CHECK(first != print({0, 1, 2}, {0, 1}, {1, 3}));
}

RunData training_rows(Dataset train) {
  RunData rows;
  rows.train = std::move(train);
  return rows;
}

RunConfig counts_config() {
  RunConfig config;
  config.model.likelihood = Likelihood::gaussian;
  config.data.valid_fraction = 0.25;
  return config;
}

TEST_CASE("preparing sparse rows gives what preparing dense rows gives") {
  const std::int64_t rows = 60;
  const std::int64_t columns = 11;
  Floats values = test::some_counts(rows, columns, 200);
  for (std::int64_t row = 0; row < rows; ++row) {
    values[static_cast<std::size_t>(row * columns)] = 0.0f;      // never stored
    values[static_cast<std::size_t>(row * columns + 1)] = 3.0f;  // always, and constant
  }
  for (const bool standardize : {false, true}) {
    RunConfig config = counts_config();
    config.data.standardize = standardize;
    const PreparedData dense = prepare_data(config, training_rows(Dataset(values, rows, columns)));
    const PreparedData sparse =
        prepare_data(config, training_rows(Dataset(sparse_of(values, rows, columns))));
    CHECK(sparse.train.type() == ElementType::sparse);
    CHECK(dense_of(sparse.train) == dense_of(dense.train));
    CHECK(dense_of(*sparse.valid) == dense_of(*dense.valid));
    // Counts are no grey values, however large: those of u8 rows would be divided by 255.
    CHECK(sparse.preparation.scale == 1.0f);
    CHECK(sparse.scale == ScaleMode::none);
    CHECK(sparse.notes.empty());
    CHECK(sparse.sizes == dense.sizes);
    CHECK(sparse.warnings == dense.warnings);
    // Sums in double precision in another order.
    const auto near = [](const auto& some, const auto& others) {
      REQUIRE(some.size() == others.size());
      for (std::size_t i = 0; i < some.size(); ++i)
        CHECK(some[i] == Approx(others[i]).epsilon(1e-6).margin(1e-12));
    };
    near(sparse.preparation.mean, dense.preparation.mean);
    near(sparse.preparation.inverse_deviation, dense.preparation.inverse_deviation);
    near(prepared_means(sparse.train, sparse.preparation), prepared_means(dense.train, dense.preparation));
  }
}

TEST_CASE("values that a likelihood cannot take are found in sparse rows") {
  const std::int64_t columns = 4;
  const auto refused = [&](RunConfig config, Floats values, std::initializer_list<std::string_view> needles) {
    config.data.valid_fraction = 0.0;
    check_error<FileError>(
        [&] { (void)prepare_data(config, training_rows(Dataset(sparse_of(values, 2, columns)))); }, needles);
  };
  RunConfig config = counts_config();
  refused(config, {0, 1, 0, 0, 0, 0, std::numeric_limits<float>::infinity(), 0},
          {"row 1, column 2", "not finite"});
  config.model.likelihood = Likelihood::bernoulli;
  refused(config, {0, 1, 0, 0, 0, 0, 2, 0}, {"row 1, column 2", "the value 2 lies outside [0,1]"});
  config.data.binarize = BinarizeMode::threshold;
  refused(config, {0, 0.2f, 0, 0, 0, 0, 0.5f, 0}, {"makes 0 of every value"});
  // The zeros that are not stored are values below one half.
  config.data.valid_fraction = 0.0;
  (void)prepare_data(config, training_rows(Dataset(sparse_of({0, 1, 0, 0, 0, 0, 1, 0}, 2, columns))));
}

TEST_CASE("held-out rows may be kept otherwise than the training rows") {
  const std::int64_t rows = 40;
  const std::int64_t columns = 6;
  const Floats values = test::some_counts(rows, columns, 20);
  RunConfig config = counts_config();
  config.data.valid_fraction = 0.0;
  const auto given = [&](Dataset train, Dataset test) {
    RunData data = training_rows(std::move(train));
    data.test = std::move(test);
    return prepare_data(config, std::move(data));
  };
  const Dataset dense(values, rows, columns);
  const Dataset sparse(sparse_of(values, rows, columns));
  const Dataset bytes(Bytes(values.begin(), values.end()), rows, columns);
  for (const Dataset& train : {dense, sparse, bytes}) {
    for (const Dataset& test : {dense, sparse, bytes}) {
      const PreparedData prepared = given(train, test);
      CHECK(dense_of(*prepared.test) == values);
      CHECK(prepared.warnings.empty());
    }
  }
}

}  // namespace
}  // namespace vaecuda
