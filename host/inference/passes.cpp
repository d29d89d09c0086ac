#include "host/inference/passes.hpp"

#include <algorithm>
#include <utility>

namespace vaecuda {
namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{32} << 20;
constexpr std::int64_t kMostRows = 65536;
constexpr std::int64_t kMostPairs = std::int64_t{1} << 20;  // (row, sample): seconds on one core
constexpr std::size_t kMostPasses = 8;                      // each holds its activations and exchange buffers

std::int64_t in_blocks(std::int64_t rows) {
  return (rows + kInferenceBatch - 1) / kInferenceBatch * kInferenceBatch;
}

}  // namespace

Pass::Pass(Plan plan, std::int64_t capacity, Backend& backend, ParameterStore& store)
    : plan_(std::move(plan)),
      capacity_(capacity),
      input_(plan_.find_buffer(plan_.name == "decode" ? "rows.z" : "rows.raw")),
      program_(backend.compile(plan_, store, nullptr)) {}

void Pass::run(std::int64_t first, std::int64_t rows, std::span<const float> input,
               std::span<const float> condition) {
  program_->set_position(first, first);
  program_->write(input_, input);
  if (!condition.empty()) program_->write(plan_.find_buffer("rows.condition"), condition);
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

Passes::Passes(Backend& backend, ParameterStore& store, const ParameterLayout& layout,
               const ModelConfig& model, const Preparation& preparation, std::int64_t batch_size)
    : backend_(backend), store_(store), layout_(layout), model_(model), preparation_(preparation) {
  const std::int64_t row_bytes = 4 * (model.input_dim + 2 * model.latent_dim);
  const std::int64_t fitting = kBlockBytes / row_bytes / kInferenceBatch * kInferenceBatch;
  most_rows_ = batch_size > 0 ? in_blocks(batch_size) : std::clamp(fitting, kInferenceBatch, kMostRows);
}

std::int64_t Passes::capacity_for(std::int64_t rows, std::int64_t samples) const {
  // One block for a few rows, so that a single one is answered fast; no size between, for each would be a
  // program of its own.
  if (rows >= 0 && rows <= kInferenceBatch) return kInferenceBatch;
  return samples > 1 ? std::min(most_rows_, in_blocks(kMostPairs / samples + 1)) : most_rows_;
}

Pass& Passes::get(PassKind kind, std::int64_t capacity, std::uint64_t seed, std::int64_t samples) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.kind == kind && entry.capacity == capacity && entry.seed == seed && entry.samples == samples;
  });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
  } else {
    if (entries_.size() == kMostPasses) entries_.pop_back();
    entries_.push_front(
        {kind, capacity, seed, samples,
         std::make_unique<Pass>(build(kind, capacity, seed, samples), capacity, backend_, store_)});
  }
  return *entries_.front().pass;
}

Plan Passes::build(PassKind kind, std::int64_t capacity, std::uint64_t seed, std::int64_t samples) const {
  const DataShape rows{capacity, ElementType::f32, true};
  switch (kind) {
    case PassKind::encode:
      return build_encode_plan(layout_, model_, preparation_, rows);
    case PassKind::decode:
      return build_decode_plan(layout_, model_, capacity);
    case PassKind::reconstruct:
      return build_reconstruct_plan(layout_, model_, preparation_, rows);
    case PassKind::likelihood:
      return build_log_likelihood_plan(layout_, model_, preparation_, rows, samples, seed);
    case PassKind::evaluate:
      break;
  }
  return build_evaluation_plan(layout_, model_, preparation_, rows, seed);
}

}  // namespace vaecuda
