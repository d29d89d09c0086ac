// What goes wrong on a device: memory that is not there, calls that fail, devices that are unfit, runs that
// diverge.
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "cuda/test_backend.hpp"
#include "host/cuda/failure.hpp"
#include "kernels/math/permutation.h"
#include "support/files.hpp"
#include "vaecuda/error.hpp"

using namespace vaecuda;
using simt::EpilogueSupport;
using test::check_error;
using Part = ParameterStore::Part;

namespace {

/// A backend whose runtime can be asked how many buffers live.
struct Watched {
  simt::SimtRuntime* runtime;
  std::unique_ptr<Backend> backend;

  explicit Watched(const test::SimtSetup& setup) {
    auto made = std::make_unique<simt::SimtRuntime>(setup.device);
    runtime = made.get();
    backend = cuda::make_cuda_backend(std::move(made), setup.backend);
  }
};

/// Everything that a training run makes, and two steps of it.
void train(Backend& backend, const test::TrainingBench& bench, const Dataset& data) {
  const ParameterLayout layout = bench.layout();
  const auto store = backend.make_parameters(layout.size, true);
  store->write(Part::parameters, bench.initial_parameters());
  const auto resident = backend.make_resident(data);
  const Plan plan = test::plan_of(bench, data);
  const auto program = backend.compile(plan, *store, resident.get());
  program->run(2);
  std::vector<math::StepMetrics> metrics;
  program->take_metrics(metrics);
  REQUIRE(metrics.size() == 2);
}

}  // namespace

TEST_CASE("what CUDA refuses becomes an error of the library", "[failures]") {
  simt::SimtRuntime runtime;
  const auto word = [&](int code) { cuda::throw_as_error(device::Failure("kernel update", code), &runtime); };
  check_error<OutOfMemoryError>(
      [&] { word(2); }, {"SIMT executor", "kernel update", "4096 MiB free of 4096 MiB", "batch size"});
  check_error<DeviceError>([&] { word(35); }, {"newer driver", "35"});
  check_error<DeviceError>([&] { word(100); }, {"there is no GPU", "CUDA_VISIBLE_DEVICES", "100"});
  check_error<DeviceError>([&] { word(209); }, {"no kernels for this model of GPU", "209"});
  check_error<RuntimeError>([&] { word(700); }, {"kernel update", "700", "cudaErrorIllegalAddress",
                                                 "context is lost", "start again"});
  check_error<RuntimeError>([&] { word(719); }, {"719", "cudaErrorLaunchFailure", "context is lost"});
  check_error<RuntimeError>([&] { word(98); }, {"98", "cudaErrorInvalidDeviceFunction"});
  check_error<RuntimeError>([&] { word(998); }, {"kernel update", "CUDA's error 998"});
  check_error<RuntimeError>([&] { word(100013); }, {"kernel update failed"});
  check_error<DeviceError>([] { cuda::throw_as_error(device::Failure("cudaSetDevice", 35), nullptr); },
                           {"CUDA: ", "newer driver"});
  try {
    word(2);
  } catch (const Error& error) {
    CHECK(error.exit_code() == 4);
  }
  try {
    word(35);
  } catch (const Error& error) {
    CHECK(error.exit_code() == 5);
  }
  try {
    word(700);
  } catch (const Error& error) {
    CHECK(error.exit_code() == 1);
  }
}

TEST_CASE("a device that is too old is refused with the reason", "[failures]") {
  const auto make = [](int capability, Precision precision) {
    test::SimtSetup setup = test::setup_of(EpilogueSupport::all, precision);
    setup.device.facts.capability = capability;
    return setup.make();
  };
  check_error<DeviceError>([&] { (void)make(70, Precision::fp32); }, {"sm_70", "sm_75", "--device cpu"});
  check_error<DeviceError>([&] { (void)make(75, Precision::tf32); },
                           {"--precision tf32", "sm_75", "sm_80", "--precision fp32"});
  check_error<DeviceError>([&] { (void)make(75, Precision::bf16); }, {"--precision bf16", "sm_80"});
  CHECK(make(75, Precision::fp32)->device().capability == 75);
  CHECK(make(80, Precision::bf16)->device().kind == DeviceKind::cuda);
}

