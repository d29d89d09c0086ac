#include "host/data/column_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vaecuda::data {
namespace {

/// Letters and digits alone, in small letters: "Is_Anomaly" is "isanomaly".
std::string folded(std::string_view name) {
  std::string letters;
  for (const char letter : name) {
    if (letter >= 'A' && letter <= 'Z') letters += static_cast<char>(letter - 'A' + 'a');
    if ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9')) letters += letter;
  }
  return letters;
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 3> kLabelNames = {"label", "class", "target"};
constexpr std::array<std::string_view, 43> kUsualNames = {
    "labels",    "classes",   "targets",   "classid",      "classlabel", "targetlabel",  "truelabel",
    "outlier",   "outliers",  "isoutlier", "outlierlabel", "anomaly",    "anomalies",    "isanomaly",
    "anomalous", "attack",    "isattack",  "attacktype",   "attackcat",  "normalattack", "groundtruth",
    "gt",        "y",         "ytrue",     "fraud",        "isfraud",    "fraudulent",   "malicious",
    "malware",   "intrusion", "fault",     "faulty",       "isfault",    "failure",      "machinefailure",
    "species",   "diagnosis", "outcome",   "survived",     "churn",      "category",     "defect",
    "isdefect"};

}  // namespace

bool is_label_name(std::string_view name) {
  return contains(kLabelNames, folded(name));
}

bool may_name_labels(std::string_view name) {
  const std::string letters = folded(name);
  return contains(kLabelNames, letters) || contains(kUsualNames, letters);
}

std::string as_word(std::string_view name) {
  const bool is_plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '.' || letter == '-' ||
           letter == '/';
  });
  return is_plain ? std::string(name) : fmt::format("'{}'", name);
}

}  // namespace vaecuda::data
