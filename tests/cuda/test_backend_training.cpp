// Whole training steps and passes on the device against the CPU backend.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cuda/test_backend.hpp"
#include "support/run_distance.hpp"

using namespace vaecuda;
using simt::EpilogueSupport;
using test::Distance;

namespace {

constexpr std::int64_t kSteps = 20;

/// At the same learning rates and KL weights, to losses that are the same but for what precision takes.
Distance distance(const test::TrainingResult& a, const test::TrainingResult& b) {
  const Distance d = test::distance(a, b, kSteps);
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    CHECK(a.metrics[i].lr == Approx(b.metrics[i].lr).epsilon(1e-12));
    CHECK(a.metrics[i].loss_weight == b.metrics[i].loss_weight);
    CHECK(a.metrics[i].loss == Approx(b.metrics[i].loss).epsilon(3e-3));
  }
  return d;
}

// Ten times what was measured over all cases below: 5.1e-8, 5.2e-8 and 3.0e-6. The last is that of a weight
// with a gradient close to zero, of which Adam's first steps take little more than the sign.
const Distance kFp32{5e-7, 5e-7, 3e-5};
// Importance weights amplify the last bits of the log weights: four times the 5.4e-7 that was measured.
const Distance kWeightedFp32{5e-7, 2.2e-6, 3e-5};
// Three times what was measured. The operands' rounding, 2⁻¹¹ for TF32 and 2⁻⁸ for bfloat16, averages out in
// sums, but Adam's first steps move a weight by the learning rate, 10⁻³, whatever its gradient's size: those
// whose gradient changes its sign part quickly.
const Distance kTf32{1.3e-4, 1.3e-2, 8e-3};
const Distance kBf16{9e-4, 3.5e-2, 2e-2};

void check_near(const Distance& d, const Distance& bound) {
  CAPTURE(d.loss, d.gradient_norm, d.parameters);
  CHECK(d.loss <= bound.loss);
  CHECK(d.gradient_norm <= bound.gradient_norm);
  CHECK(d.parameters <= bound.parameters);
}

}  // namespace

TEST_CASE("training on the device follows the CPU step by step", "[training]") {
  const Dataset data = test::small_data();
  for (const Likelihood likelihood : {Likelihood::bernoulli, Likelihood::gaussian}) {
    for (const Activation activation : {Activation::relu, Activation::gelu_tanh, Activation::gelu,
                                        Activation::silu, Activation::tanh, Activation::leaky_relu}) {
      const bool fused = activation == Activation::relu || activation == Activation::gelu_tanh;
      for (const double clip_norm : {0.0, 0.5}) {
        if (clip_norm > 0.0 && !fused) continue;
        const test::TrainingBench bench = test::small_bench(activation, likelihood, clip_norm);
        const test::TrainingResult cpu = bench.run(test::cpu_executor(1), data, kSteps);
        for (const EpilogueSupport epilogues : test::epilogue_supports()) {
          if (!fused && epilogues == EpilogueSupport::bias_only) continue;
          INFO(test::name_of(activation) << ", " << test::name_of(likelihood) << ", clip " << clip_norm
                                         << ", " << test::name_of(epilogues));
          const test::TrainingResult device = bench.run(test::setup_of(epilogues).executor(), data, kSteps);
          check_near(distance(cpu, device), kFp32);
        }
      }
    }
  }
}

TEST_CASE("every kind of model on the device follows the CPU", "[training]") {
  for (const test::ModelVariant& variant : test::model_variants()) {
    const Dataset data = test::labelled(variant, test::small_data());
    // A smooth activation: a ReLU whose input is zero but for the last bits goes either way, and the runs
    // part.
    test::TrainingBench bench = test::small_bench(Activation::gelu_tanh);
    variant.apply(bench.config);
    const test::TrainingResult cpu = bench.run(test::cpu_executor(1), data, kSteps);
    for (const EpilogueSupport epilogues : {EpilogueSupport::all, EpilogueSupport::none}) {
      INFO(variant.name << ", " << test::name_of(epilogues));
      check_near(distance(cpu, bench.run(test::setup_of(epilogues).executor(), data, kSteps)),
                 bench.config.objective.kind == ObjectiveKind::iwae ? kWeightedFp32 : kFp32);
    }
    INFO(variant.name << ", bf16");
    const test::SimtSetup setup = test::setup_of(EpilogueSupport::all, Precision::bf16);
    // In chunks that are no multiple of a graph's length.
    const test::TrainingResult device = bench.run(setup.executor(), data, kSteps, 7);
    // A latent near the border of two codes takes another one in bfloat16, and the codes follow their rows:
    // three times what was measured.
    Distance bound = kBf16;
    if (bench.config.model.latent == LatentKind::vq) bound.parameters = 0.19;
    check_near(distance(cpu, device), bound);
    test::check_same(device, bench.run(setup.executor(), data, kSteps));
  }
}

