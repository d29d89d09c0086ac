#include "host/cuda/forms.hpp"

namespace vaecuda::cuda {
namespace {

/// True if `outer` holds every element of `inner`; may say no where it is not obvious.
bool covers(const View& outer, const View& inner) {
  const std::int64_t shift = inner.offset - outer.offset;
  return outer.buffer == inner.buffer && outer.stride == inner.stride && outer.rows >= inner.rows &&
         shift >= 0 && shift + inner.cols <= outer.cols;
}

std::int64_t end_of(const View& view) {
  return view.offset + (view.rows - 1) * view.stride + view.cols;
}

}  // namespace

bool same_view(const View& a, const View& b) {
  return a.valid() && covers(a, b) && covers(b, a);
}

bool overlaps(const View& a, const View& b) {
  if (!a.valid() || a.buffer != b.buffer || a.offset >= end_of(b) || b.offset >= end_of(a)) return false;
  if (a.stride != b.stride) return true;
  // Columns side by side in the same rows do not meet.
  const std::int64_t first = a.offset % a.stride;
  const std::int64_t second = b.offset % b.stride;
  const bool whole_rows = first + a.cols <= a.stride && second + b.cols <= b.stride;
  return !whole_rows || (first < second + b.cols && second < first + a.cols);
}

Readers::Readers(const Plan& plan, bool half_operands)
    : plan_(plan), half_operands_(half_operands), reads_(plan.ops.size()) {
  for (std::size_t i = 0; i < plan.ops.size(); ++i) collect(i, false);
}

void Readers::use_epilogue(std::size_t op) {
  collect(op, true);
}

void Readers::use_kernel(std::size_t op) {
  collect(op, false);
}

void Readers::collect(std::size_t op, bool epilogue) {
  std::vector<Read>& reads = reads_[op];
  reads.clear();
  if (const auto* linear = std::get_if<Linear>(&plan_.ops[op])) {
    reads.push_back({linear->in, half_operands_});
  } else if (const auto* backward = std::get_if<LinearBackward>(&plan_.ops[op])) {
    reads.push_back({backward->d, half_operands_});
    reads.push_back({backward->in, half_operands_});
    const bool derives = backward->dx.valid() && backward->activation != math::ActivationKind::identity;
    const bool by_mask = epilogue && backward->activation == math::ActivationKind::relu;
    if (derives && !by_mask) reads.push_back({backward->saved, epilogue && half_operands_});
  } else {
    for (const View& view : views_of(plan_.ops[op]).reads) reads.push_back({view, false});
  }
}

template <typename Use>
void Readers::for_each_read(std::size_t op, const View& written, Use use) const {
  for (std::size_t i = op + 1; i < plan_.ops.size(); ++i) {
    for (const Read& read : reads_[i]) {
      if (overlaps(read.view, written)) use(i, read);
    }
    bool overwritten = false;
    for (const View& view : views_of(plan_.ops[i]).writes) overwritten = overwritten || covers(view, written);
    if (overwritten) break;
  }
}

Forms Readers::forms(std::size_t op, const View& written) const {
  if (!half_operands_) return {true, false};
  Forms forms;
  for_each_read(op, written, [&](std::size_t, const Read& read) {
    forms.single = forms.single || !read.half;
    forms.half = forms.half || read.half;
  });
  if (!forms.half) forms.single = true;
  return forms;
}

std::optional<std::size_t> Readers::only_reader(std::size_t op, const View& written) const {
  std::optional<std::size_t> one;
  bool several = false;
  for_each_read(op, written, [&](std::size_t reader, const Read&) {
    several = several || (one && *one != reader);
    one = reader;
  });
  return several ? std::nullopt : one;
}

}  // namespace vaecuda::cuda
