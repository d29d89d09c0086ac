// Models that the tests of vae_cuda share: trained once for each program that asks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "vaecuda/dataset.hpp"

namespace vaecuda::test {

inline constexpr std::int64_t kShapesRows = 600;
inline const std::string kShapes = "shapes:16x16,n=600";

struct ToolModels {
  std::string pictures;     ///< of kShapes, 24 hidden units, 3 latents
  std::string conditional;  ///< the same, told the class
  std::string table;        ///< a CSV file of 90 rows, three named columns and a label
  std::string tabular;      ///< of that table, 8 hidden units, 2 latents
};
[[nodiscard]] const ToolModels& tool_models();

/// A file that the tool wrote; a table's columns are all values.
[[nodiscard]] Dataset load_written(const std::filesystem::path& path);
[[nodiscard]] std::vector<float> values_of(const std::filesystem::path& path);

/// Width and height of a PNG file.
[[nodiscard]] std::pair<std::int64_t, std::int64_t> png_size(const std::filesystem::path& path);
/// Of a sheet of 16x16 pictures, three times as large, with gutters of 3.
[[nodiscard]] std::pair<std::int64_t, std::int64_t> sheet_size(std::int64_t across, std::int64_t down);

}  // namespace vaecuda::test
