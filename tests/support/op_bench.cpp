#include "support/op_bench.hpp"

#include <algorithm>
#include <stdexcept>

#include "support/oracle.hpp"
#include "support/tolerance.hpp"

namespace vaecuda::test {

OpBench::OpBench(std::int64_t batch, std::int64_t position, std::int64_t parameter_size)
    : batch_(batch), position_(position), parameters_(static_cast<std::size_t>(parameter_size)) {
  plan_.name = "op test";
  plan_.batch = batch;
  plan_.parameter_size = parameter_size;
}

View OpBench::samples(const std::string& name, std::int64_t samples, std::int64_t cols, std::int64_t left,
                      std::int64_t right) {
  Operand operand;
  operand.samples = samples;
  operand.left = left;
  operand.right = right;
  const std::int64_t width = left + cols + right;
  const int buffer = plan_.add_buffer(name, BufferKind::activation, batch_ * samples, width);
  operand.load = plan_.add_buffer("load." + name, BufferKind::exchange, position_ + batch_, samples * width);
  operand.store =
      plan_.add_buffer("store." + name, BufferKind::exchange, position_ + batch_, samples * width);
  operand.view = Plan::columns(plan_.whole(buffer), left, cols);
  operand.block.assign(static_cast<std::size_t>(batch_ * samples * width), guard_value());
  operands_.push_back(operand);
  return operand.view;
}

View OpBench::samples(const std::string& name, std::int64_t samples, std::int64_t cols,
                      const std::vector<float>& values) {
  const View view = this->samples(name, samples, cols);
  Operand& operand = operands_.back();
  for (std::int64_t r = 0; r < view.rows; ++r) {
    std::copy_n(values.begin() + r * cols, cols, operand.block.begin() + r * view.stride + operand.left);
  }
  return view;
}

View OpBench::block(const Operand& operand) const {
  const std::int64_t width = operand.samples * operand.view.stride;
  return View{.buffer = operand.view.buffer, .offset = 0, .rows = batch_, .cols = width, .stride = width};
}

View OpBench::scratch(const std::string& name, std::int64_t rows, std::int64_t cols) {
  return plan_.whole(plan_.add_buffer(name, BufferKind::activation, rows, cols));
}

View OpBench::constant(const std::string& name, const std::vector<float>& values) {
  const int buffer =
      plan_.add_buffer(name, BufferKind::constant, 1, static_cast<std::int64_t>(values.size()));
  plan_.buffers[static_cast<std::size_t>(buffer)].values = values;
  return plan_.whole(buffer);
}

std::vector<LossRows> elbo_rows(View nll, View kl) {
  return {{{math::LossTermKind::reconstruction, math::LossWeight::one}, nll},
          {{math::LossTermKind::kl, math::LossWeight::scheduled}, kl}};
}

void OpBench::end_training(const AdamUpdate& adam, const AdvanceStep& advance, float clip_norm) {
  training_ = true;
  if (clip_norm > 0.0f) {
    GradNorm norm{clip_norm};
    if (advance.skip_nonfinite) norm.loss = advance.loss;
    tail_.emplace_back(norm);
  }
  tail_.emplace_back(adam);
  tail_.emplace_back(advance);
}

void OpBench::end_training(const AdvanceStep& advance) {
  LinearBackward layer;
  layer.d = advance.loss.at(0).rows;
  layer.in = advance.loss.at(1).rows;
  layer.layer = LinearParameters{.name = "layer", .out = 1, .in = 1, .weight = 0, .bias = 16};
  add(layer);
  AdamUpdate adam;
  adam.constants = {
      .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .weight_decay = 0.0f, .decoupled = false};
  adam.ranges = {{0, 32}};
  end_training(adam, advance);
}

void OpBench::set_moments(std::vector<float> first, std::vector<float> second) {
  first_ = std::move(first);
  second_ = std::move(second);
}

void OpBench::run(const Executor& executor, const Dataset* data, std::int64_t times) {
  Plan plan = plan_;
  const std::int64_t rows = position_ + times * batch_;
  for (const Operand& operand : operands_) {
    plan.buffers[static_cast<std::size_t>(operand.load)].rows = rows;
    plan.buffers[static_cast<std::size_t>(operand.store)].rows = rows;
  }
  for (const Operand& operand : operands_)
    plan.ops.emplace_back(LoadRows{plan.whole(operand.load), block(operand)});
  plan.ops.insert(plan.ops.end(), ops_.begin(), ops_.end());
  for (const Operand& operand : operands_)
    plan.ops.emplace_back(StoreRows{block(operand), plan.whole(operand.store)});
  plan.ops.insert(plan.ops.end(), tail_.begin(), tail_.end());
  if (!training_) plan.ops.emplace_back(AdvancePosition{batch_});
  check_plan(plan);

  const std::unique_ptr<Backend> backend = executor.make();
  const auto size = static_cast<std::int64_t>(parameters_.size());
  const std::unique_ptr<ParameterStore> store = backend->make_parameters(size, training_);
  store->write(ParameterStore::Part::parameters, parameters_);
  if (!first_.empty()) store->write(ParameterStore::Part::moment1, first_);
  if (!second_.empty()) store->write(ParameterStore::Part::moment2, second_);
  std::unique_ptr<ResidentData> resident;
  if (data != nullptr) resident = backend->make_resident(*data);
  const std::unique_ptr<Program> program = backend->compile(plan, *store, resident.get());
  const auto whole_size = [&](const Operand& operand) {
    return static_cast<std::size_t>(rows * operand.samples * operand.view.stride);
  };
  for (const Operand& operand : operands_) {
    std::vector<float> whole(whole_size(operand), guard_value());
    program->write(operand.store, whole);
    for (std::int64_t i = 1; i <= times; ++i)  // every run finds the same rows
      std::copy(operand.block.begin(), operand.block.end(),
                whole.end() - i * static_cast<std::ptrdiff_t>(operand.block.size()));
    program->write(operand.load, whole);
  }
  if (training_) {
    if (position_ % batch_ != 0) throw std::logic_error("training starts at a whole step");
    program->set_step(position_ / batch_);
  } else {
    program->set_position(position_);
  }
  program->run(times);
  for (Operand& operand : operands_) {
    std::vector<float> whole(whole_size(operand));
    program->read(operand.store, whole);
    const auto before = whole.end() - static_cast<std::ptrdiff_t>(operand.block.size());
    const auto stored = whole.end() - times * static_cast<std::ptrdiff_t>(operand.block.size());
    if (!std::all_of(whole.begin(), stored, is_guard))
      throw std::runtime_error("rows before the position were stored");
    operand.result.assign(before, whole.end());
    const std::string guards = check_guards(operand.result, operand.left, operand.view.cols, operand.right);
    if (!guards.empty())
      throw std::runtime_error(plan.buffers[static_cast<std::size_t>(operand.view.buffer)].name + ": " +
                               guards);
  }
  parameters_out_.resize(parameters_.size());
  store->read(ParameterStore::Part::parameters, parameters_out_);
  if (!training_) return;
  moment1_out_.resize(parameters_.size());
  moment2_out_.resize(parameters_.size());
  store->read(ParameterStore::Part::moment1, moment1_out_);
  store->read(ParameterStore::Part::moment2, moment2_out_);
  metrics_.clear();
  program->take_metrics(metrics_);
  fault_ = program->fault();
}

const OpBench::Operand& OpBench::find(const View& view) const {
  for (const Operand& operand : operands_) {
    if (operand.view.buffer == view.buffer) return operand;
  }
  throw std::logic_error("not a matrix of this bench");
}

std::vector<float> OpBench::get(const View& view) const {
  const Operand& operand = find(view);
  std::vector<float> values;
  for (std::int64_t r = 0; r < view.rows; ++r) {
    const auto first = operand.result.begin() + r * view.stride + view.offset;
    values.insert(values.end(), first, first + view.cols);
  }
  return values;
}

std::vector<float> noise(std::int64_t count, std::uint64_t seed, double scale) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const double unit = oracle::uniform(seed, 99, 0, i);
    values[static_cast<std::size_t>(i)] = static_cast<float>((2.0 * unit - 1.0) * scale);
  }
  return values;
}

}  // namespace vaecuda::test
