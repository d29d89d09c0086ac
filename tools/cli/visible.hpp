// Text from files and arguments as a terminal may show it.
#pragma once

#include <string>
#include <string_view>

namespace vaecuda::cli {

/// `text` without what a terminal obeys instead of showing it: control characters (C0 and C1), characters
/// that turn the direction of writing or end a line, and bytes that are no UTF-8. They appear as \u009b,
/// bytes as \xNN, so that a JSON document means what it did. Line ends and tabs stay.
[[nodiscard]] std::string visible(std::string_view text);

/// The same on one line: no line end and no tab stays either, as in a name that stands between other words.
[[nodiscard]] std::string visible_name(std::string_view name);

/// A message: a line end stays only before a line that is indented, as those are that list many problems, so
/// that no name in it begins a message of its own.
[[nodiscard]] std::string visible_message(std::string_view message);

}  // namespace vaecuda::cli
