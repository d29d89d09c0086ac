#include "host/cuda/lower_linear.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "host/config/enumerators.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cuda {
namespace {

using kernels::Epilogue;
using math::ActivationKind;

}  // namespace

LinearLowering::LinearLowering(OpLaunches& at, Readers& readers)
    : at_(at), in_(at.inputs()), readers_(readers), half_(in_.precision == Precision::bf16) {
  link_activations();
}

// --- links between a forward product and the gradient that goes back through its activation

void LinearLowering::link_activations() {
  for (std::size_t j = 0; j < in_.plan.ops.size(); ++j) {
    const auto* backward = std::get_if<LinearBackward>(&in_.plan.ops[j]);
    if (backward == nullptr || !backward->dx.valid()) continue;
    const bool relu = backward->activation == ActivationKind::relu;
    // In fp32 the epilogue reads the pre-activation where any kernel would: nothing has to be agreed.
    const bool gelu = backward->activation == ActivationKind::gelu_tanh && half_;
    if (!relu && !gelu) continue;
    std::size_t i = 0;
    const Linear* linear = producer(j, backward->saved, i);
    if (linear == nullptr || linear->activation != backward->activation || links_.count(i) > 0) continue;
    if (!same_view(backward->saved, relu ? linear->out : linear->preactivation)) continue;
    readers_.use_epilogue(j);
    if (!try_link(i, j)) readers_.use_kernel(j);
  }
}

const Linear* LinearLowering::producer(std::size_t before, const View& saved, std::size_t& op) const {
  for (op = before; op-- > 0;) {
    for (const View& view : views_of(in_.plan.ops[op]).writes) {
      if (overlaps(view, saved)) return std::get_if<Linear>(&in_.plan.ops[op]);
    }
  }
  return nullptr;
}

bool LinearLowering::try_link(std::size_t forward, std::size_t backward) {
  const auto& linear = std::get<Linear>(in_.plan.ops[forward]);
  const auto& gradient = std::get<LinearBackward>(in_.plan.ops[backward]);
  const bool relu = linear.activation == ActivationKind::relu;
  void* mask = relu ? in_.memory.add_mask(linear.out) : nullptr;
  const std::optional<Spec> there = forward_epilogue(forward, linear, mask);
  const std::optional<Spec> back = data_gradient_epilogue(backward, gradient, mask, true);
  std::optional<Product> first = there && back ? make(*there) : std::nullopt;
  std::optional<Product> second = first ? make(*back) : std::nullopt;
  if (!second) {
    if (relu) in_.memory.drop_mask();
    return false;
  }
  links_[forward] = std::move(*first);
  links_[backward] = std::move(*second);
  return true;
}

// --- what is asked of the library

const void* LinearLowering::operand(const View& view) const {
  return half_ ? static_cast<const void*>(in_.memory.half(view)) : at_.single(view);
}

const void* LinearLowering::weight(const LinearParameters& layer) const {
  return half_ ? static_cast<const void*>(in_.parameters.half() + layer.weight) : at_.parameter(layer.weight);
}

void LinearLowering::set_result(Spec& spec, const View& view, Forms forms) const {
  const bool half = forms.half && !forms.single;
  spec.d = half ? static_cast<void*>(in_.memory.half(view)) : at_.single(view);
  spec.d_stride = view.stride;
  spec.result_type = half ? kernels::NumberType::bf16 : kernels::NumberType::fp32;
}

LinearLowering::Spec LinearLowering::forward_product(const Linear& linear) const {
  Spec spec;
  spec.name = linear.layer.name + " forward";
  spec.rows = linear.in.rows;
  spec.cols = linear.layer.out;
  spec.inner = linear.layer.in;
  spec.a = operand(linear.in);
  spec.a_stride = linear.in.stride;
  spec.b = weight(linear.layer);
  spec.b_stride = linear.layer.in;
  spec.transpose_b = true;
  set_result(spec, linear.out, {true, false});
  return spec;
}

LinearLowering::Spec LinearLowering::data_gradient_product(const LinearBackward& backward) const {
  Spec spec;
  spec.name = backward.layer.name + " data gradient";
  spec.rows = backward.d.rows;
  spec.cols = backward.layer.in;
  spec.inner = backward.layer.out;
  spec.a = operand(backward.d);
  spec.a_stride = backward.d.stride;
  spec.b = weight(backward.layer);
  spec.b_stride = backward.layer.in;
  set_result(spec, backward.dx, {true, false});
  return spec;
}

