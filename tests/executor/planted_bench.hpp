// An executor that runs the planted kernels, and what they are reported for.
#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "executor/planted_kernels.hpp"
#include "simt/error.hpp"
#include "simt/runtime.hpp"
#include "support/catch.hpp"

namespace vaecuda::test {

/// An executor with the buffers of the planted kernels.
struct Bench {
  simt::SimtRuntime runtime;
  PlantArgs args{};

  explicit Bench(const simt::SimtOptions& options = {}) : runtime(options) {
    std::vector<float> numbers(kPlantedFloats);
    std::iota(numbers.begin(), numbers.end(), 0.0f);
    args.in = filled<float>("in", numbers);
    args.scratch = filled<float>("scratch", numbers);
    numbers.resize(kRaggedFloats);
    args.ragged = filled<float>("ragged", numbers);
    args.counter = filled<std::uint32_t>("counter", {0, 0, 0, 0});
    args.words = filled<std::uint64_t>("words", {0, 0, 0, 0});
    args.out = static_cast<float*>(runtime.allocate(sizeof(float) * kPlantedFloats, "out"));
  }

  template <typename T>
  T* filled(const char* name, const std::vector<T>& values) {
    const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(T));
    void* memory = runtime.allocate(bytes, name);
    runtime.copy_to_device(memory, values.data(), bytes);
    return static_cast<T*>(memory);
  }

  void launch(const std::string& kernel, bool planted) {
    args.planted = planted;
    if (!launch_planted_access(kernel, args, runtime.stream()) &&
        !launch_planted_order(kernel, args, runtime.stream()))
      FAIL("no planted kernel " << kernel);
  }

  template <typename T>
  std::vector<T> read(const T* from, std::size_t count) {
    std::vector<T> values(count);
    runtime.copy_to_host(values.data(), from, static_cast<std::int64_t>(count * sizeof(T)));
    return values;
  }
};

/// What `work` is reported for; nothing if it passes.
inline std::optional<simt::Fault> fault_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const simt::SimtError& error) {
    // The message names the place as the fault does.
    const simt::Fault& fault = error.fault();
    const std::string message = error.what();
    CHECK(message.find(fault.what) != std::string::npos);
    if (!fault.kernel.empty()) CHECK(message.find("kernel " + fault.kernel) == 0);
    return fault;
  }
  return std::nullopt;
}

struct Expected {
  const char* kernel;
  simt::FaultKind kind;
  std::int64_t block;
  int x;
  int y;
  const char* buffer;  ///< "" where the fault has none
  std::int64_t offset;
  const char* what;  ///< part of the sentence
};

inline void check_fault(const simt::Fault& fault, const Expected& e) {
  INFO(fault.what);
  CHECK(fault.kind == e.kind);
  CHECK(fault.kernel == e.kernel);
  CHECK(fault.block == e.block);
  CHECK(fault.thread_x == e.x);
  CHECK(fault.thread_y == e.y);
  CHECK(fault.buffer == e.buffer);
  CHECK(fault.offset == e.offset);
  CHECK(fault.what.find(e.what) != std::string::npos);
}

/// The kernel passes as it is, and is reported with the fault in it.
inline void check_planted(const std::vector<Expected>& cases) {
  for (const Expected& e : cases) {
    INFO("kernel " << e.kernel);
    Bench right;
    const auto none = fault_of([&] { right.launch(e.kernel, false); });
    INFO("without the fault: " << (none ? none->what : "passes"));
    CHECK_FALSE(none.has_value());
    Bench wrong;
    const auto fault = fault_of([&] { wrong.launch(e.kernel, true); });
    REQUIRE(fault.has_value());
    check_fault(*fault, e);
  }
}

}  // namespace vaecuda::test
