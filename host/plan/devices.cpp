// Which device a request comes to, and its backend.
#include <fmt/format.h>

#include <charconv>

#include "host/plan/backend.hpp"
#include "vaecuda/device.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr const char* kNoCuda = "this build has no CUDA backend";

/// The index of "cuda" (0) or "cuda:N"; −1 for anything else.
int cuda_index(const std::string& request) {
  if (request == "cuda") return 0;
  constexpr std::string_view kPrefix = "cuda:";
  if (request.compare(0, kPrefix.size(), kPrefix) != 0) return -1;
  int index = -1;
  const char* begin = request.data() + kPrefix.size();
  const char* end = request.data() + request.size();
  const auto [stop, error] = std::from_chars(begin, end, index);
  const bool canonical = end - begin == 1 || *begin != '0';
  return error == std::errc() && stop == end && index >= 0 && canonical ? index : -1;
}

}  // namespace

DeviceChoice choose_device(const std::string& request, int threads) {
  if (request == "cpu") return {make_cpu_backend(threads)->device(), {}};
  if (request == "auto") {
    return {make_cpu_backend(threads)->device(), fmt::format("training on the CPU: {}", kNoCuda)};
  }
  const int index = cuda_index(request);
  if (index < 0) {
    throw ConfigError(
        fmt::format("--device {}: there is no such device; allowed are auto, cpu, cuda and cuda:N", request));
  }
  throw DeviceError(fmt::format("--device {}: {}; use --device cpu or auto", request, kNoCuda));
}

std::unique_ptr<Backend> make_backend(const DeviceInfo& device, Precision precision) {
  if (device.kind == DeviceKind::cuda) throw DeviceError(kNoCuda);
  if (precision != Precision::fp32) {
    throw DeviceError(
        fmt::format("--precision {}: the CPU computes in fp32 only; use --precision fp32 or a GPU",
                    precision == Precision::tf32 ? "tf32" : "bf16"));
  }
  return make_cpu_backend(device.threads);
}

}  // namespace vaecuda