LinearLowering::Spec LinearLowering::weight_gradient_product(const LinearBackward& backward) const {
  Spec spec;
  spec.name = backward.layer.name + " weight gradient";
  spec.rows = backward.layer.out;
  spec.cols = backward.layer.in;
  spec.inner = backward.d.rows;
  spec.a = operand(backward.d);
  spec.a_stride = backward.d.stride;
  spec.transpose_a = true;
  spec.b = operand(backward.in);
  spec.b_stride = backward.in.stride;
  spec.d = in_.memory.gradients() + backward.layer.weight;
  spec.d_stride = backward.layer.in;
  return spec;
}

std::optional<LinearLowering::Spec> LinearLowering::forward_epilogue(std::size_t op, const Linear& linear,
                                                                     void* mask) const {
  const Forms forms = readers_.forms(op, linear.out);
  if (!forms.one()) return std::nullopt;
  Spec spec = forward_product(linear);
  set_result(spec, linear.out, forms);
  const std::int64_t bias = linear.layer.bias;
  spec.bias = forms.half ? static_cast<const void*>(in_.parameters.half() + bias) : at_.parameter(bias);
  const bool keeps = linear.preactivation.valid();
  if (linear.activation == ActivationKind::gelu_tanh && keeps) {
    const Forms kept = readers_.forms(op, linear.preactivation);
    if (kept.single != forms.single || kept.half != forms.half) return std::nullopt;
    spec.epilogue = Epilogue::gelu_aux_bias;
    spec.aux = forms.half ? static_cast<void*>(in_.memory.half(linear.preactivation))
                          : at_.single(linear.preactivation);
    spec.aux_stride = linear.preactivation.stride;
    return spec;
  }
  if (keeps) return std::nullopt;
  switch (linear.activation) {
    case ActivationKind::identity:
      spec.epilogue = Epilogue::bias;
      return spec;
    case ActivationKind::gelu_tanh:
      spec.epilogue = Epilogue::gelu_bias;
      return spec;
    case ActivationKind::relu:
      spec.epilogue = mask != nullptr ? Epilogue::relu_aux_bias : Epilogue::relu_bias;
      spec.aux = mask;
      spec.aux_stride = mask != nullptr ? ProgramMemory::mask_stride(linear.out) : 0;
      return spec;
    default:
      return std::nullopt;
  }
}

std::optional<LinearLowering::Spec> LinearLowering::data_gradient_epilogue(std::size_t op,
                                                                           const LinearBackward& backward,
                                                                           void* mask, bool linked) const {
  const Forms forms = readers_.forms(op, backward.dx);
  if (!forms.one()) return std::nullopt;
  Spec spec = data_gradient_product(backward);
  set_result(spec, backward.dx, forms);
  if (backward.activation == ActivationKind::identity) return spec;
  if (backward.activation == ActivationKind::relu && mask != nullptr) {
    spec.epilogue = Epilogue::drelu;
    spec.aux = mask;
    spec.aux_stride = ProgramMemory::mask_stride(backward.saved);
    return spec;
  }
  // What is kept for it has the result's type: in bfloat16 that is what a linked forward product leaves, in
  // fp32 what kernels read too.
  if (backward.activation == ActivationKind::gelu_tanh && linked == forms.half) {
    spec.epilogue = Epilogue::dgelu;
    spec.aux = forms.half ? static_cast<void*>(in_.memory.half(backward.saved)) : at_.single(backward.saved);
    spec.aux_stride = backward.saved.stride;
    return spec;
  }
  return std::nullopt;
}

// --- launches

std::optional<Product> LinearLowering::make(Spec spec) const {
  spec.math = config::same_as<kernels::GemmMath>(in_.precision);
  spec.operand_type = half_ ? kernels::NumberType::bf16 : kernels::NumberType::fp32;
  std::unique_ptr<kernels::Gemm> gemm = in_.context.runtime->make_gemm(spec, in_.autotune);
  if (gemm == nullptr) return std::nullopt;
  return Product{std::move(spec), std::move(gemm)};
}

bool LinearLowering::add_product(std::optional<Product> product) {
  if (!product) return false;
  std::string name = product->spec.name;
  at_.add(std::move(name), std::move(*product));
  return true;
}

bool LinearLowering::add_whole(const std::optional<Spec>& spec) {
  const auto link = links_.find(at_.op());
  if (link != links_.end()) return add_product(std::move(link->second));
  return spec && add_product(make(*spec));
}

void LinearLowering::add_plain(const Spec& spec) {
  if (add_product(make(spec))) return;
  throw RuntimeError(
      fmt::format("cuBLASLt has no algorithm for the matrix product '{}' ({} x {}, inner dimension {}) on {}",
                  spec.name, spec.rows, spec.cols, spec.inner, in_.context.runtime->facts().name));
}

