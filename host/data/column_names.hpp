// What column names tell of columns that hold labels.
#pragma once

#include <string>
#include <string_view>

namespace vaecuda::data {

/// True for label, class and target, in any case: such a column holds labels.
[[nodiscard]] bool is_label_name(std::string_view name);
/// True also for other names under which labels are common: outlier, is_anomaly, y, "Normal/Attack".
[[nodiscard]] bool may_name_labels(std::string_view name);
/// The name as one word of a command line.
[[nodiscard]] std::string as_word(std::string_view name);

}  // namespace vaecuda::data
