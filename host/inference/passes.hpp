// The compiled passes of a model in use: encode, decode, reconstruct, evaluate. Each is compiled when it is
// first needed and kept.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "host/model/layout.hpp"
#include "host/plan/backend.hpp"
#include "host/plan/builder.hpp"
#include "vaecuda/config.hpp"

namespace vaecuda {

enum class PassKind { encode, decode, reconstruct, evaluate, likelihood };

/// Memory on the device that takes the place of an exchange buffer; null: it keeps its own.
struct NamedMemory {
  const char* buffer;
  float* memory;
};

/// One compiled pass over at most `capacity` rows at a time, which come and go by exchange buffers.
class Pass {
 public:
  Pass(Plan plan, std::int64_t capacity, Backend& backend, ParameterStore& store);

  [[nodiscard]] std::int64_t capacity() const { return capacity_; }
  /// Runs over rows first … first + rows − 1 of the whole, `rows` at most the capacity. `input` are their
  /// values: of "rows.raw", in decoding "rows.z".
  /// `condition`: C values for each of them, of a conditional model.
  void run(std::int64_t first, std::int64_t rows, std::span<const float> input,
           std::span<const float> condition = {});
  /// Runs over rows in the device's memory, `input` among them, results going to `out`; as
  /// Program::run_bound.
  void run_bound(std::int64_t first, std::int64_t rows, const float* input,
                 const std::vector<NamedMemory>& out, void* stream);
  /// What the last run left in an exchange buffer: `values` are those of its first rows.
  void read(const char* buffer, std::span<float> values);

 private:
  Plan plan_;
  std::int64_t capacity_;
  int input_;
  std::unique_ptr<Program> program_;
};

/// Not thread-safe.
class Passes {
 public:
  /// Everything referred to must outlive the passes. `batch_size`: rows at a time; 0: as many as 32 MiB hold.
  Passes(Backend& backend, ParameterStore& store, const ParameterLayout& layout, const ModelConfig& model,
         const Preparation& preparation, std::int64_t batch_size);

  /// How many rows go to the device at a time where `rows` are to come (−1: not known). Fewer with many
  /// samples of each, so that a caller hears of a long pass now and then.
  [[nodiscard]] std::int64_t capacity_for(std::int64_t rows, std::int64_t samples = 1) const;
  /// The pass for so many rows at a time, compiled if it is not there. Valid until the next call.
  /// `seed`: of the noise in evaluation. `samples`: of each row, for the likelihood.
  [[nodiscard]] Pass& get(PassKind kind, std::int64_t capacity, std::uint64_t seed = 0,
                          std::int64_t samples = 1);

 private:
  struct Entry {
    PassKind kind;
    std::int64_t capacity;
    std::uint64_t seed;
    std::int64_t samples;
    std::unique_ptr<Pass> pass;
  };
  [[nodiscard]] Plan build(PassKind kind, std::int64_t capacity, std::uint64_t seed,
                           std::int64_t samples) const;

  Backend& backend_;
  ParameterStore& store_;
  const ParameterLayout& layout_;
  const ModelConfig& model_;
  const Preparation& preparation_;
  std::int64_t most_rows_;
  std::list<Entry> entries_;  ///< the one used last comes first
};

}  // namespace vaecuda
