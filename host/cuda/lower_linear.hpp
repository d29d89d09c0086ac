// Linear layers as launches: a matrix product with as much of the layer in its epilogue as the library has an
// algorithm for, and kernels for the rest.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "host/cuda/forms.hpp"
#include "host/cuda/op_launches.hpp"

namespace vaecuda::cuda {

class LinearLowering {
 public:
  /// Decides at once which activations' derivatives are taken from what the forward product leaves behind,
  /// and tells `readers`. Both must outlive this object; `at` stands at the op that is added.
  LinearLowering(OpLaunches& at, Readers& readers);

  void add(const Linear& linear);
  /// The bias that the layer which produced `view` left to the op that reads it; null: it is in the view.
  [[nodiscard]] const float* left_bias(const View& view) const;
  void add(const LinearBackward& backward);
  void add(const ParameterGradient& gradient);
  /// The bias gradients that no product took along, and those of parameters that are no layer's: for the
  /// first op that uses the gradients.
  void add_bias_gradients();

 private:
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
  void add_weight_gradient(const LinearBackward& backward);
  void add_data_gradient(const LinearBackward& backward);

  void set_result(Spec& spec, const View& view, Forms forms) const;
  [[nodiscard]] const void* operand(const View& view) const;
  [[nodiscard]] const void* weight(const LinearParameters& layer) const;
  /// None if the library has no algorithm.
  [[nodiscard]] std::optional<Product> make(Spec spec) const;
  /// False: there is none.
  [[nodiscard]] bool add_product(std::optional<Product> product);
  /// The op as one product: what was agreed with its counterpart, or `spec`. False: there is none.
  [[nodiscard]] bool add_whole(const std::optional<Spec>& spec);
  /// \throws RuntimeError if the library has no algorithm even for the bare product.
  void add_plain(const Spec& spec);

  struct DeferredBias {
    kernels::BiasGradient sum;
    std::int64_t batch = 0;
  };

  OpLaunches& at_;
  const LowerInputs& in_;
  Readers& readers_;
  bool half_;
  /// By op, forward and backward: products that their counterparts rely on, or relied upon.
  std::map<std::size_t, Product> links_;
  std::set<std::size_t> without_bias_;  ///< ops whose results have no bias in them
  std::vector<DeferredBias> deferred_;
};

}  // namespace vaecuda::cuda
