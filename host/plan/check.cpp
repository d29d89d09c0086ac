// The consistency of a plan: a mistake in a builder is caught here, not in a kernel.
#include <fmt/format.h>

#include <stdexcept>

#include "host/plan/plan.hpp"

namespace vaecuda {
void check_plan(const Plan& plan) {
  if (plan.batch < 1) throw std::logic_error(fmt::format("plan '{}' has no batch", plan.name));
  for (const Buffer& buffer : plan.buffers) {
    const bool filled = buffer.kind != BufferKind::constant ||
                        static_cast<std::int64_t>(buffer.values.size()) == buffer.size();
    if (buffer.size() < 1 || !filled)
      throw std::logic_error(fmt::format("buffer '{}' is empty", buffer.name));
  }
  for (const Op& op : plan.ops) {
    const OpCheck check(plan, name_of(op));
    const OpViews views = views_of(op);
    for (const View& view : views.reads) check.view(view);
    for (const View& view : views.writes) check.view(view);
    std::visit([&check](const auto& o) { o.check(check); }, op);
  }
}

}  // namespace vaecuda
