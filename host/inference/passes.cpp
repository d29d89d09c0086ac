#include "host/inference/passes.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>

#include "host/plan/exchanged.hpp"

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

bool same(const PassKey& a, const PassKey& b) {
  return a.kind == b.kind && a.size.capacity == b.size.capacity && a.size.block == b.size.block &&
         a.seed == b.seed && a.samples == b.samples;
}

}  // namespace

Pass::Pass(Plan plan, const char* input, std::int64_t capacity, Backend& backend, ParameterStore& store)
    : plan_(std::move(plan)),
      capacity_(capacity),
      input_(plan_.find_buffer(input)),
      program_(backend.compile(plan_, store, nullptr)) {}

void Pass::run(std::int64_t first, std::int64_t rows, std::span<const float> input,
               std::span<const float> condition) {
  program_->set_position(first, first);
  program_->write(input_, input);
  if (!condition.empty()) program_->write(plan_.find_buffer(exchanged::kCondition), condition);
  program_->run((rows + plan_.batch - 1) / plan_.batch);
}

void Pass::run_bound(std::int64_t first, std::int64_t rows, const float* input,
                     const std::vector<NamedMemory>& out, void* stream) {
  // Inputs and outputs are bound alike, but no op writes where rows come in.
  std::vector<Binding> bound = {{input_, const_cast<float*>(input)}};  // NOLINT(*-const-cast)
  for (const NamedMemory& result : out) {
    if (result.memory != nullptr) bound.push_back({plan_.find_buffer(result.buffer), result.memory});
  }
  program_->run_bound(bound, first, rows, stream);
}

void Pass::read(const char* buffer, std::span<float> values) {
  program_->read(plan_.find_buffer(buffer), values);
}

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

Passes::Passes(Backend& backend, ParameterStore& store, const ParameterLayout& layout,
               const ModelConfig& model, const Preparation& preparation, std::int64_t batch_size)
    : backend_(backend),
      store_(store),
      layout_(layout),
      model_(model),
      preparation_(preparation),
      batch_size_(batch_size),
      shelf_(new Shelf(backend.programs_at_once())) {}

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
  const std::int64_t row_bytes = exchange_bytes(build({kind, {}, 0, 1})) / kInferenceBatch;
  const std::int64_t fitting = kBlockBytes / row_bytes / kInferenceBatch * kInferenceBatch;
  return std::clamp(fitting, kInferenceBatch, kMostRows);
}

PassSize Passes::size_for(PassKind kind, std::int64_t rows, std::int64_t samples) const {
  // Few rows are answered fast where that does not change them.
  if (rows >= 0 && rows <= kSmallCapacity && backend_.has_small_blocks()) {
    for (const std::int64_t block : kSmallBlocks) {
      if (rows <= block) return {block, block};
    }
    return {kSmallCapacity, std::end(kSmallBlocks)[-1]};
  }
  if (rows >= 0 && rows <= kInferenceBatch) return {};
  const std::int64_t most = most_rows(kind);
  return {samples > 1 ? std::min(most, in_blocks(kMostPairs / samples + 1)) : most, kInferenceBatch};
}

Passes::Lease Passes::take(const PassKey& key) {
  Shelf& own = shelf();
  std::list<KeptPass> dropped;
  std::unique_lock<std::mutex> lock(own.guard);
  own.returned.wait(lock, [&own] { return own.in_use < own.most_at_once; });
  Lease lease(own);
  ++own.in_use;
  own.most_in_use = std::max(own.most_in_use, own.in_use);
  const auto found = std::find_if(own.idle.begin(), own.idle.end(),
                                  [&key](const KeptPass& kept) { return same(kept.key, key); });
  if (found != own.idle.end()) {
    lease.held_.splice(lease.held_.begin(), own.idle, found);
    return lease;
  }
  dropped = own.surplus();
  lock.unlock();
  dropped.clear();
  const char* const input = key.kind == PassKind::decode ? exchanged::kLatents : exchanged::kRaw;
  lease.held_.push_back(
      {key, std::make_unique<Pass>(build(key), input, key.size.capacity, backend_, store_)});
  return lease;
}

Plan Passes::build(const PassKey& key) const {
  DataShape rows{key.size.capacity, ElementType::f32, true};
  rows.block = key.size.block;
  switch (key.kind) {
    case PassKind::encode:
      return build_encode_plan(layout_, model_, preparation_, rows);
    case PassKind::decode:
      return build_decode_plan(layout_, model_, rows.rows, rows.block);
    case PassKind::reconstruct:
      return build_reconstruct_plan(layout_, model_, preparation_, rows);
    case PassKind::likelihood:
      return build_log_likelihood_plan(layout_, model_, preparation_, rows, key.samples, key.seed);
    case PassKind::evaluate:
      break;
  }
  return build_evaluation_plan(layout_, model_, preparation_, rows, key.seed);
}

}  // namespace vaecuda