TEST_CASE("tensor-core precisions stay near fp32", "[training]") {
  const Dataset data = test::small_data();
  for (const Likelihood likelihood : {Likelihood::bernoulli, Likelihood::gaussian}) {
    for (const Activation activation : {Activation::relu, Activation::gelu_tanh, Activation::silu}) {
      for (const EpilogueSupport epilogues : test::epilogue_supports()) {
        const bool everywhere = likelihood == Likelihood::bernoulli && activation != Activation::silu;
        if (!everywhere && epilogues != EpilogueSupport::all) continue;
        const test::TrainingBench bench = test::small_bench(activation, likelihood);
        const test::TrainingResult fp32 = bench.run(test::setup_of(epilogues).executor(), data, kSteps);
        for (const Precision precision : {Precision::tf32, Precision::bf16}) {
          INFO(test::name_of(activation)
               << ", " << test::name_of(likelihood) << ", " << test::name_of(epilogues) << ", precision "
               << static_cast<int>(precision));
          const test::SimtSetup setup = test::setup_of(epilogues, precision);
          const test::TrainingResult device = bench.run(setup.executor(), data, kSteps);
          check_near(distance(fp32, device), precision == Precision::tf32 ? kTf32 : kBf16);
          CHECK(test::compare_bits(fp32.parameters, device.parameters) != "");
          if (likelihood == Likelihood::bernoulli) {
            test::check_same(device, bench.run(setup.executor(), data, kSteps));
          }
        }
      }
    }
  }
}

TEST_CASE("what somebody looks at is kept in fp32 too", "[training]") {
  // Hidden activations and pre-activations are stored for the host, so no epilogue may keep them in bfloat16
  // alone. The steps are those of the plan that stores nothing.
  const Dataset data = test::small_data();
  for (const Activation activation : {Activation::relu, Activation::gelu_tanh, Activation::silu}) {
    for (const Precision precision : {Precision::fp32, Precision::bf16}) {
      INFO(test::name_of(activation) << ", precision " << static_cast<int>(precision));
      const test::TrainingBench bench = test::small_bench(activation);
      const test::SimtSetup setup = test::setup_of(EpilogueSupport::all, precision);
      Plan plan = test::plan_of(bench, data);
      std::vector<Op> ops;
      std::vector<View> stored;
      for (const Op& op : plan.ops) {
        ops.push_back(op);
        const auto* linear = std::get_if<Linear>(&op);
        if (linear == nullptr || linear->activation == math::ActivationKind::identity) continue;
        for (const View& view : {linear->out, linear->preactivation}) {
          if (!view.valid()) continue;
          const int whole = plan.add_buffer("seen", BufferKind::exchange, kSteps * view.rows, view.cols);
          stored.push_back(plan.whole(whole));
          ops.emplace_back(StoreRows{view, stored.back()});
        }
      }
      plan.ops = ops;
      const test::Session session(setup, bench, data, plan);
      session.program->run(kSteps);
      const test::TrainingResult seen = session.result();
      const test::TrainingResult unseen = bench.run(setup.executor(), data, kSteps);
      check_near(distance(unseen, seen), precision == Precision::bf16 ? kBf16 : kFp32);
      for (const View& whole : stored) {
        std::vector<float> values(static_cast<std::size_t>(whole.rows * whole.cols));
        session.program->read(whole.buffer, values);
        const auto last = values.end() - 24 * whole.cols;
        CHECK(std::any_of(last, values.end(), [](float v) { return v != 0.0f; }));
        CHECK(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }));
      }
    }
  }
}

