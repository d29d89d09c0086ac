// What a command notices while rows pass through a model.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.hpp"

namespace vaecuda::tool {

/// Tells the console how many rows are done.
class RowCount {
 public:
  /// `pass`: what is done with them; valid as long as the program. `total`: where it is known.
  RowCount(cli::Console& console, std::string_view pass, std::optional<std::int64_t> total)
      : console_(console), pass_(pass), total_(total) {}
  void tell(std::int64_t rows) const;

 private:
  cli::Console& console_;
  std::string_view pass_;
  std::optional<std::int64_t> total_;
};

/// Counts rows whose results are not finite.
class OverflowWatch {
 public:
  explicit OverflowWatch(std::int64_t columns) : columns_(columns) {}
  /// The results of the next rows, `columns` values each.
  void add(std::span<const float> results);
  /// One line, or none where all were finite: the values of these rows are too large for the model. `name`:
  /// of the data.
  [[nodiscard]] std::vector<std::string> warnings(const std::string& name) const;
  /// The same of rows that were decoded from latents, and went to `path`.
  [[nodiscard]] std::vector<std::string> decoded_warnings(const std::string& path) const;

 private:
  std::int64_t columns_;
  std::int64_t rows_ = 0;
  std::int64_t infinite_ = 0;
  std::int64_t first_ = 0;  ///< index
};

/// Each as a message of its own.
void print_warnings(cli::Console& console, const std::vector<std::string>& warnings);

}  // namespace vaecuda::tool
