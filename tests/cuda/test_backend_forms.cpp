// Activations and gradients that are read in fp32, in bfloat16, or in both, by one op or by several.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cuda/test_backend.hpp"

using namespace vaecuda;
using math::ActivationKind;
using simt::EpilogueSupport;

namespace {

constexpr std::int64_t kBatch = 24;
constexpr std::int64_t kWidth = 16;
constexpr std::int64_t kLayerSize = kWidth * kWidth + kWidth;
constexpr std::int64_t kLayers = 4;

LinearParameters layer(std::int64_t i) {
  const std::int64_t weight = i * kLayerSize;
  return {.name = "layer." + std::to_string(i),
          .out = kWidth,
          .in = kWidth,
          .weight = weight,
          .bias = weight + kWidth * kWidth};
}

/// A training step over square matrices that come from the host and go back to it.
class SquarePlan {
 public:
  SquarePlan() {
    plan_.name = "squares";
    plan_.batch = kBatch;
    plan_.parameter_size = kLayers * kLayerSize;
  }
  View matrix(const char* name) {
    return plan_.whole(plan_.add_buffer(name, BufferKind::activation, kBatch, kWidth));
  }
  View loaded(const char* name) {
    const View view = matrix(name);
    loads_.push_back(exchange());
    plan_.ops.emplace_back(LoadRows{loads_.back(), view});
    return view;
  }
  void store(const View& view) {
    stores_.push_back(exchange());
    plan_.ops.emplace_back(StoreRows{view, stores_.back()});
  }
  void add(const Op& op) { plan_.ops.push_back(op); }

  /// The gradients of all parameters, then what was stored.
  std::vector<float> run(Backend& backend) {
    Plan plan = plan_;
    const auto column = [&](const char* name) {
      return plan.whole(plan.add_buffer(name, BufferKind::activation, kBatch, 1));
    };
    AdamUpdate adam{};
    adam.constants = {.beta1 = 0.0f,
                      .beta2 = 0.0f,
                      .epsilon = 1e-8f,
                      .weight_decay = 0.0f,
                      .decoupled = false};  // the first moment is the gradient itself
    adam.ranges = {{0, plan.parameter_size}};
    AdvanceStep advance;
    const View nll = column("nll");
    const View kl = column("kl");
    advance.loss = test::elbo_rows(nll, kl);
    advance.beta1 = 0.0;
    advance.beta2 = 0.0;
    for (const View& view : {nll, kl}) {
      const View zeros = plan.whole(plan.add_buffer("zeros", BufferKind::exchange, kBatch, 1));
      plan.ops.emplace_back(LoadRows{zeros, view});
    }
    plan.ops.emplace_back(adam);
    plan.ops.emplace_back(advance);
    const auto store = backend.make_parameters(plan.parameter_size, true);
    store->write(ParameterStore::Part::parameters, test::noise(plan.parameter_size, 11, 0.4));
    const auto program = backend.compile(plan, *store, nullptr);
    std::uint64_t seed = 12;
    for (const View& view : loads_) program->write(view.buffer, test::noise(kBatch * kWidth, seed++, 1.0));
    program->run(1);
    std::vector<float> all(static_cast<std::size_t>(plan.parameter_size));
    store->read(ParameterStore::Part::moment1, all);
    for (const View& view : stores_) {
      std::vector<float> values(static_cast<std::size_t>(kBatch * kWidth));
      program->read(view.buffer, values);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

 private:
  View exchange() { return plan_.whole(plan_.add_buffer("rows", BufferKind::exchange, kBatch, kWidth)); }

  Plan plan_;
  std::vector<View> loads_;
  std::vector<View> stores_;
};

/// Within three times what was measured, 3.8e-7 and 1.3e-2.
void check_on_device(SquarePlan plan) {
  const std::vector<float> cpu = plan.run(*make_cpu_backend(1));
  CHECK(std::count(cpu.begin(), cpu.end(), 0.0f) < static_cast<std::ptrdiff_t>(cpu.size() / 2));
  for (const EpilogueSupport epilogues : test::epilogue_supports()) {
    for (const Precision precision : {Precision::fp32, Precision::bf16}) {
      INFO(test::name_of(epilogues) << ", precision " << static_cast<int>(precision));
      const std::vector<float> device = plan.run(*test::setup_of(epilogues, precision).make());
      CHECK(test::difference(device, cpu) <= (precision == Precision::fp32 ? 1.2e-6 : 0.04));
    }
  }
}

constexpr ActivationKind kKinds[] = {ActivationKind::relu, ActivationKind::gelu_tanh,
                                     ActivationKind::identity, ActivationKind::silu};

/// Layer 0 from x to h, with what its derivative needs.
Linear add_forward(SquarePlan& plan, ActivationKind kind) {
  Linear forward{.in = plan.loaded("x"),
                 .layer = layer(0),
                 .out = plan.matrix("h"),
                 .activation = kind,
                 .preactivation = {}};
  if (math::saves_preactivation(kind)) forward.preactivation = plan.matrix("pre");
  plan.add(forward);
  return forward;
}

View saved_of(const Linear& forward) {
  return forward.preactivation.valid() ? forward.preactivation : forward.out;
}

}  // namespace

TEST_CASE("several layers go back through one activation", "[forms]") {
  for (const ActivationKind kind : kKinds) {
    INFO("activation " << static_cast<int>(kind));
    SquarePlan plan;
    const Linear forward = add_forward(plan, kind);
    for (const std::int64_t i : {1, 2}) {
      const LinearBackward backward{.d = plan.loaded("d"),
                                    .in = forward.out,
                                    .layer = layer(i),
                                    .dx = plan.matrix("dx"),
                                    .activation = kind,
                                    .saved = saved_of(forward)};
      plan.add(backward);
      plan.add(LinearBackward{.d = backward.dx,
                              .in = forward.in,
                              .layer = layer(i == 1 ? 0 : 3),
                              .dx = {},
                              .activation = {},
                              .saved = {}});
    }
    check_on_device(plan);
  }
}

TEST_CASE("a gradient is stored and goes back further", "[forms]") {
  for (const ActivationKind kind : kKinds) {
    INFO("activation " << static_cast<int>(kind));
    SquarePlan plan;
    const Linear forward = add_forward(plan, kind);
    plan.store(forward.out);
    const LinearBackward backward{.d = plan.loaded("d"),
                                  .in = forward.out,
                                  .layer = layer(1),
                                  .dx = plan.matrix("dx"),
                                  .activation = kind,
                                  .saved = saved_of(forward)};
    plan.add(backward);
    plan.store(backward.dx);
    plan.add(LinearBackward{
        .d = backward.dx, .in = forward.in, .layer = layer(0), .dx = {}, .activation = {}, .saved = {}});
    check_on_device(plan);
  }
}

TEST_CASE("a gradient takes the place of what its layer has read", "[forms]") {
  SquarePlan plan;
  const View in = plan.loaded("in");
  plan.add(LinearBackward{
      .d = plan.loaded("d"), .in = in, .layer = layer(0), .dx = in, .activation = {}, .saved = {}});
  plan.store(in);
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    SquarePlan apart;
    const View own = apart.loaded("in");
    const View dx = apart.matrix("dx");
    apart.add(LinearBackward{
        .d = apart.loaded("d"), .in = own, .layer = layer(0), .dx = dx, .activation = {}, .saved = {}});
    apart.store(dx);
    const test::SimtSetup setup = test::setup_of(EpilogueSupport::all, precision);
    CHECK(test::compare_bits(plan.run(*setup.make()), apart.run(*setup.make())) == "");
  }
}
