// Options that set the same thing in two ways.
#include <algorithm>
#include <array>

#include "vaecuda/options.hpp"

namespace vaecuda {
namespace {

struct Alternative {
  std::string_view key;
  std::string_view other;
  void (*drop_other)(RunConfig& config);
};

constexpr std::array<Alternative, 6> kAlternatives = {{
    {"train.epochs", "train.steps", [](RunConfig& config) { config.train.steps.reset(); }},
    {"train.steps", "train.epochs", [](RunConfig& config) { config.train.epochs.reset(); }},
    {"data.test", "data.test_fraction", [](RunConfig& config) { config.data.test_fraction = 0.0; }},
    {"data.test_fraction", "data.test", [](RunConfig& config) { config.data.test_path.clear(); }},
    {"data.valid", "data.valid_fraction", [](RunConfig& config) { config.data.valid_fraction = 0.0; }},
    {"data.valid_fraction", "data.valid", [](RunConfig& config) { config.data.valid_path.clear(); }},
}};

const Alternative* find(std::string_view key) {
  const auto* const found = std::find_if(kAlternatives.begin(), kAlternatives.end(),
                                         [&](const Alternative& one) { return one.key == key; });
  return found == kAlternatives.end() ? nullptr : found;
}

}  // namespace

std::string_view alternative_of(std::string_view key) {
  const Alternative* const found = find(key);
  return found == nullptr ? std::string_view() : found->other;
}

void drop_alternative(RunConfig& config, std::string_view key) {
  if (const Alternative* const found = find(key)) found->drop_other(config);
}

}  // namespace vaecuda
