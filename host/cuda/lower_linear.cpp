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

LinearLowering::LinearLowering(const LowerInputs& inputs, Readers& readers, Lowered& lowered)
    : in_(inputs), readers_(readers), lowered_(lowered), half_(inputs.precision == Precision::bf16) {
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
  GemmPointer first = there && back ? make(*there) : nullptr;
  GemmPointer second = first ? make(*back) : nullptr;
  if (second == nullptr) {
    if (relu) in_.memory.drop_mask();
    return false;
  }
  links_[forward] = {*there, std::move(first)};
  links_[backward] = {*back, std::move(second)};
  return true;
}

// --- what is asked of the library

const void* LinearLowering::operand(const View& view) const {
  return half_ ? static_cast<const void*>(in_.memory.half(view)) : in_.memory.single(view);
}

const void* LinearLowering::weight(const LinearParameters& layer) const {
  return half_ ? static_cast<const void*>(in_.parameters.half() + layer.weight)
               : in_.parameters.parameters() + layer.weight;
}

void LinearLowering::set_result(Spec& spec, const View& view, Forms forms) const {
  const bool half = forms.half && !forms.single;
  spec.d = half ? static_cast<void*>(in_.memory.half(view)) : in_.memory.single(view);
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
  spec.bias = forms.half ? static_cast<const void*>(in_.parameters.half() + bias)
                         : in_.parameters.parameters() + bias;
  const bool keeps = linear.preactivation.valid();
  if (linear.activation == ActivationKind::gelu_tanh && keeps) {
    const Forms kept = readers_.forms(op, linear.preactivation);
    if (kept.single != forms.single || kept.half != forms.half) return std::nullopt;
    spec.epilogue = Epilogue::gelu_aux_bias;
    spec.aux = forms.half ? static_cast<void*>(in_.memory.half(linear.preactivation))
                          : in_.memory.single(linear.preactivation);
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
    spec.aux =
        forms.half ? static_cast<void*>(in_.memory.half(backward.saved)) : in_.memory.single(backward.saved);
    spec.aux_stride = backward.saved.stride;
    return spec;
  }
  return std::nullopt;
}

// --- launches

LinearLowering::GemmPointer LinearLowering::make(const Spec& spec) const {
  Spec full = spec;
  full.math = config::same_as<kernels::GemmMath>(in_.precision);
  full.operand_type = half_ ? kernels::NumberType::bf16 : kernels::NumberType::fp32;
  return in_.context.runtime->make_gemm(full, in_.autotune);
}

void LinearLowering::add_node(std::size_t op, const std::string& name,
                              std::function<void(kernels::Stream)> enqueue) {
  lowered_.nodes.push_back({name, op, 1, std::move(enqueue)});
}

void LinearLowering::add_gemm(std::size_t op, const Spec& spec, GemmPointer gemm) {
  kernels::Gemm* product = gemm.get();
  lowered_.gemms.push_back({spec.name, std::move(gemm)});
  add_node(op, spec.name, [product](kernels::Stream stream) { product->enqueue(stream); });
}

void LinearLowering::add_plain(std::size_t op, const Spec& spec) {
  GemmPointer gemm = make(spec);
  if (gemm == nullptr) {
    throw RuntimeError(fmt::format(
        "cuBLASLt has no algorithm for the matrix product '{}' ({} x {}, inner dimension {}) on {}",
        spec.name, spec.rows, spec.cols, spec.inner, in_.context.runtime->facts().name));
  }
  add_gemm(op, spec, std::move(gemm));
}

void LinearLowering::add_forward(std::size_t op, const Linear& linear) {
  if (const auto link = links_.find(op); link != links_.end()) {
    add_gemm(op, link->second.spec, std::move(link->second.gemm));
    return;
  }
  if (const std::optional<Spec> spec = forward_epilogue(op, linear, nullptr)) {
    if (GemmPointer gemm = make(*spec)) {
      add_gemm(op, *spec, std::move(gemm));
      return;
    }
  }
  const bool keeps = linear.preactivation.valid();
  if (keeps && readers_.forms(op, linear.preactivation).half) {
    throw std::logic_error("a pre-activation is kept in fp32 only, but a matrix product reads it");
  }
  add_plain(op, forward_product(linear));
  if (leaves_bias(op, linear)) {
    without_bias_.insert(op);
    return;
  }
  kernels::BiasActivationArgs args;
  args.product = in_.memory.in(linear.out);
  args.bias = in_.parameters.parameters() + linear.layer.bias;
  args.out = in_.memory.out(linear.out, readers_.forms(op, linear.out));
  args.preactivation = in_.memory.single(linear.preactivation);
  args.preactivation_stride = linear.preactivation.stride;
  args.activation = linear.activation;
  args.batch = linear.out.rows;
  args.columns = linear.out.cols;
  add_node(op, linear.layer.name + " bias and activation",
           [args](kernels::Stream stream) { kernels::launch(args, stream); });
}

