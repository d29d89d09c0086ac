// A program on the device: how many launches a step takes, what compiling leaves alone, and that steps give
// the same bytes however they are cut into runs.
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "cuda/test_backend.hpp"

using namespace vaecuda;
using simt::EpilogueSupport;
using Part = ParameterStore::Part;

namespace {

std::string node_names(const cuda::CudaProgram& program) {
  std::string names;
  for (const cuda::Node& node : program.nodes()) names += node.name + "\n";
  return names;
}

}  // namespace

TEST_CASE("a step of the tutorial's VAE takes 16 launches, or at most 22 without epilogues", "[launches]") {
  test::TrainingBench bench;
  bench.config = test::small_config(784, {400}, 20, 8);
  const Dataset data = test::small_data(20, 784);
  struct Case {
    EpilogueSupport epilogues;
    Activation activation;
    Precision precision;
    double clip_norm;
    int launches;
  };
  // Without the products' help: a bias and activation for each of three layers (the likelihood adds the
  // output's bias), an activation's gradient for each of two, and one for all bias gradients.
  const std::vector<Case> cases = {
      {EpilogueSupport::all, Activation::relu, Precision::fp32, 0.0, 16},
      {EpilogueSupport::all, Activation::relu, Precision::tf32, 0.0, 16},
      {EpilogueSupport::all, Activation::relu, Precision::bf16, 0.0, 16},
      {EpilogueSupport::all, Activation::gelu_tanh, Precision::fp32, 0.0, 16},
      {EpilogueSupport::all, Activation::gelu_tanh, Precision::bf16, 0.0, 16},
      {EpilogueSupport::all, Activation::relu, Precision::fp32, 1.0, 17},
      {EpilogueSupport::all, Activation::tanh, Precision::fp32, 0.0, 20},
      {EpilogueSupport::all, Activation::gelu, Precision::bf16, 0.0, 20},
      {EpilogueSupport::bias_only, Activation::relu, Precision::fp32, 0.0, 21},
      {EpilogueSupport::none, Activation::relu, Precision::fp32, 0.0, 22},
      {EpilogueSupport::none, Activation::gelu_tanh, Precision::bf16, 0.0, 22},
      {EpilogueSupport::none, Activation::silu, Precision::fp32, 0.0, 22},
  };
  for (const Case& c : cases) {
    bench.config.model.activation = c.activation;
    bench.config.optimizer.clip_norm = c.clip_norm;
    const test::Session session(test::setup_of(c.epilogues, c.precision), bench, data);
    INFO(test::name_of(c.epilogues) << ", " << test::name_of(c.activation) << ", precision "
                                    << static_cast<int>(c.precision) << "\n"
                                    << node_names(session.cuda()));
    CHECK(session.cuda().kernels_per_step() == c.launches);
    CHECK(session.cuda().captured_kernels() == c.launches);
  }
}

TEST_CASE("the likelihood adds the output's bias, unless somebody else reads the output", "[launches]") {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    INFO("precision " << static_cast<int>(precision));
    const test::SimtSetup setup = test::setup_of(EpilogueSupport::none, precision);
    const test::TrainingBench bench = test::small_bench();
    const Dataset data = test::small_data();
    const test::Session session(setup, bench, data);
    Plan plan = test::plan_of(bench, data);
    View seen;
    for (std::size_t i = 0; i < plan.ops.size(); ++i) {
      const auto* linear = std::get_if<Linear>(&plan.ops[i]);
      if (linear == nullptr || linear->layer.name != "output") continue;
      seen = plan.whole(plan.add_buffer("seen", BufferKind::exchange, linear->out.rows, linear->out.cols));
      plan.ops.insert(plan.ops.begin() + static_cast<std::ptrdiff_t>(i) + 1, StoreRows{linear->out, seen});
      break;
    }
    REQUIRE(seen.valid());
    const test::Session watched(setup, bench, data, plan);
    CHECK(watched.cuda().kernels_per_step() == session.cuda().kernels_per_step() + 2);
    CHECK(node_names(watched.cuda()).find("output bias and activation") != std::string::npos);
    CHECK(node_names(session.cuda()).find("output bias and activation") == std::string::npos);
    session.program->run(5);
    watched.program->run(5);
    // The same sums in the same order.
    test::check_same(session.result(), watched.result());
  }
}

