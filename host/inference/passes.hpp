// The compiled passes of a model in use. Each is compiled when it is first needed and kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "host/inference/pass.hpp"

namespace vaecuda {

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
  /// `batch_size`: rows at a time; 0: as many as 32 MiB hold.
  Passes(const ModelOnDevice& model, std::int64_t batch_size);
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
    /// Not of a turn. Valid until the pass is given to somebody else, or dropped for another one.
    [[nodiscard]] Pass& pass() const;

   private:
    friend class Passes;
    explicit Lease(Shelf& shelf);
    Shelf* shelf_;
    std::list<KeptPass> held_;  ///< one, so that giving it back needs no memory
  };
  [[nodiscard]] Lease take(const PassKey& key);
  /// A turn on the device without a pass: of what it runs at a time, one is the holder's.
  [[nodiscard]] Lease turn();

 private:
  [[nodiscard]] Shelf& shelf();
  /// Waits with the lock of the shelf for a turn on the device.
  static Lease next_turn(Shelf& shelf, std::unique_lock<std::mutex>& lock);
  /// As many rows as 32 MiB hold of all that goes in and comes out, labels as vectors included; or as asked.
  [[nodiscard]] std::int64_t most_rows(PassKind kind) const;

  ModelOnDevice model_;
  std::int64_t batch_size_;
  std::atomic<Shelf*> shelf_;  ///< of the process that used it last
};

}  // namespace vaecuda
