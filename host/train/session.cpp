#include "host/train/session.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "host/plan/builder.hpp"
#include "host/train/fitting_batch.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {

Session::Session(std::shared_ptr<Backend> backend, const RunConfig& config, const PreparedData& data,
                 const RunClock& clock, std::unique_ptr<ResidentData> resident)
    : backend_(std::move(backend)),
      config_(config),
      data_(data),
      clock_(clock),
      layout_(make_layout(config.model)),
      store_(backend_->make_parameters(layout_.size, true)),
      resident_(resident ? std::move(resident) : backend_->make_resident(data.train)) {
  compile(0);
  if (data.valid) validation_ = std::make_unique<Evaluator>(model(), config, *data.valid);
}

void Session::compile(std::int64_t restores) {
  restores_ = restores;
  RunConfig scaled = config_;
  const double factor = std::ldexp(1.0, -static_cast<int>(restores));
  scaled.optimizer.lr *= factor;
  for (LrStage& stage : scaled.optimizer.schedule.stages) stage.lr *= factor;
  program_.reset();  // its memory goes before the next one's comes
  plan_ =
      build_training_plan({layout_, scaled, data_.preparation, shape_of(data_.train), clock_.total_steps});
  program_ = backend_->compile(plan_, *store_, resident_.get());
}

std::vector<float> Session::read(ParameterStore::Part part) const {
  std::vector<float> values(static_cast<std::size_t>(layout_.size));
  store_->read(part, values);
  return values;
}

void Session::restore(const Checkpoint& checkpoint) {
  if (checkpoint.state.restores != restores_) compile(checkpoint.state.restores);
  write(ParameterStore::Part::parameters, checkpoint.parameters);
  write(ParameterStore::Part::moment1, checkpoint.moment1);
  write(ParameterStore::Part::moment2, checkpoint.moment2);
  program_->set_step(checkpoint.state.step);
}

void Session::check_fault() {
  const std::optional<Fault> fault = program_->fault();
  if (!fault) return;
  const std::string tensor = fault->element < 0 ? "loss" : layout_.tensor_at(fault->element);
  throw DivergedError(
      fmt::format("training diverged in step {}: {} became NaN or infinite; lower --lr, clip gradients with "
                  "--clip-norm, or check the scale of the data. Nothing of this step was saved",
                  fault->step, fault->element < 0 ? "the loss" : tensor + " (its gradient or its update)"),
      fault->step, tensor);
}

std::string advise_batch(const std::shared_ptr<Backend>& backend, const RunConfig& config,
                         const PreparedData& data, const RunClock& clock) {
  const auto bytes_of = [&](std::int64_t batch) -> std::optional<std::int64_t> {
    RunConfig smaller = config;
    smaller.train.batch_size = batch;
    try {
      const Session session(backend, smaller, data, clock);
      return backend->allocated_bytes();
    } catch (const OutOfMemoryError&) {
      return std::nullopt;  // that is the answer
    }
  };
  const std::int64_t asked = config.train.batch_size;
  const std::int64_t fits = largest_fitting_batch(bytes_of, backend->free_bytes(), asked);
  if (fits > 0) return fmt::format("the largest batch size that fits here is {} (asked: {})", fits, asked);
  return "no batch size fits, not even one row: choose smaller layers";
}

}  // namespace vaecuda
