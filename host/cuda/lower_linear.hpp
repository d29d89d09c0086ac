// Linear layers as launches: a matrix product with as much of the layer in its epilogue as the library has an
// algorithm for, and kernels for the rest.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/cuda/forms.hpp"
#include "host/cuda/lower.hpp"
#include "kernels/activation.hpp"
#include "kernels/library/gemm.hpp"

namespace vaecuda::cuda {

class LinearLowering {
 public:
  /// Decides at once which activations' derivatives are taken from what the forward product leaves behind,
  /// and tells `readers`. Launches and products go to `lowered`. All three must outlive this object.
  LinearLowering(const LowerInputs& inputs, Readers& readers, Lowered& lowered);

  void add_forward(std::size_t op, const Linear& linear);
  /// The bias that the layer which produced `view` left to the op that reads it; null: it is in the view.
  [[nodiscard]] const float* left_bias(std::size_t reader, const View& view) const;
  void add_backward(std::size_t op, const LinearBackward& backward);
  void add_parameter_gradient(const ParameterGradient& gradient);
  /// The bias gradients that no product took along, and those of parameters that are no layer's: for the
  /// first op that uses the gradients.
  void add_bias_gradients(std::size_t op);

 private:
  using GemmPointer = std::unique_ptr<kernels::Gemm>;
  using Spec = kernels::GemmSpec;

  void link_activations();
  [[nodiscard]] bool try_link(std::size_t forward, std::size_t backward);
  [[nodiscard]] const Linear* producer(std::size_t before, const View& saved, std::size_t& op) const;

  [[nodiscard]] Spec forward_product(const Linear& linear) const;
  [[nodiscard]] Spec data_gradient_product(const LinearBackward& backward) const;
  [[nodiscard]] Spec weight_gradient_product(const LinearBackward& backward) const;
  /// The whole of the op in one product, or nothing where no epilogue does that. `mask` null: relu leaves
  /// none.
  [[nodiscard]] std::optional<Spec> forward_epilogue(std::size_t op, const Linear& linear, void* mask) const;
  [[nodiscard]] std::optional<Spec> data_gradient_epilogue(std::size_t op, const LinearBackward& backward,
                                                           void* mask, bool linked) const;
  /// Nothing but the likelihood reads the layer's result, and it can add the bias to what it loads: a launch
  /// less that would read and write the whole result.
  [[nodiscard]] bool leaves_bias(std::size_t op, const Linear& linear) const;
  void add_weight_gradient(std::size_t op, const LinearBackward& backward);
  void add_data_gradient(std::size_t op, const LinearBackward& backward);

  void set_result(Spec& spec, const View& view, Forms forms) const;
  [[nodiscard]] const void* operand(const View& view) const;
  [[nodiscard]] const void* weight(const LinearParameters& layer) const;
  [[nodiscard]] GemmPointer make(const Spec& spec) const;
  /// \throws RuntimeError if the library has no algorithm even for the bare product.
  void add_plain(std::size_t op, const Spec& spec);
  void add_gemm(std::size_t op, const Spec& spec, GemmPointer gemm);
  void add_node(std::size_t op, const std::string& name, std::function<void(kernels::Stream)> enqueue);

  /// A product that its counterpart relies on, or relied upon.
  struct Link {
    Spec spec;
    GemmPointer gemm;
  };
  struct DeferredBias {
    kernels::BiasGradient sum;
    std::int64_t batch = 0;
  };

  const LowerInputs& in_;
  Readers& readers_;
  Lowered& lowered_;
  bool half_;
  std::map<std::size_t, Link> links_;   ///< by op, forward and backward
  std::set<std::size_t> without_bias_;  ///< ops whose results have no bias in them
  std::vector<DeferredBias> deferred_;
};

}  // namespace vaecuda::cuda