TEST_CASE("the backend tells its device, its memory and its ceilings", "[backend]") {
  test::SimtSetup setup = test::setup_of(EpilogueSupport::all);
  setup.device.facts.index = 3;
  setup.device.facts.fp32_flops_per_second = 6e13;
  setup.device.facts.memory_bytes_per_second = 4e12;
  Watched watched(setup);
  Backend& backend = *watched.backend;
  CHECK(backend.device().index == 3);
  CHECK(backend.device().name == "SIMT executor");
  CHECK(backend.device().memory_bytes == setup.device.facts.memory_bytes);
  CHECK(backend.roofline().flops_per_second == 6e13);
  CHECK(backend.roofline().bytes_per_second == 4e12);
  CHECK(backend.allocated_bytes() == 0);
  {
    const auto store = backend.make_parameters(320, true);
    CHECK(backend.allocated_bytes() == 3 * 4 * 320);
    const auto rows = backend.make_resident(Dataset(std::vector<std::uint8_t>(70), 10, 7));
    CHECK(backend.allocated_bytes() == 3 * 4 * 320 + 70);
    CHECK(watched.runtime->live_buffers() == 4);
  }
  CHECK(backend.allocated_bytes() == 0);
  setup.backend.precision = Precision::bf16;
  const auto half = setup.make();
  CHECK(half->roofline().flops_per_second == 0.0);
  const auto store = half->make_parameters(320, false);
  CHECK(half->allocated_bytes() == (4 + 2) * 320);
}

TEST_CASE("memory that runs out leaves nothing allocated, wherever it happens", "[failures][memory]") {
  const test::TrainingBench bench = test::small_bench();
  const Dataset data = test::small_data();
  test::SimtSetup setup = test::setup_of(EpilogueSupport::all, Precision::bf16);
  std::int64_t needed = 0;
  {
    Watched watched(setup);
    const auto session = test::Session(setup, bench, data);
    needed = session.backend->allocated_bytes();
  }
  REQUIRE(needed > 200000);
  int refused = 0;
  for (std::int64_t limit = 0; limit < needed; limit += 4000) {
    INFO(limit << " of " << needed << " bytes");
    setup.device.facts.memory_bytes = limit;
    Watched watched(setup);
    check_error<OutOfMemoryError>([&] { train(*watched.backend, bench, data); },
                                  {"not enough memory on cuda:0 SIMT executor for ", " MiB asked, ",
                                   " MiB free of ", "smaller batch size"});
    CHECK(watched.backend->allocated_bytes() == 0);
    CHECK(watched.runtime->live_buffers() == 0);
    ++refused;
  }
  CHECK(refused > 50);
  setup.device.facts.memory_bytes = std::int64_t{1} << 30;
  std::int64_t allocations = 0;
  {
    Watched watched(setup);
    train(*watched.backend, bench, data);
    allocations = watched.runtime->allocations();
  }
  REQUIRE(allocations > 10);
  for (std::int64_t at = 1; at <= allocations; ++at) {
    INFO("allocation " << at << " of " << allocations);
    setup.device.failing_allocation = at;
    Watched watched(setup);
    check_error<OutOfMemoryError>([&] { train(*watched.backend, bench, data); }, {"not enough ", "memory"});
    CHECK(watched.backend->allocated_bytes() == 0);
    CHECK(watched.runtime->live_buffers() == 0);
  }
  setup.device.failing_allocation = 0;
  // A size that no machine has.
  check_error<OutOfMemoryError>(
      [&] { (void)setup.make()->make_parameters(std::numeric_limits<std::int64_t>::max() / 2, true); },
      {"for parameters"});
}

