// "Did you mean": the edit distance that counts a swap of neighbours as one edit.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

constexpr std::size_t kLongestWord = 128;  // bounds the work on a hostile input

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string_view without_dashes(std::string_view word) {
  return word.substr(std::min(word.find_first_not_of('-'), word.size()));
}

}  // namespace

std::string nearest_name(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view asked = without_dashes(word);
  if (asked.empty() || asked.size() > kLongestWord) return {};
  std::string_view best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    const std::string_view name = without_dashes(candidate);
    // A prefix of a name is near, however much is missing.
    const bool is_start = asked.size() >= 3 && name.substr(0, asked.size()) == asked;
    const std::size_t distance = is_start ? 1 : edit_distance(asked, name);
    const std::size_t limit = std::max<std::size_t>(1, std::max(asked.size(), name.size()) / 3);
    if (distance > limit || distance >= name.size()) continue;
    if (best.empty() || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return std::string(best);
}

}  // namespace vaecuda