TEST_CASE("codebooks add five launches to a plain autoencoder's, or four where there is one", "[launches]") {
  test::TrainingBench bench;
  bench.config = test::small_config(784, {400}, 20, 8);
  const Dataset data = test::small_data(20, 784);
  struct Case {
    LatentKind latent;
    std::int64_t codebooks;
    CodebookUpdate update;
    double clip_norm;
    int launches;
  };
  const std::vector<Case> cases = {{LatentKind::deterministic, 1, CodebookUpdate::ema, 0.0, 14},
                                   {LatentKind::vq, 1, CodebookUpdate::ema, 0.0, 18},
                                   {LatentKind::vq, 4, CodebookUpdate::ema, 0.0, 19},
                                   {LatentKind::vq, 4, CodebookUpdate::ema, 1.0, 20},
                                   {LatentKind::vq, 4, CodebookUpdate::gradient, 0.0, 19}};
  for (const Case& c : cases) {
    bench.config.model.latent = c.latent;
    bench.config.model.codebooks = c.codebooks;
    bench.config.model.codebook_size = 6;
    bench.config.optimizer.codebook_update = c.update;
    bench.config.optimizer.clip_norm = c.clip_norm;
    const test::Session session(test::setup_of(EpilogueSupport::all), bench, data);
    INFO(node_names(session.cuda()));
    CHECK(session.cuda().kernels_per_step() == c.launches);
    CHECK(session.cuda().captured_kernels() == c.launches);
  }
}

TEST_CASE("every matrix product says which algorithm it took", "[launches]") {
  const test::Session session(test::setup_of(EpilogueSupport::all), test::small_bench(), test::small_data());
  const std::vector<std::string> algorithms = session.cuda().algorithms();
  CHECK(algorithms.size() == 6 + 6 + 5);  // forward, weight gradients, data gradients
  CHECK(algorithms.front().find("encoder.0 forward: ") == 0);
  CHECK(algorithms.back().find("encoder.0 weight gradient: ") == 0);
}

TEST_CASE("compiling leaves parameters, moments and metrics alone", "[compile]") {
  const Dataset data = test::small_data();
  for (const EpilogueSupport epilogues : test::epilogue_supports()) {
    const test::TrainingBench bench = test::small_bench(Activation::relu, Likelihood::bernoulli, 0.5);
    const test::Session session(test::setup_of(epilogues), bench, data);
    const test::TrainingResult untouched = session.result();
    CHECK(test::compare_bits(untouched.parameters, bench.initial_parameters()) == "");
    const std::vector<float> zeros(untouched.moment1.size(), 0.0f);
    CHECK(test::compare_bits(untouched.moment1, zeros) == "");
    CHECK(test::compare_bits(untouched.moment2, zeros) == "");
    CHECK(untouched.metrics.empty());
    CHECK_FALSE(untouched.fault.has_value());
    // A program starts at step 0 without being told.
    session.program->run(1);
    const test::TrainingResult first = session.result();
    REQUIRE(first.metrics.size() == 1);
    CHECK(first.metrics[0].step == 1);
  }
}

TEST_CASE("compiling leaves exchange buffers at zero", "[compile]") {
  const test::TrainingBench bench = test::small_bench();
  const Dataset data = test::small_data();
  const auto backend = test::setup_of(EpilogueSupport::all).make();
  const auto store = backend->make_parameters(bench.layout().size, false);
  store->write(Part::parameters, bench.initial_parameters());
  const auto resident = backend->make_resident(data);
  const Plan plan =
      build_encode_plan(bench.layout(), bench.config.model, bench.preparation, {data.rows(), data.type()});
  const auto program = backend->compile(plan, *store, resident.get());
  std::vector<float> head(static_cast<std::size_t>(data.rows() * 8));
  program->read(plan.find_buffer("rows.head"), head);
  CHECK(test::compare_bits(head, std::vector<float>(head.size(), 0.0f)) == "");
}