TEST_CASE("a launch that fails leaves nothing allocated, wherever it happens", "[failures]") {
  const test::TrainingBench bench = test::small_bench();
  const Dataset data = test::small_data();
  test::SimtSetup setup = test::setup_of(EpilogueSupport::none);
  std::int64_t launches = 0;
  {
    Watched watched(setup);
    train(*watched.backend, bench, data);
    launches = watched.runtime->launches();
  }
  REQUIRE(launches > 60);
  for (std::int64_t at = 1; at <= launches; ++at) {
    INFO("launch " << at << " of " << launches);
    setup.device.launch = {at, 700};
    Watched watched(setup);
    check_error<RuntimeError>([&] { train(*watched.backend, bench, data); },
                              {"cudaErrorIllegalAddress", "the GPU's context is lost, start again"});
    CHECK(watched.backend->allocated_bytes() == 0);
    CHECK(watched.runtime->live_buffers() == 0);
  }
}

TEST_CASE("a wait or a capture that fails leaves nothing allocated", "[failures]") {
  const test::TrainingBench bench = test::small_bench();
  const Dataset data = test::small_data();
  for (const std::int64_t at : {1, 2, 3}) {
    test::SimtSetup setup = test::setup_of(EpilogueSupport::all);
    setup.device.capture = {at, 98};
    Watched captures(setup);
    check_error<RuntimeError>([&] { train(*captures.backend, bench, data); },
                              {"capture", "cudaErrorInvalidDeviceFunction"});
    CHECK(captures.runtime->live_buffers() == 0);
    setup.device.capture = {};
    setup.device.wait = {at, 719};
    Watched waits(setup);
    check_error<RuntimeError>([&] { train(*waits.backend, bench, data); }, {"cudaErrorLaunchFailure"});
    CHECK(waits.runtime->live_buffers() == 0);
  }
}

TEST_CASE("a loss that is not finite stops the run where it was", "[fault]") {
  // Epoch 0 visits every row once, this one in step 4. (10²⁵)² is no float.
  test::TrainingBench bench = test::small_bench(Activation::relu, Likelihood::gaussian);
  const Dataset sound = test::small_data();
  std::vector<float> values(sound.f32().begin(), sound.f32().end());
  const auto keys = math::permutation_keys(bench.config.train.seed, math::RandomPurpose::shuffle, 0);
  const std::uint64_t row = math::permute(keys, 3 * 24 + 2, 101);
  values[row * 50 + 7] = 1e25f;
  const Dataset data(values, 101, 50);
  const test::SimtSetup whole_ring = test::setup_of(EpilogueSupport::all);
  const test::TrainingResult expected = bench.run(whole_ring.executor(), data, 3);
  REQUIRE_FALSE(expected.fault.has_value());
  for (const std::int64_t ring : {3, 8192}) {
    for (const std::int64_t chunk : {1, 4, 40}) {
      INFO("a ring of " << ring << ", runs of " << chunk << " steps");
      test::SimtSetup setup = test::setup_of(EpilogueSupport::all);
      setup.backend.metrics_ring = ring;
      const test::TrainingResult stopped = bench.run(setup.executor(), data, 40, chunk);
      REQUIRE(stopped.fault.has_value());
      CHECK(stopped.fault->step == 4);
      CHECK(stopped.fault->element == -1);
      test::check_same(expected, stopped);
    }
  }
}

TEST_CASE("a gradient that is too large is the same fault as on the CPU, or none", "[fault]") {
  for (const double clip_norm : {0.0, 0.5}) {
    const test::TrainingBench bench = test::small_bench(Activation::relu, Likelihood::gaussian, clip_norm);
    std::vector<float> values(101 * 50, 0.5f);
    values[0] = 1e14f;  // its square and the loss are finite, what it makes of the gradients' squares is not
    const Dataset data(values, 101, 50);
    const test::TrainingResult cpu = bench.run(test::cpu_executor(1), data, 6);
    // Clipping leaves a gradient that can be used.
    REQUIRE(cpu.fault.has_value() == (clip_norm == 0.0));
    for (const EpilogueSupport epilogues : test::epilogue_supports()) {
      INFO(test::name_of(epilogues) << ", clip " << clip_norm);
      const test::TrainingResult device = bench.run(test::setup_of(epilogues).executor(), data, 6);
      REQUIRE(device.fault.has_value() == cpu.fault.has_value());
      REQUIRE(device.metrics.size() == cpu.metrics.size());
      if (cpu.fault.has_value()) {
        CHECK(cpu.fault->element >= 0);
        CHECK(device.fault->step == cpu.fault->step);
        CHECK(device.fault->element == cpu.fault->element);
        continue;
      }
      double largest = 0.0;
      for (std::size_t i = 0; i < cpu.metrics.size(); ++i) {
        largest = std::max(largest, cpu.metrics[i].gradient_norm);
        CHECK(device.metrics[i].gradient_norm == Approx(cpu.metrics[i].gradient_norm).epsilon(1e-3));
      }
      CHECK(largest > 2e19);
    }
  }
}