namespace {

/// Every pass that a trained model is used in: what its exchange buffers hold at the end.
std::vector<float> all_passes(Backend& backend, const test::TrainingBench& bench, const Dataset& data) {
  const bool has_kl = bench.config.model.latent == LatentKind::gaussian;
  const bool has_codes = bench.config.model.latent == LatentKind::vq;
  const ParameterLayout layout = bench.layout();
  const ModelConfig& model = bench.config.model;
  const DataShape shape = shape_of(data);
  const auto store = backend.make_parameters(layout.size, false);
  store->write(ParameterStore::Part::parameters, bench.initial_parameters());
  const auto resident = backend.make_resident(data);
  const std::vector<float> latents = test::noise(data.rows() * model.latent_dim, 5, 2.0);
  struct Pass {
    Plan plan;
    std::vector<const char*> results;
  };
  std::vector<Pass> passes = {
      {build_evaluation_plan(layout, model, bench.preparation, shape, 3),
       {"rows.nll", has_kl      ? "rows.kl"
                    : has_codes ? "rows.error"
                                : "rows.penalty"}},
      {build_encode_plan(layout, model, bench.preparation, shape), {has_codes ? "rows.z" : "rows.head"}},
      {build_reconstruct_plan(layout, model, bench.preparation, shape), {"rows.x", "rows.mean"}},
      {build_decode_plan(layout, model, data.rows()), {"rows.mean"}}};
  if (why_no_prior(model).empty()) {
    passes.push_back({build_generate_plan(layout, model, data.rows(), 7), {"rows.mean"}});
  }
  if (has_kl) {
    // The bound alone: the means under the weights amplify the last bits of the log weights, which are large.
    passes.push_back(
        {build_log_likelihood_plan(layout, model, bench.preparation, shape, 20, 3), {"rows.nll"}});
  }
  if (has_codes) {
    passes[0].results.push_back("rows.codes");
    passes[1].results.push_back("rows.codes");
  }
  std::vector<float> all;
  for (const Pass& pass : passes) {
    const auto program = backend.compile(pass.plan, *store, resident.get());
    if (pass.plan.name == "decode") program->write(pass.plan.find_buffer("rows.z"), latents);
    const bool from_latents = pass.plan.name == "decode" || pass.plan.name == "generate";
    if (from_latents && model.condition_dim > 0) {
      program->write(pass.plan.find_buffer("rows.condition"),
                     test::noise(data.rows() * model.condition_dim, 6, 1.0));
    }
    program->set_position(0);
    program->run((data.rows() + pass.plan.batch - 1) / pass.plan.batch);
    for (const char* name : pass.results) {
      const int buffer = pass.plan.find_buffer(name);
      std::vector<float> values(
          static_cast<std::size_t>(pass.plan.buffers[static_cast<std::size_t>(buffer)].size()));
      program->read(buffer, values);
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  return all;
}

}  // namespace

TEST_CASE("every pass on the device gives what the CPU gives", "[inference]") {
  const Dataset data = test::small_data(300);  // two blocks of 256 rows, the second one padded
  for (const Activation activation : {Activation::relu, Activation::gelu_tanh, Activation::tanh}) {
    for (const Likelihood likelihood : {Likelihood::bernoulli, Likelihood::gaussian}) {
      test::TrainingBench bench = test::small_bench(activation, likelihood);
      bench.preparation.mean.assign(50, 0.25f);
      bench.preparation.inverse_deviation.assign(50, 1.5f);
      const std::vector<float> cpu = all_passes(*make_cpu_backend(1), bench, data);
      for (const EpilogueSupport epilogues : test::epilogue_supports()) {
        for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16}) {
          if (precision == Precision::tf32 && epilogues != EpilogueSupport::all) continue;
          INFO(test::name_of(activation)
               << ", " << test::name_of(likelihood) << ", " << test::name_of(epilogues) << ", precision "
               << static_cast<int>(precision));
          const std::vector<float> device =
              all_passes(*test::setup_of(epilogues, precision).make(), bench, data);
          // Four times what was measured.
          const double bounds[] = {1e-6, 1.1e-3, 1e-2};
          CHECK(test::difference(device, cpu) <= bounds[static_cast<int>(precision)]);
        }
      }
    }
  }
}

TEST_CASE("every kind of model gives on the device what it gives on the CPU", "[inference]") {
  for (const test::ModelVariant& variant : test::model_variants()) {
    const Dataset data = test::labelled(variant, test::small_data(300));
    INFO(variant.name);
    test::TrainingBench bench = test::small_bench();
    variant.apply(bench.config);
    const std::vector<float> cpu = all_passes(*make_cpu_backend(1), bench, data);
    const std::vector<float> device = all_passes(*test::setup_of(EpilogueSupport::all).make(), bench, data);
    CHECK(test::difference(device, cpu) <= 1e-6);
  }
}
