#include "vae_cuda/row_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vaecuda::tool {

void RowCount::tell(std::int64_t rows) const {
  PassProgress now{pass_, rows, total_, std::nullopt};
  if (total_ && *total_ > 0) now.share = static_cast<double>(rows) / static_cast<double>(*total_);
  console_.progress(now);
}

void OverflowWatch::add(std::span<const float> results) {
  const auto width = static_cast<std::size_t>(columns_);
  const auto is_finite = [](float value) { return std::isfinite(value); };
  for (std::size_t at = 0; at < results.size(); at += width, ++rows_) {
    const auto row = results.subspan(at, width);
    if (std::all_of(row.begin(), row.end(), is_finite)) continue;
    if (infinite_++ == 0) first_ = rows_;
  }
}

std::vector<std::string> OverflowWatch::warnings(const std::string& name) const {
  if (infinite_ == 0) return {};
  return {
      fmt::format("{}: {} of {} rows gave results that are not finite, row {} first: their values are far "
                  "too large for this "
                  "model; check them, and leave them out",
                  name, infinite_, rows_, first_)};
}

std::vector<std::string> OverflowWatch::decoded_warnings(const std::string& path) const {
  if (infinite_ == 0) return {};
  return {
      fmt::format("{}: {} of {} rows are not finite, row {} first: their latents lie too far out, or the "
                  "model's weights are too large; lower --temperature, --radius or --range, or train again",
                  path, infinite_, rows_, first_)};
}

void print_warnings(cli::Console& console, const std::vector<std::string>& warnings) {
  for (const std::string& line : warnings) console.message("warning: " + line);
}

}  // namespace vaecuda::tool
