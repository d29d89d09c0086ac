// What a cell that is not a number seems to be.
#pragma once

#include <string_view>

namespace vaecuda::data {

enum class TextKind { date, decimal_comma, boolean, unit, other };

/// date: also times of day; decimal_comma: "1,5" and "1,234.5"; boolean: true, no; unit: "12 %", "$5".
[[nodiscard]] TextKind text_kind(std::string_view text);

}  // namespace vaecuda::data
