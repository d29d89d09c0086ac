// Progress and checks while rows pass through a model.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.hpp"

namespace vaecuda::tool {

/// Reports to the console how many rows are done.
class RowCount {
 public:
  /// `pass`: name of the work, of static storage duration. `total`: number of rows, if known.
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
  /// Adds the results of the next rows, `columns` values each.
  void add(std::span<const float> results);
  /// One line saying that the values of these rows are too large for the model, or nothing if all results
  /// were finite. `name`: of the data.
  [[nodiscard]] std::vector<std::string> warnings(const std::string& name) const;
  /// The same for rows decoded from latents and written to `path`.
  [[nodiscard]] std::vector<std::string> decoded_warnings(const std::string& path) const;

 private:
  std::int64_t columns_;
  std::int64_t rows_ = 0;
  std::int64_t infinite_ = 0;
  std::int64_t first_ = 0;  ///< index
};

/// Shows each as a separate message.
void print_warnings(cli::Console& console, const std::vector<std::string>& warnings);

}  // namespace vaecuda::tool
