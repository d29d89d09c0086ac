// Passes over rows in the caller's device memory: the bits of the way over the host, nothing read or written
// past the rows, on a stream of the caller's.
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/test_backend.hpp"
#include "host/inference/passes.hpp"
#include "simt/error.hpp"

using namespace vaecuda;

namespace {

constexpr std::int64_t kColumns = 9;
constexpr std::int64_t kLatents = 3;

/// A model on the executor's device, and memory that a host program would have there.
class DeviceModel {
 public:
  explicit DeviceModel(Precision precision) {
    auto runtime = std::make_unique<simt::SimtRuntime>(simt::SimtOptions{});
    runtime_ = runtime.get();
    cuda::BackendOptions options;
    options.precision = precision;
    backend_ = cuda::make_cuda_backend(std::move(runtime), options);
    std::vector<float> parameters(static_cast<std::size_t>(layout_.size));
    initialize_parameters(layout_, config_, 3, parameters.data());
    store_ = backend_->make_parameters(layout_.size, false);
    store_->write(ParameterStore::Part::parameters, parameters);
    preparation_.scale = 0.5f;
    preparation_.binarize = Binarize::stochastic;
    passes_ = std::make_unique<Passes>(ModelOnDevice{*backend_, *store_, layout_, config_, preparation_}, 1);
  }
  [[nodiscard]] simt::SimtRuntime& runtime() { return *runtime_; }
  [[nodiscard]] Passes& passes() { return *passes_; }

  /// Device memory of exactly so many floats: whatever leaves it is a fault.
  float* allocate(std::int64_t floats) {
    auto* memory = static_cast<float*>(runtime_->allocate(floats * 4, "the caller's rows"));
    REQUIRE(memory != nullptr);
    const std::vector<float> zeros(static_cast<std::size_t>(floats), 0.0f);
    runtime_->copy_to_device(memory, zeros.data(), floats * 4);
    return memory;
  }
  std::vector<float> read(const float* memory, std::int64_t floats) {
    std::vector<float> values(static_cast<std::size_t>(floats));
    runtime_->copy_to_host(values.data(), memory, floats * 4);
    runtime_->synchronize();
    return values;
  }

 private:
  ModelConfig config_ = test::small_config(kColumns, {6}, kLatents, 8).model;
  ParameterLayout layout_ = make_layout(config_);
  Preparation preparation_;
  simt::SimtRuntime* runtime_ = nullptr;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<ParameterStore> store_;
  std::unique_ptr<Passes> passes_;
};

}  // namespace

TEST_CASE("rows in device memory give the bits of rows from the host", "[bound]") {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    DeviceModel model(precision);
    simt::SimtRuntime callers;  // its stream stands for one of the host program's
    for (const std::int64_t rows : {1, 255, 256, 300}) {
      INFO("precision " << static_cast<int>(precision) << ", " << rows << " rows");
      std::vector<float> x = test::noise(rows * kColumns, 7, 0.4);
      for (float& v : x) v += 0.9f;
      float* device_x = model.allocate(rows * kColumns);
      model.runtime().copy_to_device(device_x, x.data(), rows * kColumns * 4);
      float* nll = model.allocate(rows);
      float* kl = model.allocate(rows);
      float* mu = model.allocate(rows * kLatents);
      float* logvar = model.allocate(rows * kLatents);
      const std::vector<float> z = test::noise(rows * kLatents, 8, 1.0);
      float* device_z = model.allocate(rows * kLatents);
      model.runtime().copy_to_device(device_z, z.data(), rows * kLatents * 4);
      float* decoded = model.allocate(rows * kColumns);
      float* reconstructed = model.allocate(rows * kColumns);

      Pass& evaluate = model.passes().take({PassKind::evaluate, {}, 5}).pass();
      evaluate.run_bound(0, rows, device_x, {{"rows.nll", nll}, {"rows.kl", kl}}, callers.stream());
      Pass& encode = model.passes().take({PassKind::encode, {}}).pass();
      encode.run_bound(0, rows, device_x, {{"rows.mu", mu}, {"rows.logvar", logvar}}, nullptr);
      Pass& decode = model.passes().take({PassKind::decode, {}}).pass();
      decode.run_bound(0, rows, device_z, {{"rows.mean", decoded}}, callers.stream());
      Pass& reconstruct = model.passes().take({PassKind::reconstruct, {}}).pass();
      reconstruct.run_bound(0, rows, device_x, {{"rows.mean", reconstructed}}, nullptr);

      // The same programs on their own buffers, in parts, as a model in use runs them.
      std::vector<float> part;
      const auto check_part = [&](Pass& pass, const char* buffer, const float* memory, std::int64_t columns) {
        const std::vector<float> bound = model.read(memory, rows * columns);
        const bool from_latents = &pass == &decode;
        const std::span<const float> input = from_latents ? z : x;
        const std::int64_t width = from_latents ? kLatents : kColumns;
        for (std::int64_t first = 0; first < rows; first += kInferenceBatch) {
          const std::int64_t count = std::min(kInferenceBatch, rows - first);
          pass.run(first, count,
                   input.subspan(static_cast<std::size_t>(first * width),
                                 static_cast<std::size_t>(count * width)));
          part.resize(static_cast<std::size_t>(count * columns));
          pass.read(buffer, part);
          const auto begin = bound.begin() + first * columns;
          CHECK(test::compare_bits({begin, begin + count * columns}, part) == "");
        }
      };
      check_part(evaluate, "rows.nll", nll, 1);
      check_part(evaluate, "rows.kl", kl, 1);
      check_part(encode, "rows.mu", mu, kLatents);
      check_part(encode, "rows.logvar", logvar, kLatents);
      check_part(decode, "rows.mean", decoded, kColumns);
      check_part(reconstruct, "rows.mean", reconstructed, kColumns);

      // A result that is not wanted stays in the program's own buffer, however many rows there are.
      encode.run_bound(0, rows, device_x, {{"rows.mu", mu}, {"rows.logvar", nullptr}}, nullptr);
      for (float* memory : {device_x, nll, kl, mu, logvar, device_z, decoded, reconstructed})
        model.runtime().release(memory);
    }
  }
}

TEST_CASE("a stream that is none and a buffer that is none are refused", "[bound]") {
  DeviceModel model(Precision::fp32);
  float* x = model.allocate(kColumns);
  Pass& pass = model.passes().take({PassKind::evaluate, {}, 5}).pass();
  std::uint64_t no_stream[64] = {};
  CHECK_THROWS_AS(pass.run_bound(0, 1, x, {}, no_stream), simt::SimtError);
  CHECK_THROWS_AS(pass.run_bound(0, 1, x, {{"rows.z", x}}, nullptr), std::logic_error);
  // The program is as it was.
  const std::vector<float> row(static_cast<std::size_t>(kColumns), 0.5f);
  pass.run(0, 1, row);
  std::vector<float> nll(1);
  pass.read("rows.nll", nll);
  CHECK(nll[0] > 0.0f);
  model.runtime().release(x);
}
