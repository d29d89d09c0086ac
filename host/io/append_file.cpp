#include "host/io/append_file.hpp"

#include <fcntl.h>

#include <cstdint>
#include <span>

#include "vaecuda/error.hpp"

namespace vaecuda {

AppendFile::AppendFile(const Place& place)
    : path_(place.path()),
      file_(place, O_WRONLY | O_CREAT | O_APPEND),
      was_empty_(file_.regular_size() <= 0) {}

void AppendFile::append(std::string_view text) {
  const std::int64_t size = file_.regular_size();
  try {
    file_.write(std::as_bytes(std::span(text)));
  } catch (const RuntimeError&) {
    if (size >= 0) file_.try_truncate(size);
    throw;
  }
}

}  // namespace vaecuda