bool LinearLowering::leaves_bias(std::size_t op, const Linear& linear) const {
  if (linear.activation != ActivationKind::identity || linear.preactivation.valid()) return false;
  const std::optional<std::size_t> reader = readers_.only_reader(op, linear.out);
  if (!reader) return false;
  const auto* likelihood = std::get_if<LikelihoodForwardBackward>(&in_.plan.ops[*reader]);
  return likelihood != nullptr && same_view(likelihood->output, linear.out);
}

const float* LinearLowering::left_bias(std::size_t reader, const View& view) const {
  std::size_t op = 0;
  const Linear* linear = producer(reader, view, op);
  if (linear == nullptr || without_bias_.count(op) == 0) return nullptr;
  return in_.parameters.parameters() + linear->layer.bias;
}

void LinearLowering::add_backward(std::size_t op, const LinearBackward& backward) {
  // The weight gradient first: it reads the layer's input, whose place the data gradient may take.
  if (in_.memory.gradients() != nullptr) add_weight_gradient(op, backward);
  if (backward.dx.valid()) add_data_gradient(op, backward);
}

void LinearLowering::add_weight_gradient(std::size_t op, const LinearBackward& backward) {
  const Spec product = weight_gradient_product(backward);
  float* db = in_.memory.gradients() + backward.layer.bias;
  Spec with_bias = product;
  with_bias.epilogue = Epilogue::bgradb;
  with_bias.bias_gradient = db;
  if (GemmPointer gemm = make(with_bias)) {
    add_gemm(op, with_bias, std::move(gemm));
    return;
  }
  add_plain(op, product);
  DeferredBias deferred;
  deferred.sum.d = {half_ ? nullptr : in_.memory.single(backward.d), backward.d.stride};
  deferred.sum.half = half_ ? in_.memory.half(backward.d) : nullptr;
  deferred.sum.db = db;
  deferred.sum.columns = backward.layer.out;
  deferred.batch = backward.d.rows;
  deferred_.push_back(deferred);
}

void LinearLowering::add_data_gradient(std::size_t op, const LinearBackward& backward) {
  if (const auto link = links_.find(op); link != links_.end()) {
    add_gemm(op, link->second.spec, std::move(link->second.gemm));
    return;
  }
  if (const std::optional<Spec> spec = data_gradient_epilogue(op, backward, nullptr, false)) {
    if (GemmPointer gemm = make(*spec)) {
      add_gemm(op, *spec, std::move(gemm));
      return;
    }
  }
  add_plain(op, data_gradient_product(backward));
  const Forms forms = readers_.forms(op, backward.dx);
  if (backward.activation == ActivationKind::identity) {
    if (!forms.half) return;
    kernels::ConvertArgs args;
    args.in = in_.memory.in(backward.dx);
    args.out = in_.memory.out(backward.dx, {false, true});
    args.batch = backward.dx.rows;
    args.columns = backward.dx.cols;
    add_node(op, backward.layer.name + " data gradient to bfloat16",
             [args](kernels::Stream stream) { kernels::launch(args, stream); });
    return;
  }
  kernels::ActivationGradientArgs args;
  args.product = in_.memory.in(backward.dx);
  args.saved = in_.memory.in(backward.saved);
  args.dx = in_.memory.out(backward.dx, forms);
  args.activation = backward.activation;
  args.batch = backward.dx.rows;
  args.columns = backward.dx.cols;
  add_node(op, backward.layer.name + " activation gradient",
           [args](kernels::Stream stream) { kernels::launch(args, stream); });
}

void LinearLowering::add_parameter_gradient(const ParameterGradient& gradient) {
  if (in_.memory.gradients() == nullptr) return;
  DeferredBias deferred;
  deferred.sum.d = in_.memory.in(gradient.d);
  deferred.sum.db = in_.memory.gradients() + gradient.parameter;
  deferred.sum.columns = gradient.d.cols;
  deferred.batch = gradient.d.rows;
  deferred_.push_back(deferred);
}

void LinearLowering::add_bias_gradients(std::size_t op) {
  for (std::size_t next = 0; next < deferred_.size();) {
    kernels::BiasGradientArgs args;
    args.batch = deferred_[next].batch;
    while (next < deferred_.size() && args.layers < kernels::kMaxBiasGradients &&
           deferred_[next].batch == args.batch) {
      args.layer[args.layers++] = deferred_[next++].sum;
    }
    add_node(op, "bias gradients", [args](kernels::Stream stream) { kernels::launch(args, stream); });
  }
  deferred_.clear();
}

}  // namespace vaecuda::cuda
