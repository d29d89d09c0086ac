// A row has the same bits in every block that inference computes, of 1, 8, 32 and 256 rows, with every table
// of products of our own that this processor runs.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/cpu/compile.hpp"
#include "host/cpu/loops.hpp"
#include "host/plan/builder.hpp"
#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;

namespace {

constexpr std::int64_t kRows = 256;
constexpr std::int64_t kColumns = 75;  // neither a whole vector nor a whole strip
constexpr std::int64_t kClasses = 3;

struct Variant {
  const char* name;
  void (*apply)(ModelConfig& model, Preparation& preparation);
};
const std::vector<Variant> kVariants = {
    {"defaults", [](ModelConfig&, Preparation&) {}},
    {"wide layers",
     [](ModelConfig& m, Preparation&) {
       m.hidden = {1100, 130};
     }},
    {"gelu, stochastic bits",
     [](ModelConfig& m, Preparation& p) {
       m.activation = Activation::gelu;
       p.binarize = Binarize::stochastic;
     }},
    {"silu, sigma by the head, standardized",
     [](ModelConfig& m, Preparation& p) {
       m.activation = Activation::silu;
       m.likelihood = Likelihood::gaussian;
       m.sigma_source = SigmaSource::head;
       p.mean.assign(kColumns, 0.25f);
       p.inverse_deviation.assign(kColumns, 1.5f);
     }},
    {"tanh, laplace",
     [](ModelConfig& m, Preparation&) {
       m.activation = Activation::tanh;
       m.likelihood = Likelihood::laplace;
     }},
    {"conditional", [](ModelConfig& m, Preparation&) { m.condition_dim = kClasses; }},
    {"deterministic", [](ModelConfig& m, Preparation&) { m.latent = LatentKind::deterministic; }},
    {"quantized",
     [](ModelConfig& m, Preparation&) {
       m.latent = LatentKind::vq;
       m.latent_dim = 12;
       m.codebook_size = 20;
       m.codebooks = 2;
     }},
};

/// A model and rows for it, on one table.
struct Bench {
  ModelConfig config;
  Preparation preparation;
  ParameterLayout layout;
  std::vector<float> rows = test::noise(kRows * kColumns, 7, 0.3);
  std::vector<float> condition = test::noise(kRows * kClasses, 9, 1.0);
  std::shared_ptr<cpu::ByteCounter> counter = std::make_shared<cpu::ByteCounter>(0);
  std::unique_ptr<cpu::CpuParameters> store;

  explicit Bench(const Variant& variant) {
    config.input_dim = kColumns;
    config.hidden = {70};
    config.latent_dim = 9;
    variant.apply(config, preparation);
    layout = make_layout(config);
    for (float& v : rows) v = std::clamp(v + 0.5f, 0.0f, 1.0f);
    std::vector<float> parameters(static_cast<std::size_t>(layout.size));
    initialize_parameters(layout, config, 3, parameters.data());
    store = std::make_unique<cpu::CpuParameters>(layout.size, false, counter);
    store->write(ParameterStore::Part::parameters, parameters);
  }

  struct Result {
    std::string buffer;
    std::vector<float> values;
  };
  /// All exchange buffers that a plan fills, over the rows from `first` on.
  [[nodiscard]] std::vector<Result> run(const Plan& plan, const cpu::Loops& loops, std::int64_t first,
                                        std::int64_t count) const {
    const auto program = cpu::compile_plan({.plan = plan,
                                            .parameters = *store,
                                            .data = nullptr,
                                            .loops = loops,
                                            .counter = counter,
                                            .threads = 1,
                                            .algorithms = {},
                                            .regions = nullptr});
    program->set_position(first, first);
    const auto give = [&](const char* name, const std::vector<float>& from, std::int64_t columns) {
      for (std::size_t b = 0; b < plan.buffers.size(); ++b) {
        if (plan.buffers[b].name != name) continue;
        program->write(static_cast<int>(b),
                       std::span(from).subspan(static_cast<std::size_t>(first * columns),
                                               static_cast<std::size_t>(count * columns)));
      }
    };
    give("rows.raw", rows, kColumns);
    give("rows.z", rows, config.latent_dim);
    give("rows.condition", condition, kClasses);
    program->run((count + plan.batch - 1) / plan.batch);
    std::vector<Result> results;
    for (std::size_t b = 0; b < plan.buffers.size(); ++b) {
      const Buffer& buffer = plan.buffers[b];
      if (buffer.kind != BufferKind::exchange) continue;
      std::vector<float> values(static_cast<std::size_t>(count * buffer.cols));
      program->read(static_cast<int>(b), values);
      results.push_back({plan.name + " " + buffer.name, std::move(values)});
    }
    return results;
  }

