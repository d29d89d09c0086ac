#include "host/inference/pass.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "host/plan/builder.hpp"
#include "host/plan/exchanged.hpp"

namespace vaecuda {
namespace {

Plan plan_of(const ModelOnDevice& on, const PassKey& key, const DataShape& rows) {
  const auto& [backend, store, layout, model, preparation] = on;
  switch (key.kind) {
    case PassKind::encode:
      return build_encode_plan(layout, model, preparation, rows);
    case PassKind::decode:
      return build_decode_plan(layout, model, rows.rows, rows.block);
    case PassKind::reconstruct:
      return build_reconstruct_plan(layout, model, preparation, rows);
    case PassKind::likelihood:
      return build_log_likelihood_plan(layout, model, preparation, rows, key.samples, key.seed,
                                       key.head_rows);
    case PassKind::generate:
      return build_generate_plan(layout, model, rows.rows, key.seed, rows.block);
    case PassKind::evaluate:
      break;
  }
  return build_evaluation_plan(layout, model, preparation, rows, key.seed, key.head_rows);
}

}  // namespace

Plan build_pass_plan(const ModelOnDevice& model, const PassKey& key) {
  DataShape rows{key.size.capacity, ElementType::f32, true};
  rows.block = key.size.block;
  return plan_of(model, key, rows);
}

Pass::Pass(const ModelOnDevice& model, const PassKey& key)
    : capacity_(key.size.capacity),
      plan_(build_pass_plan(model, key)),
      program_(model.backend.compile(plan_, model.store, nullptr)) {
  if (key.kind == PassKind::generate) return;
  input_ = plan_.find_buffer(key.kind == PassKind::decode ? exchanged::kLatents : exchanged::kRaw);
}

Pass::Pass(const ModelOnDevice& model, PassKey key, const Dataset& rows)
    : capacity_(rows.rows()), resident_(model.backend.make_resident(rows)) {
  DataShape shape = shape_of(rows);
  shape.block = key.size.block;
  plan_ = plan_of(model, key, shape);
  program_ = model.backend.compile(plan_, model.store, resident_.get());
}

void Pass::run(std::int64_t first, std::int64_t rows, std::span<const float> input,
               std::span<const float> condition) {
  program_->set_position(first, first);
  program_->write(input_, input);
  if (!condition.empty()) write(exchanged::kCondition, condition);
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

bool Pass::run_all(const PassWatch& watch) {
  constexpr double kBetweenLooks = 0.25;  // seconds
  using Clock = std::chrono::steady_clock;
  program_->set_position(0);
  const bool watched = watch.stop || watch.told;
  const std::int64_t all = (capacity_ + plan_.batch - 1) / plan_.batch;
  std::int64_t blocks = all;
  for (std::int64_t chunk = watched ? 1 : all; blocks > 0;) {
    if (watch.stop && watch.stop()) return false;
    const Clock::time_point began = Clock::now();
    program_->run(std::min(chunk, blocks));
    blocks -= std::min(chunk, blocks);
    if (watched) static_cast<void>(program_->fault());  // waits until the work is done
    if (watch.told) {
      const std::int64_t done = std::min(capacity_, (all - blocks) * plan_.batch);
      watch.told({watch.name, done, capacity_, static_cast<double>(done) / static_cast<double>(capacity_)});
    }
    if (std::chrono::duration<double>(Clock::now() - began).count() < kBetweenLooks / 2) chunk *= 2;
  }
  return true;
}

void Pass::write(const char* buffer, std::span<const float> values) {
  program_->write(plan_.find_buffer(buffer), values);
}

void Pass::read(const char* buffer, std::span<float> values) {
  program_->read(plan_.find_buffer(buffer), values);
}

std::vector<float> Pass::read(const char* buffer) {
  const auto place = static_cast<std::size_t>(plan_.find_buffer(buffer));
  std::vector<float> values(static_cast<std::size_t>(plan_.buffers[place].size()));
  read(buffer, values);
  return values;
}

}  // namespace vaecuda
