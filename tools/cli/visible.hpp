// Text from files and arguments in a form that is safe to show on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace vaecuda::cli {

/// `text` without characters that a terminal interprets: control characters (C0 and C1), bidirectional
/// controls, line separators, and bytes that are not UTF-8. They are shown as \u009b, bytes as \xNN, so that
/// a JSON document keeps its meaning. Line ends and tabs are kept.
[[nodiscard]] std::string visible(std::string_view text);

/// The same on one line, without line ends and tabs, for a name within a sentence.
[[nodiscard]] std::string visible_name(std::string_view name);

/// A message: a line end is kept only before an indented line, as in lists of problems, so that no name in it
/// can imitate a new message.
[[nodiscard]] std::string visible_message(std::string_view message);

}  // namespace vaecuda::cli
