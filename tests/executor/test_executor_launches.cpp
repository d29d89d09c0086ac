// The executor's launches and what host code does with its device: what cannot be run or is misused is
// reported.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "executor/planted_bench.hpp"
#include "kernels/device/failure.hpp"
#include "support/catch.hpp"

using namespace vaecuda;
using simt::FaultKind;
using test::Bench;
using test::check_fault;
using test::check_planted;
using test::fault_of;

TEST_CASE("launches that cannot be run are reported", "[executor]") {
  constexpr auto kKind = FaultKind::launch_shape;
  check_planted({
      {"no dynamic shared", kKind, 0, 0, 0, "", -1,
       "asks for dynamic shared memory, and the launch has none"},
      {"too much shared", kKind, 0, 0, 0, "", -1, "needs more than 49152 bytes of shared memory"},
      {"random offset", kKind, 1, 1, 1, "", -1, "an offset that is no multiple of 4"},
  });
  Bench bench;
  const auto shape_fault = [&](const char* kernel) {
    return fault_of([&] { bench.launch(kernel, false); }).value();
  };
  check_fault(shape_fault("no whole warps"), {"no whole warps", kKind, -1, -1, -1, "", -1,
                                              "blocks of 48 threads: no multiple of a warp's 32"});
  check_fault(shape_fault("too many blocks"),
              {"too many blocks", kKind, -1, -1, -1, "", -1, "at most 1048576 blocks"});
  // What CUDA refuses is refused as CUDA does.
  const auto error_of = [&](const char* kernel) {
    try {
      bench.launch(kernel, false);
    } catch (const device::Failure& failure) {
      CHECK(failure.what() == "kernel " + std::string(kernel));
      return failure.error_code();
    }
    return 0;
  };
  CHECK(error_of("no blocks") == 9);  // cudaErrorInvalidConfiguration
  CHECK(error_of("too many threads") == 9);
  CHECK(error_of("too much dynamic shared") == 1);      // cudaErrorInvalidValue
  CHECK(error_of("grid that is not resident") == 720);  // cudaErrorCooperativeLaunchTooLarge
}

TEST_CASE("barriers of the grid and tickets give what they promise", "[executor]") {
  const std::vector<float> last_turn(test::kPlantedFloats, 2.0f);
  for (const char* kernel : {"grid barrier", "grid barrier by hand", "cluster barrier"}) {
    INFO("kernel " << kernel);
    Bench bench;
    bench.launch(kernel, false);
    CHECK(bench.read(bench.args.out, test::kPlantedFloats) == last_turn);
  }
  Bench bench;
  bench.launch("ticket without barrier", false);
  CHECK(bench.read(bench.args.out, test::kPlantedThreads) == std::vector<float>(test::kPlantedThreads, 4.0f));
  CHECK(bench.read(bench.args.counter, 1) ==
        std::vector<std::uint32_t>{2});  // of one launch, run in two orders
}

TEST_CASE("a captured kernel is watched when its graph runs", "[executor]") {
  Bench bench;
  std::unique_ptr<cuda::Graph> graph;
  CHECK_FALSE(fault_of([&] {
                graph = bench.runtime.capture([&] {
                  bench.launch("read past end", false);
                  bench.launch("read past end", true);
                });
              }).has_value());
  CHECK(graph->kernel_nodes() == 2);
  for (int i = 0; i < 2; ++i) {
    check_fault(fault_of([&] { graph->launch(); }).value(), {"read past end", FaultKind::out_of_bounds, 1, 31,
                                                             1, "in", 512, "past the end of buffer 'in'"});
  }
}

TEST_CASE("host code that misuses the device is reported", "[executor]") {
  Bench bench;
  simt::SimtRuntime& runtime = bench.runtime;
  const auto check = [](const std::function<void()>& work, FaultKind kind, const char* buffer,
                        const char* what) {
    INFO(what);
    const auto fault = fault_of(work);
    REQUIRE(fault.has_value());
    INFO(fault->what);
    CHECK(fault->kind == kind);
    CHECK(fault->kernel.empty());
    CHECK(fault->buffer == buffer);
    CHECK(fault->what.find(what) != std::string::npos);
  };
  std::vector<float> host(2 * test::kPlantedFloats, 0.0f);
  const std::int64_t bytes = 4 * test::kPlantedFloats;
  check([&] { runtime.copy_to_device(bench.args.out + 1, host.data(), bytes); }, FaultKind::out_of_bounds,
        "out", "copy to device: 512 bytes from byte 4 of buffer 'out' (512 bytes) are not inside one buffer");
  check([&] { runtime.copy_to_host(host.data(), bench.args.in, 2 * bytes); }, FaultKind::out_of_bounds, "in",
        "copy to host: 1024 bytes from byte 0");
  check([&] { runtime.fill_zero(host.data(), 4); }, FaultKind::out_of_bounds, "",
        "memory that is not the device's (rw-p ");
  check([&] { runtime.copy_to_host(host.data(), bench.args.in, -1); }, FaultKind::host, "",
        "a negative number of bytes");
  check(
      [&] {
        kernels::Stream stream = nullptr;
        static_cast<void>(test::launch_planted_access("copy", bench.args, stream));
      },
      FaultKind::host, "", "a stream that is not a living executor's");

  kernels::GemmSpec product;
  product.name = "unwritten";
  product.rows = product.cols = product.inner = 4;
  product.a = bench.args.in;
  product.b = bench.args.out;
  product.d = bench.args.scratch;
  product.a_stride = product.b_stride = product.d_stride = 4;
  const auto gemm = runtime.make_gemm(product, false);
  REQUIRE(gemm != nullptr);
  check([&] { gemm->enqueue(runtime.stream()); }, FaultKind::uninitialized, "out",
        "which nothing has written");
  runtime.fill_zero(bench.args.out, bytes);
  CHECK_FALSE(fault_of([&] { gemm->enqueue(runtime.stream()); }).has_value());

  void* pinned = runtime.allocate_pinned(bytes);
  std::fill_n(static_cast<float*>(pinned), test::kPlantedFloats, 1.0f);
  runtime.copy_to_device(bench.args.out, pinned, bytes);
  static_cast<float*>(pinned)[3] = 2.0f;
  check([&] { runtime.synchronize(); }, FaultKind::host, "",
        "pinned memory was changed while it was being copied to the device");
  // What is read into pinned memory is there after a wait, not before.
  runtime.copy_to_host(pinned, bench.args.in, bytes);
  CHECK(static_cast<float*>(pinned)[5] != 5.0f);
  runtime.synchronize();
  CHECK(static_cast<float*>(pinned)[5] == 5.0f);
  runtime.release_pinned(pinned);
}