  /// All passes over a number of rows, in blocks of so many.
  [[nodiscard]] std::vector<Plan> plans(std::int64_t capacity, std::int64_t block) const {
    DataShape shape{capacity, ElementType::f32, true};
    shape.block = block;
    std::vector<Plan> all;
    all.push_back(build_encode_plan(layout, config, preparation, shape));
    all.push_back(build_decode_plan(layout, config, capacity, block));
    all.push_back(build_reconstruct_plan(layout, config, preparation, shape));
    all.push_back(build_evaluation_plan(layout, config, preparation, shape, 5));
    if (config.latent == LatentKind::gaussian) {
      all.push_back(build_log_likelihood_plan(layout, config, preparation, shape, 6, 5));
    }
    return all;
  }
};

/// Products of `rows` rows, with two columns of guards behind each row, and the strips that were told of.
struct Forward {
  std::vector<float> y;
  std::vector<std::array<std::int64_t, 2>> strips;
};
Forward forward(const cpu::Products& products, const float* x, const std::vector<float>& w, std::int64_t rows,
                std::int64_t n, std::int64_t k) {
  Forward result;
  result.y.assign(static_cast<std::size_t>(rows * (n + 2)), test::guard_value());
  std::vector<float> scratch(static_cast<std::size_t>(products.scratch_size(0, 0, k)) + 16);
  const auto place = reinterpret_cast<std::uintptr_t>(scratch.data());
  const auto note = [&result](std::int64_t column, std::int64_t columns) {
    result.strips.push_back({column, columns});
  };
  products.forward({x, k}, {w.data(), k}, {result.y.data(), n + 2}, rows, n, k,
                   scratch.data() + (64 - place % 64) % 64 / sizeof(float), cpu::StripDone(note));
  return result;
}

}  // namespace

TEST_CASE("a row has the same bits in blocks of 1, 8, 32 and 256 rows, with every table of our own",
          "[small][products]") {
  int tables = 0;
  for (const cpu::Loops* loops : cpu::supported_loops()) {
    if (&loops->products() == &cpu::blas_products())
      continue;  // its bits depend on the block: has_small_blocks
    ++tables;
    for (const Variant& variant : kVariants) {
      const Bench bench(variant);
      const std::vector<Plan> whole = bench.plans(kRows, kInferenceBatch);
      std::vector<std::vector<Bench::Result>> expected;
      for (const Plan& plan : whole) expected.push_back(bench.run(plan, *loops, 0, kRows));
      struct Part {
        std::int64_t capacity;
        std::int64_t block;
        std::int64_t first;
        std::int64_t count;
      };
      for (const Part& part : {Part{1, 1, 0, 1},
                               {1, 1, 201, 1},
                               {8, 8, 40, 8},
                               {8, 8, 251, 5},
                               {32, 32, 100, 32},
                               {128, 32, 3, 77}}) {
        const std::vector<Plan> plans = bench.plans(part.capacity, part.block);
        for (std::size_t p = 0; p < plans.size(); ++p) {
          const std::vector<Bench::Result> results = bench.run(plans[p], *loops, part.first, part.count);
          REQUIRE(results.size() == expected[p].size());
          for (std::size_t r = 0; r < results.size(); ++r) {
            const std::vector<float>& all = expected[p][r].values;
            const auto columns = static_cast<std::int64_t>(all.size()) / kRows;
            const auto begin = all.begin() + part.first * columns;
            INFO(loops->name << ", " << variant.name << ", " << results[r].buffer << ", " << part.count
                             << " rows from " << part.first << " in blocks of " << part.block);
            REQUIRE(test::compare_bits(results[r].values, {begin, begin + part.count * columns}) == "");
          }
        }
      }
    }
  }
  // Every processor with AVX2 has at least one.
  CHECK((tables > 0) == (cpu::supported_loops().size() > 1));
}

TEST_CASE("a product of one row has the bits and the strips of the same row in a block",
          "[small][products]") {
  constexpr std::int64_t kBlock = 14;
  // Its weights are read by groups of vectors, and what is left over in other ways.
  for (const cpu::Loops* loops : cpu::supported_loops()) {
    const cpu::Products& products = loops->products();
    if (&products == &cpu::blas_products()) continue;
    for (const std::int64_t n : {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 127, 128, 129, 203}) {
      for (const std::int64_t k : {1, 5, 7, 8, 9, 15, 16, 17, 31, 33, 80, 100, 256, 1024, 1029}) {
        const std::vector<float> x = test::noise(kBlock * k, 1, 1.0);
        const std::vector<float> w = test::noise(n * k, 2, 1.0);
        const Forward block = forward(products, x.data(), w, kBlock, n, k);
        for (const std::int64_t row : {0, 13}) {
          const Forward one = forward(products, x.data() + row * k, w, 1, n, k);
          const auto begin = block.y.begin() + row * (n + 2);
          INFO(loops->name << ", row " << row << ", " << n << " columns over " << k);
          REQUIRE(test::compare_bits(one.y, {begin, begin + n + 2}) == "");
          REQUIRE(one.strips == block.strips);
        }
      }
    }
  }
}

TEST_CASE("where OpenBLAS makes the products, few rows keep the full block", "[small]") {
  const auto backend = make_cpu_backend(1);
  CHECK(backend->has_small_blocks() == (&cpu::select_loops().products() != &cpu::blas_products()));
}
