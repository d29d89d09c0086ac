// What ops are made of, and what each says of itself: its name, the views it reads and writes, whether it
// fits its plan, and what it costs.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace vaecuda {

struct Plan;

/// A row-major matrix of floats inside a buffer of the plan. Invalid (buffer −1) where an op does without it.
struct View {
  int buffer = -1;
  std::int64_t offset = 0;  ///< floats from the buffer's start
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;  ///< floats from one row to the next
  [[nodiscard]] bool valid() const { return buffer >= 0; }
  /// 0 of an invalid one.
  [[nodiscard]] double elements() const {
    return valid() ? static_cast<double>(rows) * static_cast<double>(cols) : 0.0;
  }
  [[nodiscard]] bool is_shaped(std::int64_t r, std::int64_t c) const { return rows == r && cols == c; }
  [[nodiscard]] bool is_shaped_like(const View& other) const { return is_shaped(other.rows, other.cols); }
};

/// Weight and bias of a linear layer, as offsets in floats into the parameter arena (and, with the same
/// offsets, into gradients and moments).
struct LinearParameters {
  std::string name;
  std::int64_t out = 0;
  std::int64_t in = 0;
  std::int64_t weight = 0;  ///< W (out, in)
  std::int64_t bias = 0;    ///< b (out)
  [[nodiscard]] double weights() const { return static_cast<double>(out) * static_cast<double>(in); }
};

/// G codebooks of M codes of L columns, as an offset in floats into the parameter arena (and, with the same
/// offset, into gradients and moments): (G·M, L), codebook after codebook. They quantize a latent of G·L
/// columns.
struct CodebookParameters {
  std::int64_t groups = 0;  ///< G
  std::int64_t size = 0;    ///< M
  std::int64_t width = 0;   ///< L
  std::int64_t codes = 0;
  [[nodiscard]] std::int64_t elements() const { return groups * size * width; }
};

/// Floats of the parameter arena.
struct ParameterRange {
  std::int64_t offset = 0;
  std::int64_t count = 0;
  [[nodiscard]] std::int64_t end() const { return offset + count; }
};

/// The views that an op reads and writes. An op names its fields one by one to give them, so that one that is
/// added to the struct and forgotten here does not compile.
struct OpViews {
  std::vector<View> reads;
  std::vector<View> writes;
};

/// What one execution of an op costs at the least: arithmetic (2 per multiply-add of the matrix products, 0
/// for the rest) and bytes of device memory, each operand moved once.
struct OpCost {
  double flops = 0.0;
  double bytes = 0.0;
};

/// Every operand moved once, no arithmetic.
[[nodiscard]] OpCost moved(const OpViews& views);

/// The plan that an op is checked against. A mistake in a builder throws std::logic_error with the plan's and
/// the op's names.
class OpCheck {
 public:
  OpCheck(const Plan& plan, std::string op) : plan_(plan), op_(std::move(op)) {}

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] std::int64_t batch() const;           ///< B
  [[nodiscard]] std::int64_t parameter_size() const;  ///< floats of the arena
  void require(bool holds, const char* what) const {
    if (!holds) fail(what);
  }
  /// Inside its buffer.
  void view(const View& view) const;
  void layer(const LinearParameters& layer) const;
  void codebook(const CodebookParameters& codebook) const;
  /// A latent (B,Z) in parts, one for each codebook, with codes (B,G).
  void parts(const View& latent, const View& codes, const CodebookParameters& codebook) const;

 private:
  [[noreturn]] void fail(const char* what) const;

  const Plan& plan_;
  std::string op_;
};

/// The ops of a family, which its header lists. A plan's op (host/plan/ops.hpp) is one of any family.
template <typename... Ops>
struct OpList {};
template <typename... A, typename... B>
constexpr OpList<A..., B...> operator+(OpList<A...> /*a*/, OpList<B...> /*b*/) {
  return {};
}
template <typename... Ops>
std::variant<Ops...> variant_of(OpList<Ops...> list);

/// Whether `of_samples` has K rows for each of the rows of `of_rows`.
[[nodiscard]] inline bool is_samples_of(const View& of_samples, const View& of_rows) {
  return of_samples.rows % of_rows.rows == 0;
}

}  // namespace vaecuda