TEST_CASE("steps give the same bytes however they are cut into runs", "[determinism]") {
  const Dataset data = test::small_data();
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    for (const double clip_norm : {0.0, 0.5}) {
      INFO("precision " << static_cast<int>(precision) << ", clip " << clip_norm);
      const test::TrainingBench bench = test::small_bench(Activation::relu, Likelihood::gaussian, clip_norm);
      const test::SimtSetup setup = test::setup_of(EpilogueSupport::all, precision);
      const test::TrainingResult whole = bench.run(setup.executor(), data, 37);
      REQUIRE(whole.metrics.size() == 37);
      REQUIRE_FALSE(whole.fault.has_value());
      for (const std::int64_t chunk : {1, 3, 16}) {
        INFO("runs of " << chunk << " steps");
        test::check_same(whole, bench.run(setup.executor(), data, 37, chunk));
      }
    }
  }
}

TEST_CASE("metrics are complete however small the ring is", "[metrics]") {
  const Dataset data = test::small_data();
  const test::TrainingBench bench = test::small_bench();
  test::SimtSetup setup = test::setup_of(EpilogueSupport::all);
  const test::TrainingResult expected = bench.run(setup.executor(), data, 45);
  REQUIRE(expected.metrics.size() == 45);
  for (std::size_t i = 0; i < 45; ++i) REQUIRE(expected.metrics[i].step == static_cast<std::int64_t>(i) + 1);
  for (const std::int64_t ring : {1, 3, 16, 20}) {
    INFO("a ring of " << ring);
    setup.backend.metrics_ring = ring;
    test::check_same(expected, bench.run(setup.executor(), data, 45));
    test::check_same(expected, bench.run(setup.executor(), data, 45, 7));
  }
}

TEST_CASE("training goes on from a saved state with the same bytes", "[determinism]") {
  const Dataset data = test::small_data();
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    test::TrainingBench bench = test::small_bench();
    bench.config.optimizer.schedule.kind = LrScheduleKind::cosine;
    bench.total_steps = 40;
    const test::SimtSetup setup = test::setup_of(EpilogueSupport::all, precision);
    const test::TrainingResult whole = bench.run(setup.executor(), data, 20);
    const test::TrainingResult half = bench.run(setup.executor(), data, 7);
    const test::Session session(setup, bench, data);
    session.store->write(Part::parameters, half.parameters);
    session.store->write(Part::moment1, half.moment1);
    session.store->write(Part::moment2, half.moment2);
    session.program->set_step(7);
    session.program->run(13);
    test::TrainingResult resumed = session.result();
    REQUIRE(resumed.metrics.size() == 13);
    resumed.metrics.insert(resumed.metrics.begin(), whole.metrics.begin(), whole.metrics.begin() + 7);
    test::check_same(whole, resumed);
  }
}

TEST_CASE("a step can be run again", "[determinism]") {
  const Dataset data = test::small_data();
  const test::TrainingBench bench = test::small_bench();
  const test::Session session(test::setup_of(EpilogueSupport::all), bench, data);
  session.program->run(3);
  const test::TrainingResult first = session.result();
  session.store->write(Part::parameters, bench.initial_parameters());
  const std::vector<float> zeros(first.moment1.size(), 0.0f);
  session.store->write(Part::moment1, zeros);
  session.store->write(Part::moment2, zeros);
  session.program->set_step(0);
  session.program->run(3);
  test::check_same(first, session.result());
}

TEST_CASE("a measured run is a run", "[profile]") {
  const Dataset data = test::small_data();
  for (const double clip_norm : {0.0, 0.5}) {
    const test::TrainingBench bench = test::small_bench(Activation::relu, Likelihood::bernoulli, clip_norm);
    test::SimtSetup setup = test::setup_of(EpilogueSupport::none);
    setup.device.facts.memory_bytes = 64 << 20;  // what is overwritten between launches is a share of it
    const test::TrainingResult expected = bench.run(setup.executor(), data, 12);
    const test::Session session(setup, bench, data);
    const std::int64_t bytes = session.backend->allocated_bytes();
    CHECK(session.program->timed_run(9) > 0.0);
    const std::vector<OpTime> times = session.program->profile(3);
    test::check_same(expected, session.result());
    CHECK(session.backend->allocated_bytes() == bytes);
    const Plan plan = test::plan_of(bench, data);
    REQUIRE(times.size() == plan.ops.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
      INFO(name_of(plan.ops[i]));
      CHECK(times[i].merged == std::holds_alternative<AdvanceStep>(plan.ops[i]));
      CHECK((times[i].seconds > 0.0) == !times[i].merged);
      CHECK((times[i].cost.bytes > 0.0) == !times[i].merged);
    }
  }
}
