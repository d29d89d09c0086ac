// A plan: the flat list of ops of one training step, or of one block of an evaluation, encode or decode pass,
// in reading order, with the buffers they touch. Pure data; nothing here allocates device memory or computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/plan/ops.hpp"

namespace vaecuda {

enum class BufferKind {
  activation,  ///< lives in the arena, only as long as ops need it
  constant,    ///< filled from the plan when it is compiled
  exchange,    ///< whole rows that the host writes or reads between runs
};

struct Buffer {
  std::string name;
  BufferKind kind = BufferKind::activation;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<float> values;  ///< constant: rows × cols
  [[nodiscard]] std::int64_t size() const { return rows * cols; }
};

struct Plan {
  std::string name;                 ///< "training step", "evaluation", …
  std::int64_t batch = 0;           ///< B
  std::int64_t parameter_size = 0;  ///< floats of the parameter arena that the ops' offsets refer to
  std::vector<Buffer> buffers;
  std::vector<Op> ops;

  int add_buffer(std::string buffer_name, BufferKind kind, std::int64_t rows, std::int64_t cols);
  [[nodiscard]] View whole(int buffer) const;
  /// The view's columns from `first` on, `count` of them.
  [[nodiscard]] static View columns(const View& view, std::int64_t first, std::int64_t count);
  /// The buffer of this name. \throws std::logic_error if there is none (a mistake of the caller).
  [[nodiscard]] int find_buffer(const std::string& buffer_name) const;
};

/// The valid views of an op.
[[nodiscard]] OpViews views_of(const Op& op);
[[nodiscard]] OpCost cost_of(const Op& op);

/// The op's kind ("Linear") and its layer or role.
[[nodiscard]] std::string name_of(const Op& op);

/// First and last moment (any increasing numbers) at which a buffer is in use.
struct Lifetime {
  std::int64_t first = -1;
  std::int64_t last = -1;
};
/// Lifetimes by the order of the ops.
[[nodiscard]] std::vector<Lifetime> lifetimes_in_order(const Plan& plan);
/// Where a backend keeps the activations of a plan.
struct Placement {
  std::vector<std::int64_t>
      offset;             ///< by buffer, floats from the arena's start; −1: no activation, or never used
  std::int64_t size = 0;  ///< floats of the arena
};
/// A place for every activation, first fit over the lifetimes, 64-byte aligned.
[[nodiscard]] Placement place_activations(const Plan& plan, const std::vector<Lifetime>& lifetimes);

/// Throws std::logic_error if a view does not lie inside its buffer or shapes do not match: every backend
/// compiles only plans that pass.
void check_plan(const Plan& plan);

/// The plan as a table: each op with shapes, FLOPs, bytes and, where the two rates are given, its roofline
/// time.
struct Roofline {
  double flops_per_second = 0.0;
  double bytes_per_second = 0.0;
};
[[nodiscard]] std::string to_table(const Plan& plan, const Roofline& roofline = {});

}  // namespace vaecuda
