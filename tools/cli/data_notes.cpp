#include "cli/data_notes.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "vaecuda/error.hpp"

namespace vaecuda::cli {

void say_notes(Console& console, const ReadNotes& notes) {
  console.message(notes.description);
  for (const std::string& warning : notes.warnings) console.message("warning: " + warning);
}

void require_read_again(std::string_view flag, const std::string& path, std::string_view command,
                        std::string_view times) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  const bool comes_once = std::filesystem::is_fifo(status) || std::filesystem::is_socket(status) ||
                          std::filesystem::is_character_file(status);
  if (!comes_once) return;
  throw ConfigError(fmt::format("{} {}: a pipe can be read once, and {} reads its data {}: give a file", flag,
                                path, command, times));
}

}  // namespace vaecuda::cli
