// Launches are data: whoever has a program's nodes can read what each of them computes, and on which memory.
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "cuda/test_backend.hpp"

using namespace vaecuda;
using kernels::Epilogue;
using simt::EpilogueSupport;

namespace {

std::map<std::string, kernels::GemmSpec> products_of(const std::vector<cuda::Node>& nodes) {
  std::map<std::string, kernels::GemmSpec> products;
  for (const cuda::Node& node : nodes) {
    if (const auto* product = std::get_if<cuda::Product>(&node.launch)) products[node.name] = product->spec;
  }
  return products;
}

/// The arguments of all launches of one kernel.
template <typename Args>
std::vector<Args> launches_of(const std::vector<cuda::Node>& nodes) {
  std::vector<Args> all;
  for (const cuda::Node& node : nodes) {
    if (const auto* args = std::get_if<Args>(&node.launch)) all.push_back(*args);
  }
  return all;
}

}  // namespace

TEST_CASE("products say which layer they compute, and on which memory they agree", "[launches]") {
  const test::Session session(test::setup_of(EpilogueSupport::all), test::small_bench(), test::small_data());
  const std::map<std::string, kernels::GemmSpec> products = products_of(session.cuda().nodes());
  const auto check_shape = [](const kernels::GemmSpec& spec, std::int64_t rows, std::int64_t cols,
                              std::int64_t inner, Epilogue epilogue) {
    INFO(spec.name);
    CHECK(spec.rows == rows);
    CHECK(spec.cols == cols);
    CHECK(spec.inner == inner);
    CHECK(spec.epilogue == epilogue);
  };
  const kernels::GemmSpec& first = products.at("encoder.0 forward");
  const kernels::GemmSpec& second = products.at("encoder.1 forward");
  const kernels::GemmSpec& back = products.at("encoder.1 data gradient");
  const kernels::GemmSpec& weights = products.at("encoder.1 weight gradient");
  check_shape(first, 24, 32, 50, Epilogue::relu_aux_bias);
  check_shape(second, 24, 16, 32, Epilogue::relu_aux_bias);
  check_shape(back, 24, 32, 16, Epilogue::drelu);
  check_shape(weights, 16, 32, 24, Epilogue::bgradb);
  CHECK(second.a == first.d);
  CHECK(weights.b == first.d);
  CHECK(back.b == second.b);
  CHECK(first.aux != nullptr);
  CHECK(back.aux == first.aux);
  CHECK(second.aux != first.aux);
}

TEST_CASE("the end of a step says what it updates, and of what the losses are", "[launches]") {
  const test::TrainingBench bench = test::small_bench(Activation::tanh, Likelihood::bernoulli, 0.5);
  const test::Session session(test::setup_of(EpilogueSupport::none), bench, test::small_data());
  const std::vector<cuda::Node>& nodes = session.cuda().nodes();
  const auto updates = launches_of<kernels::UpdateArgs>(nodes);
  const auto norms = launches_of<kernels::GradNormArgs>(nodes);
  const auto likelihoods = launches_of<kernels::LikelihoodArgs>(nodes);
  const auto sums = launches_of<kernels::BiasGradientArgs>(nodes);
  REQUIRE(updates.size() == 1);
  REQUIRE(norms.size() == 1);
  REQUIRE(likelihoods.size() == 1);
  REQUIRE(sums.size() == 1);
  CHECK(updates[0].elements == session.store->size());
  CHECK(updates[0].gradient == norms[0].gradient);
  CHECK(updates[0].scratch == norms[0].scratch);
  CHECK(updates[0].clipped);
  CHECK(norms[0].clip_norm == 0.5f);
  CHECK(updates[0].advance.loss.column[0].data == likelihoods[0].nll);
  CHECK(likelihoods[0].bias != nullptr);  // which its layer's product left out
  CHECK(sums[0].layers == 6);
  for (int i = 0; i < sums[0].layers; ++i) {
    const float* db = sums[0].layer[i].db;
    CHECK((db >= updates[0].gradient && db < updates[0].gradient + updates[0].elements));
  }
}

TEST_CASE("rows that a run may bind are known by their view", "[launches]") {
  const test::TrainingBench bench = test::small_bench();
  const Dataset data = test::small_data();
  const Plan plan =
      build_encode_plan(bench.layout(), bench.config.model, bench.preparation, {data.rows(), data.type()});
  std::vector<View> wanted;
  for (const Op& op : plan.ops) {
    if (const auto* store = std::get_if<StoreRows>(&op)) wanted.push_back(store->whole);
  }
  REQUIRE_FALSE(wanted.empty());
  const test::Session session(test::setup_of(EpilogueSupport::all), bench, data, plan);
  const auto stores = launches_of<cuda::Placed<kernels::StoreRowsArgs>>(session.cuda().nodes());
  REQUIRE(stores.size() == wanted.size());
  for (std::size_t i = 0; i < stores.size(); ++i) {
    CHECK(stores[i].rows.buffer == wanted[i].buffer);
    CHECK(stores[i].rows.offset == wanted[i].offset);
    CHECK(stores[i].rows.rows == data.rows());
    CHECK(stores[i].args.columns == wanted[i].cols);
    CHECK(stores[i].args.whole == nullptr);
  }
  const auto gathers = launches_of<cuda::Placed<kernels::GatherArgs>>(session.cuda().nodes());
  REQUIRE(gathers.size() == 1);
  CHECK(gathers[0].args.columns == 50);
  CHECK(gathers[0].rows.valid() == (gathers[0].args.rows == nullptr));
}
