// infer --rows: the time of a call with a few rows through the public API, compared with the time in which
// the same core reads the model's weights once.
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>

#include "bench/commands.hpp"
#include "bench/workload.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// Memory like that of the model's weights: of the same size, and on huge pages if it is large.
class Weights {
 public:
  explicit Weights(std::int64_t floats) : blocks_(floats / kFloats) {
    constexpr std::size_t kHugePage = std::size_t{2} << 20;
    const std::size_t bytes =
        (static_cast<std::size_t>(floats) * sizeof(float) + kHugePage - 1) / kHugePage * kHugePage;
    memory_.reset(static_cast<Block*>(std::aligned_alloc(kHugePage, bytes)));
    if (memory_ == nullptr) throw OutOfMemoryError(fmt::format("no memory for {} weights", floats));
#if defined(MADV_HUGEPAGE)
    (void)madvise(memory_.get(), bytes, MADV_HUGEPAGE);
#endif
    std::fill_n(reinterpret_cast<unsigned char*>(memory_.get()), bytes, static_cast<unsigned char>(1));
  }

  /// Reads all of it once, as fast as a loop can; the result keeps the compiler from removing the loop.
  [[nodiscard]] std::uint64_t read() const {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") != 0) return read_wide(memory_.get(), blocks_);
#endif
    return read_all(memory_.get(), blocks_);
  }

 private:
  using Block __attribute__((vector_size(32))) = std::uint64_t;
  static constexpr std::int64_t kFloats = 8;

  /// Separate sums, so that no load waits for another.
  [[gnu::always_inline]] static inline std::uint64_t read_all(const Block* block, std::int64_t blocks) {
    Block a = {};
    Block b = {};
    Block c = {};
    Block d = {};
    for (std::int64_t i = 0; i + 4 <= blocks; i += 4) {
      a ^= block[i];
      b ^= block[i + 1];
      c ^= block[i + 2];
      d ^= block[i + 3];
    }
    const Block all = a ^ b ^ c ^ d;
    return all[0] ^ all[1] ^ all[2] ^ all[3];
  }
#if defined(__x86_64__)
  [[gnu::target("avx2"), gnu::noinline]] static std::uint64_t read_wide(const Block* block,
                                                                        std::int64_t blocks) {
    return read_all(block, blocks);
  }
#endif

  struct Free {
    void operator()(Block* memory) const { std::free(memory); }
  };
  std::int64_t blocks_;
  std::unique_ptr<Block, Free> memory_;
};

/// A folder that is removed with this object.
class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "vaecuda-bench-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) throw RuntimeError(fmt::format("{}: cannot be made", path_));
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A model obtained as by a user: after a step of training, from a file.
Vae make_model(const Shape& shape, const BenchOptions& options) {
  constexpr std::int64_t kRows = 16;
  const Folder folder;
  RunConfig config;
  config.model.hidden = shape.hidden;
  config.model.latent_dim = shape.latent_dim;
  if (options.values == Values::floats) config.model.likelihood = Likelihood::gaussian;
  config.train = options.train;
  config.train.batch_size = kRows;
  config.train.steps = 1;
  config.output.dir = folder / "run";
  Trainer trainer(config, {random_rows(options.values, kRows, shape.input, config.train.seed), {}, {}});
  RunOn on;
  on.device = options.train.device;
  on.threads = options.train.threads;
  on.precision = options.train.precision;
  return Vae::load(trainer.run().model, on);
}

std::vector<float> floats_of(const Dataset& data) {
  if (data.type() == ElementType::u8) return {data.u8().begin(), data.u8().end()};
  return {data.f32().begin(), data.f32().end()};
}

/// A result value, so that the call is not optimized away.
void keep(std::uint64_t value) {
  asm volatile("" : : "r"(value));
}

struct Call {
  const char* name;
  std::function<void()> run;
};

}  // namespace

std::vector<Json> measure_few_rows(const BenchOptions& options, const Shape& shape) {
  const Vae vae = make_model(shape, options);
  const bool on_cpu = vae.device().kind == DeviceKind::cpu;
  const Weights weights(vae.info().parameters);
  std::vector<Json> results;
  for (const std::int64_t rows : options.rows) {
    const std::vector<float> x =
        floats_of(random_rows(options.values, rows, shape.input, options.train.seed));
    const std::vector<float> z =
        floats_of(random_rows(Values::floats, rows, shape.latent_dim, options.train.seed));
    std::uint64_t read = 0;
    const std::vector<Call> calls = {{"read weights", [&] { read ^= weights.read(); }},
                                     {"encode", [&] { static_cast<void>(vae.encode(x)); }},
                                     {"decode", [&] { static_cast<void>(vae.decode(z)); }},
                                     {"reconstruct", [&] { static_cast<void>(vae.reconstruct(x)); }},
                                     {"score", [&] { static_cast<void>(vae.elbo(x)); }}};
    // Interleaved within each repeat, so that all are measured in the same state of the machine.
    const std::vector<Measurement> times = measure_parts(options.budget, [&calls](std::int64_t runs) {
      std::vector<double> seconds;
      for (const Call& call : calls) {
        const Clock::time_point began = Clock::now();
        for (std::int64_t i = 0; i < runs; ++i) call.run();
        seconds.push_back(std::chrono::duration<double>(Clock::now() - began).count() /
                          static_cast<double>(runs));
      }
      return seconds;
    });
    keep(read);
    for (std::size_t i = 1; i < calls.size(); ++i) {
      const Measurement& time = times[i];
      Json row = describe(shape);
      row.erase("batch_size");  // of training
      row["pass"] = calls[i].name;
      row["rows"] = rows;
      row["precision"] = name_of(options.train.precision);
      row["us_per_call"] = time.seconds * 1e6;
      row["us_fastest"] = time.fastest * 1e6;
      add_quality(row, time, "calls_per_repeat");
      row["rows_per_second"] = static_cast<double>(rows) / time.seconds;
      row["us_read_weights"] = on_cpu ? Json(times[0].seconds * 1e6) : Json();
      row["us_read_fastest"] = on_cpu ? Json(times[0].fastest * 1e6) : Json();
      row["readings"] = on_cpu ? Json(time.seconds / times[0].seconds) : Json();
      row["readings_fastest"] = on_cpu ? Json(time.fastest / times[0].fastest) : Json();
      results.push_back(row);
    }
  }
  return results;
}

}  // namespace vaecuda::bench
