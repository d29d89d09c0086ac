// Linear and LinearBackward against the oracle, over ragged shapes, all activations, guarded views.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/op_bench.hpp"
#include "support/oracle.hpp"
#include "support/tolerance.hpp"

using namespace vaecuda;
using math::ActivationKind;
using test::Quantity;

namespace {

struct Shape {
  std::int64_t batch;
  std::int64_t in;
  std::int64_t out;
};

const std::vector<Shape> kShapes = {{1, 1, 1},     {31, 3, 5},     {32, 5, 63},   {33, 63, 3},
                                    {257, 784, 5}, {257, 5, 784},  {33, 784, 63}, {1, 784, 63},
                                    {257, 1, 1},   {129, 63, 129}, {1030, 3, 21}};

const std::vector<std::pair<ActivationKind, oracle::Act>> kActivations = {
    {ActivationKind::identity, oracle::Act::identity}, {ActivationKind::relu, oracle::Act::relu},
    {ActivationKind::tanh, oracle::Act::tanh},         {ActivationKind::leaky_relu, oracle::Act::leaky_relu},
    {ActivationKind::gelu, oracle::Act::gelu},         {ActivationKind::gelu_tanh, oracle::Act::gelu_tanh},
    {ActivationKind::silu, oracle::Act::silu}};

// A layer somewhere in the middle of the arena, 64-byte aligned, gaps before, between and after.
struct Placed {
  LinearParameters layer;
  std::int64_t size;
  std::vector<float> arena;
  oracle::Matrix weight;
  std::vector<double> bias;
};

std::int64_t align(std::int64_t v) {
  return (v + 15) / 16 * 16;
}

Placed place(const Shape& s) {
  Placed p;
  p.layer = LinearParameters{
      .name = "layer", .out = s.out, .in = s.in, .weight = 32, .bias = align(32 + s.out * s.in)};
  p.size = align(p.layer.bias + s.out) + 16;
  p.arena.assign(static_cast<std::size_t>(p.size), 0.0f);
  const std::vector<float> w = test::noise(s.out * s.in, 21, 0.4);
  const std::vector<float> b = test::noise(s.out, 22, 0.4);
  std::copy(w.begin(), w.end(), p.arena.begin() + p.layer.weight);
  std::copy(b.begin(), b.end(), p.arena.begin() + p.layer.bias);
  p.weight = oracle::from_floats(w, s.out, s.in);
  p.bias.assign(b.begin(), b.end());
  return p;
}

std::vector<float> part(const std::vector<float>& arena, std::int64_t offset, std::int64_t count) {
  return {arena.begin() + offset, arena.begin() + offset + count};
}

// With β1 = β2 = 0 Adam's first moment is the gradient itself.
AdamUpdate bare_adam(std::int64_t size) {
  AdamUpdate adam;
  adam.constants = {.beta1 = 0.0f, .beta2 = 0.0f, .epsilon = 1e-8f, .weight_decay = 0.0f, .decoupled = false};
  adam.ranges = {{0, size}};
  return adam;
}

AdvanceStep bare_advance(View nll, View kl) {
  AdvanceStep advance;
  advance.loss = test::elbo_rows(nll, kl);
  advance.schedule.lr = 0.01;
  advance.beta1 = 0.0;
  advance.beta2 = 0.0;
  return advance;
}

}  // namespace