TEST_CASE("after a fault nothing runs until a step is set", "[fault]") {
  const test::TrainingBench bench = test::small_bench(Activation::relu, Likelihood::gaussian);
  const Dataset data(std::vector<float>(101 * 50, 1e25f), 101, 50);
  test::SimtSetup setup = test::setup_of(EpilogueSupport::all);
  const test::Session session(setup, bench, data);
  session.program->run(3);
  REQUIRE(session.program->fault().has_value());
  CHECK(session.program->fault()->step == 1);
  session.program->run(100);
  const test::TrainingResult after = session.result();
  CHECK(after.metrics.empty());
  CHECK(test::compare_bits(after.parameters, bench.initial_parameters()) == "");
  session.program->set_step(4);
  CHECK_FALSE(session.program->fault().has_value());
  session.program->run(1);
  REQUIRE(session.program->fault().has_value());
  CHECK(session.program->fault()->step == 5);
}

TEST_CASE("what belongs to another backend is refused", "[backend]") {
  const test::TrainingBench bench = test::small_bench();
  const Dataset data = test::small_data();
  const std::int64_t size = bench.layout().size;
  const test::SimtSetup setup = test::setup_of(EpilogueSupport::all);
  const auto ours = setup.make();
  const auto other = setup.make();
  const auto cpu = make_cpu_backend(1);
  const Plan plan = test::plan_of(bench, data);
  const auto store = ours->make_parameters(size, true);
  const auto rows = ours->make_resident(data);
  const auto refused = [&](ParameterStore& parameters, const ResidentData* resident) {
    CHECK_THROWS_AS(ours->compile(plan, parameters, resident), std::logic_error);
  };
  refused(*cpu->make_parameters(size, true), rows.get());
  refused(*other->make_parameters(size, true), rows.get());
  refused(*ours->make_parameters(size + 16, true), rows.get());
  refused(*ours->make_parameters(size, false), rows.get());
  refused(*store, nullptr);
  refused(*store, cpu->make_resident(data).get());
  refused(*store, other->make_resident(data).get());
  refused(*store, ours->make_resident(test::small_data(100)).get());
  CHECK_THROWS_AS(store->write(Part::parameters, std::vector<float>(3)), std::logic_error);
  std::vector<float> values(static_cast<std::size_t>(size));
  CHECK_THROWS_AS(ours->make_parameters(size, false)->read(Part::moment1, values), std::logic_error);
  const auto program = ours->compile(plan, *store, rows.get());
  CHECK_THROWS_AS(program->read(0, values), std::logic_error);
  CHECK_THROWS_AS(program->write(-1, values), std::logic_error);
  CHECK_THROWS_AS(program->write(1000, values), std::logic_error);
}

TEST_CASE("a plan without its end or its beginning is refused", "[backend]") {
  const test::TrainingBench bench = test::small_bench();
  const Dataset data = test::small_data();
  const auto backend = test::setup_of(EpilogueSupport::all).make();
  const auto store = backend->make_parameters(bench.layout().size, true);
  const auto rows = backend->make_resident(data);
  const Plan whole = test::plan_of(bench, data);
  Plan no_end = whole;
  no_end.ops.pop_back();
  CHECK_THROWS_AS(backend->compile(no_end, *store, rows.get()), std::logic_error);
  Plan no_update = whole;
  no_update.ops.erase(no_update.ops.end() - 2);
  CHECK_THROWS_AS(backend->compile(no_update, *store, rows.get()), std::logic_error);
  Plan norm_alone = no_end;
  norm_alone.ops.back() = GradNorm{1.0f};
  CHECK_THROWS_AS(backend->compile(norm_alone, *store, rows.get()), std::logic_error);
}
