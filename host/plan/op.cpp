#include "host/plan/op.hpp"

#include <fmt/format.h>

#include "host/plan/plan.hpp"

namespace vaecuda {

OpCost moved(const OpViews& views) {
  double floats = 0.0;
  for (const View& view : views.reads) floats += view.elements();
  for (const View& view : views.writes) floats += view.elements();
  return {0.0, 4.0 * floats};
}

std::int64_t OpCheck::batch() const {
  return plan_.batch;
}

std::int64_t OpCheck::parameter_size() const {
  return plan_.parameter_size;
}

void OpCheck::fail(const char* what) const {
  throw std::logic_error(fmt::format("plan '{}', {}: {}", plan_.name, op_, what));
}

void OpCheck::view(const View& view) const {
  require(view.buffer < static_cast<int>(plan_.buffers.size()), "a view of a buffer that does not exist");
  const Buffer& buffer = plan_.buffers[static_cast<std::size_t>(view.buffer)];
  require(view.rows > 0 && view.cols > 0 && view.offset >= 0 && view.stride >= view.cols,
          "an empty or bent view");
  require(view.offset + (view.rows - 1) * view.stride + view.cols <= buffer.size(),
          "a view past its buffer's end");
}

void OpCheck::layer(const LinearParameters& layer) const {
  require(layer.in > 0 && layer.out > 0 && layer.weight >= 0 && layer.bias >= 0, "a layer without a size");
  require(layer.weight + layer.in * layer.out <= parameter_size(), "a weight past the arena's end");
  require(layer.bias + layer.out <= parameter_size(), "a bias past the arena's end");
}

void OpCheck::codebook(const CodebookParameters& c) const {
  require(c.groups > 0 && c.size > 0 && c.width > 0 && c.codes >= 0, "a codebook without a size");
  require(c.codes + c.elements() <= parameter_size(), "a codebook past the arena's end");
}

void OpCheck::parts(const View& latent, const View& codes, const CodebookParameters& c) const {
  codebook(c);
  require(latent.cols == c.groups * c.width, "a latent must have a part for every codebook");
  require(codes.is_shaped(latent.rows, c.groups), "codes must be (B,G)");
}

}  // namespace vaecuda
