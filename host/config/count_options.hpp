// The options of counts, for the table of options.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "vaecuda/options.hpp"

namespace vaecuda::config {

/// Appends them, listed under `group` in the help.
void append_count_options(std::vector<Option>& table, std::string_view group);

}  // namespace vaecuda::config
