// How the loaders report a bad file: one exception type, built from a path and a sentence.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "vaecuda/error.hpp"

namespace vaecuda::data {

/// \throws FileError "path: sentence".
template <class... Args>
[[noreturn]] void fail(const std::string& path, fmt::format_string<Args...> sentence, Args&&... args) {
  throw FileError(path + ": " + fmt::format(sentence, std::forward<Args>(args)...));
}

/// `text` in quotation marks, fit for a terminal: control bytes as \xNN, cut where it is long.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// Refuses a name or a label with a zero byte, where a text ends for C and whoever calls it.
void require_text(const std::string& path, std::int64_t line, std::string_view text);
/// The same of a label, and one that is no UTF-8: a model keeps its classes as UTF-8, where others of their
/// kind would be one.
void require_label(const std::string& path, std::int64_t line, std::string_view label);

/// A number of bytes as a person reads it: "512 bytes", "44.9 MiB".
[[nodiscard]] std::string readable_bytes(double bytes);

/// "1 row", "2 rows".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view noun);

}  // namespace vaecuda::data