TEST_CASE("Linear is activation(x·Wᵀ + b)", "[linear]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Shape& s : kShapes) {
      for (const auto& [kind, act] : kActivations) {
        // Every activation on one small shape, two on the others: the oracle is slow.
        if (s.batch * s.in * s.out > 10000 && kind != ActivationKind::relu && kind != ActivationKind::silu)
          continue;
        INFO(executor.name << ", (" << s.batch << ", " << s.in << ") to " << s.out << ", activation "
                           << static_cast<int>(kind));
        const Placed p = place(s);
        const std::vector<float> x = test::noise(s.batch * s.in, 23, 1.5);
        test::OpBench bench(s.batch, 0, p.size);
        bench.set_parameters(p.arena);
        Linear op;
        op.in = bench.matrix("in", s.in, x);
        op.layer = p.layer;
        op.out = bench.matrix("out", s.out);
        op.activation = kind;
        const bool keeps = math::saves_preactivation(kind);
        if (keeps) op.preactivation = bench.matrix("pre", s.out, 1, 5);
        bench.add(op);
        bench.run(executor);
        const oracle::Graded pre = oracle::linear(oracle::from_floats(x, s.batch, s.in), p.weight, p.bias);
        CHECK(test::compare(bench.get(op.out), oracle::activate(act, pre), Quantity::linear_output, s.in) ==
              "");
        if (keeps)
          CHECK(test::compare(bench.get(op.preactivation), pre, Quantity::linear_output, s.in) == "");
        CHECK(test::compare_bits(bench.get(op.in), x) == "");
        CHECK(test::compare_bits(bench.parameters(), p.arena) == "");
      }
    }
  }
}

TEST_CASE("Linear in inference needs no pre-activation", "[linear]") {
  const Shape s{33, 63, 5};
  for (const test::Executor& executor : test::executors()) {
    const Placed p = place(s);
    const std::vector<float> x = test::noise(s.batch * s.in, 23, 1.5);
    test::OpBench bench(s.batch, 0, p.size);
    bench.set_parameters(p.arena);
    Linear op{.in = bench.matrix("in", s.in, x),
              .layer = p.layer,
              .out = bench.matrix("out", s.out),
              .activation = ActivationKind::gelu,
              .preactivation = {}};
    bench.add(op);
    bench.run(executor);
    const oracle::Graded pre = oracle::linear(oracle::from_floats(x, s.batch, s.in), p.weight, p.bias);
    CHECK(test::compare(bench.get(op.out), oracle::activate(oracle::Act::gelu, pre), Quantity::linear_output,
                        s.in) == "");
  }
}

TEST_CASE("LinearBackward gives all three gradients", "[linear]") {
  for (const test::Executor& executor : test::executors()) {
    for (const Shape& s : kShapes) {
      for (const auto& [kind, act] : kActivations) {
        if (s.batch * s.in * s.out > 10000 && kind != ActivationKind::relu && kind != ActivationKind::gelu)
          continue;
        INFO(executor.name << ", d (" << s.batch << ", " << s.out << "), in " << s.in << ", activation "
                           << static_cast<int>(kind));
        const Placed p = place(s);
        const std::vector<float> d = test::noise(s.batch * s.out, 31, 1.0);
        const std::vector<float> in = test::noise(s.batch * s.in, 32, 1.0);
        const std::vector<float> pre = test::noise(s.batch * s.in, 33, 2.5);
        std::vector<float> saved = pre;
        if (!math::saves_preactivation(kind)) {
          for (float& v : saved) v = static_cast<float>(oracle::activate(act, static_cast<double>(v)));
        }
        test::OpBench bench(s.batch, 0, p.size);
        bench.set_parameters(p.arena);
        LinearBackward op;
        op.d = bench.matrix("d", s.out, d);
        op.in = bench.matrix("in", s.in, in);
        op.layer = p.layer;
        op.dx = bench.matrix("dx", s.in);
        op.activation = kind;
        if (kind != ActivationKind::identity) op.saved = bench.matrix("saved", s.in, saved);
        bench.add(op);
        const std::vector<float> ones(static_cast<std::size_t>(s.batch), 1.0f);
        const View nll = bench.matrix("nll", 1, ones);
        const View kl = bench.matrix("kl", 1, ones);
        bench.end_training(bare_adam(p.size), bare_advance(nll, kl));
        bench.run(executor);
        const oracle::LinearGradients expected = oracle::linear_backward(
            oracle::from_floats(d, s.batch, s.out), oracle::from_floats(in, s.batch, s.in), p.weight, act,
            oracle::from_floats(pre, s.batch, s.in));
        CHECK(test::compare(bench.get(op.dx), expected.dx, Quantity::input_gradient, s.out) == "");
        CHECK(test::compare(part(bench.moment1(), p.layer.weight, s.out * s.in), expected.weight,
                            Quantity::weight_gradient, s.batch) == "");
        CHECK(test::compare(part(bench.moment1(), p.layer.bias, s.out), expected.bias,
                            Quantity::bias_gradient, s.batch) == "");
        // The gaps hold zeros for ever.
        const std::int64_t end_of_weight = p.layer.weight + s.out * s.in;
        for (const std::vector<float>* arena : {&bench.parameters(), &bench.moment1(), &bench.moment2()}) {
          std::vector<float> gaps = part(*arena, 0, p.layer.weight);
          gaps.insert(gaps.end(), arena->begin() + end_of_weight, arena->begin() + p.layer.bias);
          gaps.insert(gaps.end(), arena->begin() + p.layer.bias + s.out, arena->end());
          CHECK(test::compare_bits(gaps, std::vector<float>(gaps.size(), 0.0f)) == "");
        }
        CHECK_FALSE(bench.fault().has_value());
      }
    }
  }
}

