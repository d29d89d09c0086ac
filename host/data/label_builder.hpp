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

/// Memory: four bytes per row and the distinct texts.
class LabelBuilder {
 public:
  void add(std::string_view text);
  void add(std::int64_t number);
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }
  /// Forgets the first label: it was a header.
  void drop_first();
  /// Sorts the classes. Numbers written in different ways ("1", "1.0") are one class.
  [[nodiscard]] Labels finish() &&;

 private:
  std::map<std::string, std::int32_t, std::less<>> seen_;  // text -> index in order of appearance
  std::vector<std::int32_t> values_;
};

/// The classes of labels that came row by row with the texts they are written by: those of finish() where
/// all are numbers, else as they came.
[[nodiscard]] Labels as_classes(const std::vector<std::int32_t>& values,
                                const std::vector<std::string>& texts);

/// The class that `text` means: the one of this very name, else the number that it is written otherwise for.
[[nodiscard]] std::optional<std::int32_t> find_class(const std::vector<std::string>& names,
                                                     std::string_view text);

}  // namespace vaecuda::data
