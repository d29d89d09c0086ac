// The names of what a zip archive holds.
#pragma once

#include <string>
#include <vector>

namespace vaecuda::data {

/// From the directory at the archive's end; empty where it cannot be read. Never throws for what the file
/// holds.
[[nodiscard]] std::vector<std::string> zip_members(const std::string& path);

}  // namespace vaecuda::data