TEST_CASE("LinearBackward of the first layer makes no input gradient", "[linear]") {
  const Shape s{33, 63, 5};
  for (const test::Executor& executor : test::executors()) {
    const Placed p = place(s);
    const std::vector<float> d = test::noise(s.batch * s.out, 31, 1.0);
    const std::vector<float> in = test::noise(s.batch * s.in, 32, 1.0);
    test::OpBench bench(s.batch, 0, p.size);
    bench.set_parameters(p.arena);
    LinearBackward op;
    op.d = bench.matrix("d", s.out, d);
    op.in = bench.matrix("in", s.in, in);
    op.layer = p.layer;
    bench.add(op);
    const std::vector<float> ones(static_cast<std::size_t>(s.batch), 1.0f);
    const View nll = bench.matrix("nll", 1, ones);
    const View kl = bench.matrix("kl", 1, ones);
    bench.end_training(bare_adam(p.size), bare_advance(nll, kl));
    bench.run(executor);
    const oracle::LinearGradients expected =
        oracle::linear_backward(oracle::from_floats(d, s.batch, s.out),
                                oracle::from_floats(in, s.batch, s.in), p.weight, oracle::Act::identity, {});
    CHECK(test::compare(part(bench.moment1(), p.layer.weight, s.out * s.in), expected.weight,
                        Quantity::weight_gradient, s.batch) == "");
  }
}

TEST_CASE("linear layers give the same bits for any number of threads", "[linear][threads]") {
  for (const Shape& s : {Shape{257, 784, 63}, Shape{1, 5, 784}, Shape{300, 129, 257}}) {
    const Placed p = place(s);
    const std::vector<float> d = test::noise(s.batch * s.out, 31, 1.0);
    const std::vector<float> in = test::noise(s.batch * s.in, 32, 1.0);
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 4, 7}) {
      test::OpBench bench(s.batch, 0, p.size);
      bench.set_parameters(p.arena);
      Linear forward;
      forward.in = bench.matrix("in", s.in, in);
      forward.layer = p.layer;
      forward.out = bench.matrix("out", s.out);
      forward.activation = ActivationKind::silu;
      forward.preactivation = bench.matrix("pre", s.out);
      bench.add(forward);
      LinearBackward backward;
      backward.d = bench.matrix("d", s.out, d);
      backward.in = forward.in;
      backward.layer = p.layer;
      backward.dx = bench.matrix("dx", s.in);
      bench.add(backward);
      const std::vector<float> ones(static_cast<std::size_t>(s.batch), 1.0f);
      const View nll = bench.matrix("nll", 1, ones);
      const View kl = bench.matrix("kl", 1, ones);
      bench.end_training(bare_adam(p.size), bare_advance(nll, kl));
      bench.run(test::cpu_executor(threads));
      std::vector<float> all = bench.get(forward.out);
      for (const auto& more : {bench.get(backward.dx), bench.parameters(), bench.moment1(), bench.moment2()})
        all.insert(all.end(), more.begin(), more.end());
      if (first.empty()) first = all;
      INFO(threads << " threads");
      CHECK(test::compare_bits(all, first) == "");
    }
  }
}
