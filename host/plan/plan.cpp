#include "host/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace vaecuda {
int Plan::add_buffer(std::string buffer_name, BufferKind kind, std::int64_t rows, std::int64_t cols) {
  buffers.push_back(
      Buffer{.name = std::move(buffer_name), .kind = kind, .rows = rows, .cols = cols, .values = {}});
  return static_cast<int>(buffers.size()) - 1;
}

View Plan::whole(int buffer) const {
  const Buffer& b = buffers.at(static_cast<std::size_t>(buffer));
  return View{.buffer = buffer, .offset = 0, .rows = b.rows, .cols = b.cols, .stride = b.cols};
}

View Plan::columns(const View& view, std::int64_t first, std::int64_t count) {
  return View{.buffer = view.buffer,
              .offset = view.offset + first,
              .rows = view.rows,
              .cols = count,
              .stride = view.stride};
}

int Plan::find_buffer(const std::string& buffer_name) const {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].name == buffer_name) return static_cast<int>(i);
  }
  throw std::logic_error(fmt::format("plan '{}' has no buffer '{}'", name, buffer_name));
}

OpViews views_of(const Op& op) {
  OpViews views = std::visit([](const auto& o) { return o.operands(o); }, op);
  const auto drop_invalid = [](std::vector<View>& v) {
    v.erase(std::remove_if(v.begin(), v.end(), [](const View& view) { return !view.valid(); }), v.end());
  };
  drop_invalid(views.reads);
  drop_invalid(views.writes);
  return views;
}

OpCost cost_of(const Op& op) {
  return std::visit([](const auto& o) { return o.cost(); }, op);
}

std::string name_of(const Op& op) {
  return std::visit([](const auto& o) { return o.name(); }, op);
}

std::vector<Lifetime> lifetimes_in_order(const Plan& plan) {
  std::vector<Lifetime> lifetimes(plan.buffers.size());
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const OpViews views = views_of(plan.ops[i]);
    const auto now = static_cast<std::int64_t>(i);
    const auto use = [&](const View& view) {
      Lifetime& life = lifetimes[static_cast<std::size_t>(view.buffer)];
      if (life.first < 0) life.first = now;
      life.last = now;
    };
    for (const View& v : views.reads) use(v);
    for (const View& v : views.writes) use(v);
  }
  return lifetimes;
}

Placement place_activations(const Plan& plan, const std::vector<Lifetime>& lifetimes) {
  constexpr std::int64_t kAlignment = 16;  // floats
  struct Placed {
    std::int64_t begin, end;
    Lifetime life;
  };
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    if (plan.buffers[i].kind == BufferKind::activation && lifetimes[i].first >= 0) order.push_back(i);
  }
  // Large buffers first: the small ones then fill the holes.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return plan.buffers[a].size() > plan.buffers[b].size();
  });
  std::vector<Placed> placed;
  Placement placement;
  placement.offset.resize(plan.buffers.size(), -1);
  for (const std::size_t i : order) {
    const std::int64_t size = (plan.buffers[i].size() + kAlignment - 1) / kAlignment * kAlignment;
    std::int64_t offset = 0;
    // `placed` is sorted by begin, so one pass finds the first gap among those alive at the same time.
    for (const Placed& p : placed) {
      const bool together = p.life.first <= lifetimes[i].last && lifetimes[i].first <= p.life.last;
      if (together && offset < p.end && p.begin < offset + size) offset = p.end;
    }
    placement.offset[i] = offset;
    const Placed mine{offset, offset + size, lifetimes[i]};
    placed.insert(std::upper_bound(placed.begin(), placed.end(), mine,
                                   [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
                  mine);
    placement.size = std::max(placement.size, offset + size);
  }
  return placement;
}

}  // namespace vaecuda
