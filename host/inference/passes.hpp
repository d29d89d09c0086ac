// The compiled passes of a model in use: encode, decode, reconstruct, evaluate. Each is compiled when it is
// first needed and kept.
#pragma once

#include <atomic>
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
  /// `input`: the exchange buffer that its rows come in (host/plan/exchanged.hpp).
  Pass(Plan plan, const char* input, std::int64_t capacity, Backend& backend, ParameterStore& store);

  [[nodiscard]] std::int64_t capacity() const { return capacity_; }
  /// Runs over rows first … first + rows − 1 of the whole, `rows` at most the capacity. `input` are their
  /// values.
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

/// How many rows a pass takes.
struct PassSize {
  std::int64_t capacity = kInferenceBatch;  ///< by exchange buffers, at the most
  std::int64_t block = kInferenceBatch;     ///< of these computed at a time
};

/// What identifies a pass of a model.
struct PassKey {
  PassKind kind;
  PassSize size;
  std::uint64_t seed = 0;    ///< of the noise in evaluation
  std::int64_t samples = 1;  ///< of each row, for the likelihood
};

struct KeptPass {
  PassKey key;
  std::unique_ptr<Pass> pass;
};

/// The passes of a model, for any number of threads. Each call has one to itself, with its own memory: one
/// that is kept and not in use, or one that is compiled. Idle ones are kept, the seven used last and as many
/// more as were ever in use at once. Where more are wanted than the device runs at a time, a call waits for
/// another's end.
///
/// A forked process has none of the passes that its parent had: another thread may have been in the middle of
/// one, or of this list. It leaves the parent's memory alone and begins with an empty list.
class Passes {
  struct Shelf;

 public:
  /// Everything referred to must outlive the passes. `batch_size`: rows at a time; 0: as many as 32 MiB hold.
  Passes(Backend& backend, ParameterStore& store, const ParameterLayout& layout, const ModelConfig& model,
         const Preparation& preparation, std::int64_t batch_size);
  ~Passes();
  Passes(const Passes&) = delete;
  Passes& operator=(const Passes&) = delete;

  /// How many rows go to the device at a time where `rows` are to come (−1: not known), and in what blocks.
  /// Fewer with many samples of each, so that a caller hears of a long pass now and then.
  /// \throws ConfigError for a pass that the model does not have
  [[nodiscard]] PassSize size_for(PassKind kind, std::int64_t rows, std::int64_t samples = 1) const;

  /// A pass that nobody else uses until the end of this.
  class Lease {
   public:
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    /// Valid until the pass is given to somebody else, or dropped for another one.
    [[nodiscard]] Pass& pass() const;

   private:
    friend class Passes;
    explicit Lease(Shelf& shelf);
    Shelf* shelf_;
    std::list<KeptPass> held_;  ///< one, so that giving it back needs no memory
  };
  [[nodiscard]] Lease take(const PassKey& key);

 private:
  [[nodiscard]] Shelf& shelf();
  [[nodiscard]] Plan build(const PassKey& key) const;
  /// As many rows as 32 MiB hold of all that goes in and comes out, labels as vectors included; or as asked.
  [[nodiscard]] std::int64_t most_rows(PassKind kind) const;

  Backend& backend_;
  ParameterStore& store_;
  const ParameterLayout& layout_;
  const ModelConfig& model_;
  const Preparation& preparation_;
  std::int64_t batch_size_;
  std::atomic<Shelf*> shelf_;  ///< of the process that used it last
};

}  // namespace vaecuda
