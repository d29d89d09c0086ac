// A plan as a table for people: what --explain prints.
#include <fmt/format.h>

#include <algorithm>

#include "host/plan/plan.hpp"

namespace vaecuda {
namespace {

std::string shape(const View& view) {
  return fmt::format("({},{})", view.rows, view.cols);
}

std::string shapes(const Plan& plan, const Op& op) {
  const OpViews views = views_of(op);
  const auto list = [&](const std::vector<View>& all) {
    std::string text;
    for (const View& view : all) {
      if (!text.empty()) text += ' ';
      text += plan.buffers[static_cast<std::size_t>(view.buffer)].name + shape(view);
    }
    return text;
  };
  if (const auto* adam = std::get_if<AdamUpdate>(&op)) return fmt::format("parameters({})", adam->elements());
  const std::string reads = list(views.reads);
  const std::string writes = list(views.writes);
  if (reads.empty() && writes.empty()) return "";
  return fmt::format("{} -> {}", reads.empty() ? "data" : reads, writes.empty() ? "state" : writes);
}

std::string engineering(double value, const char* unit) {
  if (value <= 0.0) return "-";
  if (value >= 1e9) return fmt::format("{:.2f} G{}", value / 1e9, unit);
  if (value >= 1e6) return fmt::format("{:.2f} M{}", value / 1e6, unit);
  if (value >= 1e3) return fmt::format("{:.1f} k{}", value / 1e3, unit);
  return fmt::format("{:.0f} {}", value, unit);
}

}  // namespace

std::string to_table(const Plan& plan, const Roofline& roofline) {
  const bool timed = roofline.flops_per_second > 0.0 && roofline.bytes_per_second > 0.0;
  std::string text = fmt::format("{}: {} ops, batch {}\n", plan.name, plan.ops.size(), plan.batch);
  text += fmt::format("{:>3}  {:<26} {:>12} {:>12} {}  {}\n", "#", "op", "FLOP", "bytes",
                      timed ? "  roofline" : "", "shapes");
  double flops = 0.0;
  double bytes = 0.0;
  double seconds = 0.0;
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const OpCost cost = cost_of(plan.ops[i]);
    flops += cost.flops;
    bytes += cost.bytes;
    std::string time;
    if (timed) {
      const double bound =
          std::max(cost.flops / roofline.flops_per_second, cost.bytes / roofline.bytes_per_second);
      seconds += bound;
      time = fmt::format("{:>7.1f} us", bound * 1e6);
    }
    text += fmt::format("{:>3}  {:<26} {:>12} {:>12} {}  {}\n", i + 1, name_of(plan.ops[i]),
                        engineering(cost.flops, "FLOP"), engineering(cost.bytes, "B"), time,
                        shapes(plan, plan.ops[i]));
  }
  text +=
      fmt::format("     {:<26} {:>12} {:>12}", "total", engineering(flops, "FLOP"), engineering(bytes, "B"));
  text += timed ? fmt::format(" {:>7.1f} us\n", seconds * 1e6) : "\n";
  return text;
}

}  // namespace vaecuda
