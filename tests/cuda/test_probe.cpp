// The kernels and the host side that measure a device: what they do is right, whatever it takes here.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "host/cuda/machine.hpp"
#include "kernels/device/failure.hpp"
#include "kernels/probe.hpp"
#include "simt/error.hpp"
#include "simt/runtime.hpp"
#include "support/catch.hpp"
#include "support/files.hpp"
#include "vaecuda/error.hpp"

using namespace vaecuda;

namespace {

constexpr cuda::MachineSizes kSmall{8192, 32, 5, 3};

std::unique_ptr<Machine> small_machine(int capability, simt::SimtOptions options = {}) {
  options.facts.capability = capability;
  return cuda::make_cuda_machine(std::make_unique<simt::SimtRuntime>(options), kSmall);
}

std::size_t find(const Machine& machine, const std::string& name) {
  for (std::size_t i = 0; i < machine.ceilings().size(); ++i) {
    if (machine.ceilings()[i].name == name) return i;
  }
  FAIL("no ceiling " << name);
  return 0;
}

}  // namespace

TEST_CASE("a copy copies every byte and no more", "[probe]") {
  simt::SimtRuntime runtime;
  for (const std::int64_t quads : {1, 255, 256, 1023, 1024, 1025, 3000}) {
    INFO(quads << " quads");
    std::vector<std::uint32_t> values(static_cast<std::size_t>(4 * quads));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint32_t>(i * 2654435761U);
    const auto bytes = static_cast<std::int64_t>(4 * values.size());
    void* from = runtime.allocate(bytes, "from");
    void* to = runtime.allocate(bytes, "to");
    runtime.copy_to_device(from, values.data(), bytes);
    kernels::launch(kernels::CopyProbeArgs{from, to, quads}, runtime.stream());
    std::vector<std::uint32_t> copy(values.size());
    runtime.copy_to_host(copy.data(), to, bytes);
    CHECK(copy == values);
    runtime.release(from);
    runtime.release(to);
  }
}

TEST_CASE("every block passes every barrier", "[probe]") {
  simt::SimtRuntime runtime;
  kernels::BarrierProbeArgs args;
  args.blocks = 4;
  args.barriers = 7;
  args.passed = static_cast<std::int32_t*>(runtime.allocate(16, "passed"));
  args.counter = static_cast<std::uint32_t*>(runtime.allocate(4, "counter"));
  const auto check_passed = [&] {
    std::vector<std::int32_t> passed(4);
    runtime.copy_to_host(passed.data(), args.passed, 16);
    CHECK(passed == std::vector<std::int32_t>(4, 7));
    runtime.fill_zero(args.passed, 16);
  };
  kernels::launch(args, runtime.stream());
  check_passed();
  args.kind = kernels::BarrierKind::cluster;
  args.cluster = 2;
  kernels::launch(args, runtime.stream());
  check_passed();
  args.kind = kernels::BarrierKind::by_hand;
  runtime.fill_zero(args.counter, 4);
  kernels::launch(args, runtime.stream());
  check_passed();
  std::uint32_t arrivals = 0;
  runtime.copy_to_host(&arrivals, args.counter, 4);
  CHECK(arrivals == 28);
  args.kind = kernels::BarrierKind::cluster;
  args.cluster = 3;
  CHECK_THROWS_AS(kernels::launch(args, runtime.stream()), device::Failure);
  runtime.release(args.passed);
  runtime.release(args.counter);
}

TEST_CASE("a machine measures every ceiling that its device has", "[probe]") {
  const auto machine = small_machine(90);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < machine->ceilings().size(); ++i) {
    const Ceiling& ceiling = machine->ceilings()[i];
    INFO(ceiling.name);
    names.push_back(ceiling.name);
    CHECK(ceiling.refused.empty());
    CHECK(ceiling.amount > 0.0);
    CHECK_FALSE(ceiling.detail.empty());
    CHECK(machine->timed_run(i, 1) > 0.0);
    CHECK(machine->timed_run(i, 2) > 0.0);
  }
  CHECK(names == std::vector<std::string>{"copy", "gemm fp32", "gemm tf32", "gemm bf16", "kernel launch",
                                          "graph node", "graph node, dependent launch", "grid barrier",
                                          "grid barrier by hand", "cluster barrier"});
}

TEST_CASE("a machine works as much as it says", "[probe]") {
  auto owned = std::make_unique<simt::SimtRuntime>();
  simt::SimtRuntime& runtime = *owned;
  const auto machine = cuda::make_cuda_machine(std::move(owned), kSmall);
  const auto launches_of = [&](const char* name) {
    const std::size_t ceiling = find(*machine, name);
    static_cast<void>(machine->timed_run(ceiling, 1));  // makes what it needs
    const std::int64_t before = runtime.launches();
    static_cast<void>(machine->timed_run(ceiling, 3));
    return runtime.launches() - before;
  };
  CHECK(launches_of("copy") == 3);
  CHECK(launches_of("gemm bf16") == 3);
  for (const char* name : {"kernel launch", "graph node", "graph node, dependent launch"}) {
    CHECK(launches_of(name) == 3 * kSmall.launches);
    CHECK(machine->ceilings()[find(*machine, name)].amount == static_cast<double>(kSmall.launches));
  }
  CHECK(launches_of("grid barrier by hand") == 3);
  CHECK(machine->ceilings()[find(*machine, "copy")].amount == 2.0 * static_cast<double>(kSmall.copy_bytes));
  CHECK(machine->ceilings()[find(*machine, "gemm fp32")].amount == 2.0 * 32 * 32 * 32);
}

TEST_CASE("what a device lacks is refused with the reason", "[probe]") {
  const auto machine = small_machine(75);
  for (const char* name : {"gemm tf32", "gemm bf16"}) {
    CHECK(machine->ceilings()[find(*machine, name)].refused == "it needs a GPU of sm_80 or newer");
  }
  for (const char* name : {"graph node, dependent launch", "cluster barrier"}) {
    CHECK(machine->ceilings()[find(*machine, name)].refused == "it needs a GPU of sm_90 or newer");
    CHECK_THROWS_AS(static_cast<void>(machine->timed_run(find(*machine, name), 1)), std::logic_error);
  }
  for (const char* name : {"copy", "gemm fp32", "graph node", "grid barrier", "grid barrier by hand"}) {
    CHECK(machine->ceilings()[find(*machine, name)].refused.empty());
  }
}

TEST_CASE("a machine takes no more memory than there is", "[probe]") {
  simt::SimtOptions options;
  options.facts.memory_bytes = 16384;
  const auto machine = small_machine(90, options);
  const std::size_t copy = find(*machine, "copy");
  CHECK(machine->ceilings()[copy].amount == 2.0 * 4096);
  CHECK(machine->timed_run(copy, 1) > 0.0);
  options.facts.memory_bytes = 4096;
  const auto smaller = small_machine(90, options);
  test::check_error<OutOfMemoryError>(
      [&] { static_cast<void>(smaller->timed_run(find(*smaller, "gemm fp32"), 1)); }, {"a product's matrix"});
}

TEST_CASE("a launch that fails in a measurement is the library's error", "[probe]") {
  simt::SimtOptions options;
  options.launch = {4, 719};
  const auto machine = small_machine(90, options);
  test::check_error<RuntimeError>(
      [&] { static_cast<void>(machine->timed_run(find(*machine, "graph node"), 1)); },
      {"empty_probe", "719"});
}
