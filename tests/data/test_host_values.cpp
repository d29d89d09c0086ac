// What the host measures of sparse rows is what it measures of the same rows, dense.
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "host/data/host_values.hpp"
#include "support/catch.hpp"
#include "support/sparse.hpp"

namespace {

using namespace vaecuda;
using Floats = std::vector<float>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// About so many of a hundred values are other than 0; column 0 is all zeros, column 1 all threes.
Floats mostly_zeros(std::int64_t rows, std::int64_t columns, unsigned hundredths) {
  std::mt19937 bits(4);
  Floats values;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const bool is_other = bits() % 100 < hundredths;
    const float drawn = is_other ? static_cast<float>(bits() % 64) - 20.5f : 0.0f;
    values.push_back(i % columns == 0 ? 0.0f : i % columns == 1 ? 3.0f : drawn);
  }
  return values;
}

}  // namespace

TEST_CASE("sparse rows are measured as dense ones are", "[values]") {
  constexpr std::int64_t kColumns = 7;
  for (const std::int64_t rows : {1, 30}) {
    for (const unsigned hundredths : {0U, 10U, 100U}) {
      INFO(rows << " rows, " << hundredths << " of 100 values other than 0");
      const Floats values = mostly_zeros(rows, kColumns, hundredths);
      const Dataset dense(values, rows, kColumns);
      const Dataset sparse(test::sparse_of(values, rows, kColumns));
      const data::HostValues of_dense(dense);
      const data::HostValues of_sparse(sparse);
      CHECK(of_sparse.totals().largest == of_dense.totals().largest);
      CHECK(of_sparse.totals().exponents == of_dense.totals().exponents);
      CHECK(of_sparse.totals().count == of_dense.totals().count);
      for (const auto& [least, most] : {std::pair{0.0f, 1.0f},
                                        {-kInfinity, 0.5f},
                                        {0.51f, kInfinity},
                                        {3.0f, 3.0f},
                                        {-30.0f, 0.0f},
                                        {-kInfinity, kInfinity}}) {
        INFO("outside of " << least << " to " << most);
        CHECK(of_sparse.first_outside(1.0f, least, most) == of_dense.first_outside(1.0f, least, most));
      }
      const std::vector<math::ColumnMoments> expected = of_dense.columns(0.5f);
      const std::vector<math::ColumnMoments> found = of_sparse.columns(0.5f);
      REQUIRE(found.size() == expected.size());
      for (std::size_t c = 0; c < expected.size(); ++c) {
        INFO("column " << c);
        CHECK(found[c].varies == expected[c].varies);
        CHECK(found[c].mean == expected[c].mean);
        // The zeros come last, in one product.
        CHECK(found[c].squares == Approx(expected[c].squares).epsilon(1e-13));
      }
    }
  }
}
