// Who reads what in which precision. With bfloat16 matrix products every activation may exist twice, in fp32
// and in bfloat16; a producer writes only the forms that some later op reads.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "host/plan/plan.hpp"

namespace vaecuda::cuda {

struct Forms {
  bool single = false;
  bool half = false;
  /// Exactly one of the two is wanted.
  [[nodiscard]] bool one() const { return single != half; }
};

class Readers {
 public:
  /// `half_operands`: matrix products read bfloat16; else everything is read in fp32.
  Readers(const Plan& plan, bool half_operands);

  /// The LinearBackward at `op` gets its activation's derivative from an epilogue: by a mask, which is no
  /// read of `saved` (relu), or from the pre-activation in the products' own precision (gelu_tanh).
  void use_epilogue(std::size_t op);
  /// Takes that back.
  void use_kernel(std::size_t op);

  /// The forms in which later ops read what `op` writes to this view, until another op overwrites it. Fp32
  /// where nobody reads it.
  [[nodiscard]] Forms forms(std::size_t op, const View& written) const;
  /// The one later op that reads any of what `op` writes to this view, until another op overwrites it; none
  /// where several do, or nobody.
  [[nodiscard]] std::optional<std::size_t> only_reader(std::size_t op, const View& written) const;

 private:
  struct Read {
    View view;
    bool half = false;
  };
  void collect(std::size_t op, bool epilogue);
  /// Calls use(reader, read) for every read of what `op` writes to the view, until another op overwrites it.
  template <typename Use>
  void for_each_read(std::size_t op, const View& written, Use use) const;

  const Plan& plan_;
  bool half_operands_;
  std::vector<std::vector<Read>> reads_;  ///< by op
};

/// True if the two views share an element.
[[nodiscard]] bool overlaps(const View& a, const View& b);
/// True if the two views are the same elements in the same order.
[[nodiscard]] bool same_view(const View& a, const View& b);

}  // namespace vaecuda::cuda
