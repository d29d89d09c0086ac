// Turns the labels of a file, met one by one, into class indices and class names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vaecuda::data {

struct Labels {
  std::vector<std::int32_t> values;  // one index into names per row
  std::vector<std::string> names;    // in numeric order where all are numbers, else in byte order
};

/// Labels that stand for a missing value: how many, and the first.
struct MissingLabels {
  std::int64_t count = 0;
  std::int64_t place = 0;
  std::string text;

  void add(std::int64_t at, std::string_view label);
  /// What is wrong with `rows` labels, for a message that begins with the place of the first.
  [[nodiscard]] std::string message(std::int64_t rows) const;
};

/// Memory: four bytes per row and the distinct texts.
class LabelBuilder {
 public:
  void add(std::string_view text);
  void add(std::int64_t number);
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }
  /// Forgets the first label: it was a header.
  void drop_first();
  /// Sorts the classes. Numbers written in different ways ("1", "1.0", "+1") are one class, which has the
  /// shortest of these texts; where all classes are numbers, each has.
  [[nodiscard]] Labels finish() &&;

 private:
  std::map<std::string, std::int32_t, std::less<>> seen_;  // text -> index in order of appearance
  std::vector<std::int32_t> values_;
};

/// The classes of labels that came row by row with the texts they are written by: those of finish(), but
/// where not all are numbers in the order in which they came.
[[nodiscard]] Labels as_classes(const std::vector<std::int32_t>& values,
                                const std::vector<std::string>& texts);

/// True if all classes are numbers, and one is not whole.
[[nodiscard]] bool has_decimals(const std::vector<std::string>& names);

/// The class that `text` means: the one of this very name, else the number that it is written otherwise for.
[[nodiscard]] std::optional<std::int32_t> find_class(const std::vector<std::string>& names,
                                                     std::string_view text);

}  // namespace vaecuda::data