void LinearLowering::add(const Linear& linear) {
  const std::size_t op = at_.op();
  if (add_whole(forward_epilogue(op, linear, nullptr))) return;
  const bool keeps = linear.preactivation.valid();
  if (keeps && readers_.forms(op, linear.preactivation).half) {
    throw std::logic_error("a pre-activation is kept in fp32 only, but a matrix product reads it");
  }
  add_plain(forward_product(linear));
  if (leaves_bias(op, linear)) {
    without_bias_.insert(op);
    return;
  }
  kernels::BiasActivationArgs args;
  args.product = at_.in(linear.out);
  args.bias = at_.parameter(linear.layer.bias);
  args.out = at_.out(linear.out);
  args.preactivation = at_.single(linear.preactivation);
  args.preactivation_stride = linear.preactivation.stride;
  args.activation = linear.activation;
  args.batch = linear.out.rows;
  args.columns = linear.out.cols;
  at_.add(linear.layer.name + " bias and activation", args);
}

bool LinearLowering::leaves_bias(std::size_t op, const Linear& linear) const {
  if (linear.activation != ActivationKind::identity || linear.preactivation.valid()) return false;
  const std::optional<std::size_t> reader = readers_.only_reader(op, linear.out);
  if (!reader) return false;
  const auto* likelihood = std::get_if<LikelihoodForwardBackward>(&in_.plan.ops[*reader]);
  return likelihood != nullptr && same_view(likelihood->output, linear.out);
}

const float* LinearLowering::left_bias(const View& view) const {
  std::size_t op = 0;
  const Linear* linear = producer(at_.op(), view, op);
  if (linear == nullptr || without_bias_.count(op) == 0) return nullptr;
  return at_.parameter(linear->layer.bias);
}

void LinearLowering::add(const LinearBackward& backward) {
  // The weight gradient first: it reads the layer's input, whose place the data gradient may take.
  if (in_.memory.gradients() != nullptr) add_weight_gradient(backward);
  if (backward.dx.valid()) add_data_gradient(backward);
}

void LinearLowering::add_weight_gradient(const LinearBackward& backward) {
  const Spec product = weight_gradient_product(backward);
  float* db = in_.memory.gradients() + backward.layer.bias;
  Spec with_bias = product;
  with_bias.epilogue = Epilogue::bgradb;
  with_bias.bias_gradient = db;
  if (add_product(make(with_bias))) return;
  add_plain(product);
  const View& d = backward.d;
  deferred_.push_back({{{half_ ? nullptr : at_.single(d), d.stride},
                        half_ ? in_.memory.half(d) : nullptr,
                        db,
                        backward.layer.out},
                       d.rows});
}

void LinearLowering::add_data_gradient(const LinearBackward& backward) {
  const std::size_t op = at_.op();
  if (add_whole(data_gradient_epilogue(op, backward, nullptr, false))) return;
  add_plain(data_gradient_product(backward));
  const Forms forms = readers_.forms(op, backward.dx);
  if (backward.activation == ActivationKind::identity) {
    if (!forms.half) return;
    kernels::ConvertArgs args;
    args.in = at_.in(backward.dx);
    args.out = in_.memory.out(backward.dx, {false, true});
    args.batch = backward.dx.rows;
    args.columns = backward.dx.cols;
    at_.add(backward.layer.name + " data gradient to bfloat16", args);
    return;
  }
  kernels::ActivationGradientArgs args;
  args.product = at_.in(backward.dx);
  args.saved = at_.in(backward.saved);
  args.dx = in_.memory.out(backward.dx, forms);
  args.activation = backward.activation;
  args.batch = backward.dx.rows;
  args.columns = backward.dx.cols;
  at_.add(backward.layer.name + " activation gradient", args);
}

void LinearLowering::add(const ParameterGradient& gradient) {
  if (in_.memory.gradients() == nullptr) return;
  const View& d = gradient.d;
  float* db = in_.memory.gradients() + gradient.parameter;
  deferred_.push_back({{at_.in(d), nullptr, db, d.cols}, d.rows});
}

void LinearLowering::add_bias_gradients() {
  for (std::size_t next = 0; next < deferred_.size();) {
    kernels::BiasGradientArgs args;
    args.batch = deferred_[next].batch;
    while (next < deferred_.size() && args.layers < kernels::kMaxBiasGradients &&
           deferred_[next].batch == args.batch) {
      args.layer[args.layers++] = deferred_[next++].sum;
    }
    at_.add("bias gradients", args);
  }
  deferred_.clear();
}

}  // namespace vaecuda::cuda
