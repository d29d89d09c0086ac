#include "host/inference/passes.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>

namespace vaecuda {
namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{32} << 20;
constexpr std::int64_t kMostRows = 65536;
constexpr std::int64_t kMostPairs = std::int64_t{1} << 20;  // (row, sample): seconds on one core
constexpr std::size_t kIdlePasses =
    7;  // beside those in use: each holds its activations and exchange buffers
// A few rows in a block of so many. Between them nothing: each size would be a program of its own.
constexpr std::int64_t kSmallBlocks[] = {1, 8, 32};
constexpr std::int64_t kSmallCapacity = 128;  // in the largest of them, from here on the full block is faster

std::int64_t in_blocks(std::int64_t rows) {
  return (rows + kInferenceBatch - 1) / kInferenceBatch * kInferenceBatch;
}

/// All that goes in and comes out, for every pass alike.
std::int64_t exchange_bytes(const Plan& plan) {
  std::int64_t bytes = 0;
  for (const Buffer& buffer : plan.buffers) {
    if (buffer.kind == BufferKind::exchange) bytes += 4 * buffer.size();
  }
  return bytes;
}

}  // namespace

/// What is there of a process's passes.
struct Passes::Shelf {
  explicit Shelf(int most) : most_at_once(most) {}

  const pid_t process = ::getpid();
  const int most_at_once;
  std::mutex guard;  ///< of everything below
  std::condition_variable returned;
  std::list<KeptPass> idle;  ///< the one used last comes first
  int in_use = 0;
  int most_in_use = 0;  ///< ever

  /// Takes the oldest ones off that are more than are kept; they end with the result, outside of the guard.
  [[nodiscard]] std::list<KeptPass> surplus() {
    std::list<KeptPass> dropped;
    const std::size_t kept = kIdlePasses + static_cast<std::size_t>(most_in_use);
    while (!idle.empty() && idle.size() + static_cast<std::size_t>(in_use) > kept) {
      dropped.splice(dropped.begin(), idle, std::prev(idle.end()));
    }
    return dropped;
  }
};

Passes::Lease::Lease(Shelf& shelf) : shelf_(&shelf) {}

Passes::Lease::Lease(Lease&& other) noexcept
    : shelf_(std::exchange(other.shelf_, nullptr)), held_(std::move(other.held_)) {}

Passes::Lease::~Lease() {
  if (shelf_ == nullptr) return;
  std::list<KeptPass> dropped;
  {
    const std::lock_guard<std::mutex> lock(shelf_->guard);
    --shelf_->in_use;
    shelf_->idle.splice(shelf_->idle.begin(), held_);
    dropped = shelf_->surplus();
  }
  shelf_->returned.notify_one();
}

Pass& Passes::Lease::pass() const {
  return *held_.front().pass;
}

Passes::Passes(const ModelOnDevice& model, std::int64_t batch_size)
    : model_(model), batch_size_(batch_size), shelf_(new Shelf(model.backend.programs_at_once())) {}

Passes::~Passes() {
  Shelf* shelf = shelf_.load();
  // A parent's, as shelf() leaves it.
  if (shelf->process == ::getpid()) delete shelf;
}

Passes::Shelf& Passes::shelf() {
  Shelf* found = shelf_.load(std::memory_order_acquire);
  if (found->process == ::getpid()) return *found;
  // The parent's is left as it is, for as long as this process lives: its lock may be held, and its list may
  // be half changed, by a thread that is not here.
  auto own = std::make_unique<Shelf>(found->most_at_once);
  if (shelf_.compare_exchange_strong(found, own.get(), std::memory_order_acq_rel)) return *own.release();
  return *found;  // another thread of this process was faster
}

std::int64_t Passes::most_rows(PassKind kind) const {
  if (batch_size_ > 0) return in_blocks(batch_size_);
  const std::int64_t row_bytes = exchange_bytes(build_pass_plan(model_, {kind})) / kInferenceBatch;
  const std::int64_t fitting = kBlockBytes / row_bytes / kInferenceBatch * kInferenceBatch;
  return std::clamp(fitting, kInferenceBatch, kMostRows);
}

PassSize Passes::size_for(PassKind kind, std::int64_t rows, std::int64_t samples) const {
  // Few rows are answered fast where that does not change them.
  if (rows >= 0 && rows <= kSmallCapacity && model_.backend.has_small_blocks()) {
    for (const std::int64_t block : kSmallBlocks) {
      if (rows <= block) return {block, block};
    }
    return {kSmallCapacity, std::end(kSmallBlocks)[-1]};
  }
  if (rows >= 0 && rows <= kInferenceBatch) return {};
  const std::int64_t most = most_rows(kind);
  return {samples > 1 ? std::min(most, in_blocks(kMostPairs / samples + 1)) : most, kInferenceBatch};
}

Passes::Lease Passes::turn() {
  Shelf& own = shelf();
  std::unique_lock<std::mutex> lock(own.guard);
  return next_turn(own, lock);
}

Passes::Lease Passes::next_turn(Shelf& shelf, std::unique_lock<std::mutex>& lock) {
  shelf.returned.wait(lock, [&shelf] { return shelf.in_use < shelf.most_at_once; });
  Lease lease(shelf);
  ++shelf.in_use;
  return lease;
}

Passes::Lease Passes::take(const PassKey& key) {
  Shelf& own = shelf();
  std::list<KeptPass> dropped;
  std::unique_lock<std::mutex> lock(own.guard);
  Lease lease = next_turn(own, lock);
  own.most_in_use = std::max(own.most_in_use, own.in_use);
  const auto found = std::find_if(own.idle.begin(), own.idle.end(),
                                  [&key](const KeptPass& kept) { return kept.key == key; });
  if (found != own.idle.end()) {
    lease.held_.splice(lease.held_.begin(), own.idle, found);
    return lease;
  }
  dropped = own.surplus();
  lock.unlock();
  dropped.clear();
  lease.held_.push_back({key, std::make_unique<Pass>(model_, key)});
  return lease;
}

}  // namespace vaecuda
