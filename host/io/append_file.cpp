#include "host/io/append_file.hpp"

#include <fcntl.h>

#include "vaecuda/error.hpp"

namespace vaecuda {

AppendFile::AppendFile(const Place& place)
    : path_(place.path()),
      file_(place, O_WRONLY | O_CREAT | O_APPEND),
      was_empty_(file_.regular_size() <= 0) {}

void AppendFile::append(std::span<const std::byte> bytes) {
  const std::int64_t size = file_.regular_size();
  try {
    file_.write(bytes);
  } catch (const RuntimeError&) {
    if (size >= 0) file_.try_truncate(size);
    throw;
  }
}

void AppendFile::append(std::string_view text) {
  append(std::as_bytes(std::span(text)));
}

}  // namespace vaecuda
