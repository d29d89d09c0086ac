#include "host/capi/guard.hpp"

#include <fmt/format.h>

#include <exception>
#include <limits>
#include <new>
#include <stdexcept>

#include "vaecuda/output.hpp"
#include "vaecuda/version.hpp"

namespace vaecuda::capi {
namespace {

/// The last message of each thread: the only state of the C API besides its handles.
class LastError {
 public:
  void keep(const char* message) noexcept {
    try {
      text_ = message;
      shown_ = text_.c_str();
    } catch (...) {
      shown_ = "out of memory";
    }
  }
  [[nodiscard]] const char* text() const noexcept { return shown_; }

 private:
  std::string text_;
  const char* shown_ = "";
};

LastError& last_error() noexcept {
  thread_local LastError error;
  return error;
}

}  // namespace

int keep_current_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    last_error().keep(error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    last_error().keep("out of memory");
    return VAECUDA_OUT_OF_MEMORY;
  } catch (const std::length_error&) {  // thrown by containers in the same case
    last_error().keep("out of memory");
    return VAECUDA_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    last_error().keep(error.what());
  } catch (...) {
    last_error().keep("unknown error");
  }
  return VAECUDA_RUNTIME;
}

std::string required_text(const char* text, std::string_view argument) {
  return &required(text, argument);
}

std::vector<std::string> required_texts(const char* const* texts, std::size_t count,
                                        std::string_view argument) {
  (void)required(texts, argument);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(required_text(texts[i], argument));
  return all;
}

std::int64_t checked_count(std::int64_t rows, std::int64_t columns) {
  if (rows < 0 || columns < 0)
    throw ConfigError(fmt::format("{} rows of {} columns: neither can be negative", rows, columns));
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 8;
  if (columns > 0 && rows > kMost / columns)
    throw ConfigError(fmt::format("{} rows of {} columns are more than fit in any memory", rows, columns));
  return rows * columns;
}

void require_room(const void* buffer, std::size_t size, std::int64_t needed, std::string_view argument) {
  if (size < static_cast<std::uint64_t>(needed)) {
    throw ConfigError(fmt::format("{} holds {} elements, but {} are needed", argument, size, needed));
  }
  if (needed > 0) (void)required(static_cast<const char*>(buffer), argument);
}

void give_text(const std::string& from, char* text, std::size_t size, std::size_t* length) {
  if (length != nullptr) *length = from.size();
  if (size == 0 && text == nullptr && length != nullptr) return;
  require_room(text, size, static_cast<std::int64_t>(from.size()) + 1, "text");
  std::memcpy(text, from.c_str(), from.size() + 1);
}

}  // namespace vaecuda::capi

extern "C" {

const char* vaecuda_version(void) {
  return vaecuda::version();
}

const char* vaecuda_build_info(void) {
  return vaecuda::build_info();
}

const char* vaecuda_last_error(void) {
  return vaecuda::capi::last_error().text();
}

void vaecuda_remove_unfinished_files(void) {
  vaecuda::remove_unfinished_files();
}

const char* vaecuda_status_text(int status) {
  switch (status) {
    case VAECUDA_OK:
      return "ok";
    case VAECUDA_RUNTIME:
      return "runtime error";
    case VAECUDA_CONFIG:
      return "wrong request";
    case VAECUDA_BAD_FILE:
      return "bad input";
    case VAECUDA_OUT_OF_MEMORY:
      return "out of memory";
    case VAECUDA_DEVICE:
      return "no usable device";
    case VAECUDA_DIVERGED:
      return "training diverged";
    case VAECUDA_STOPPED:
      return "stopped after saving";
    default:
      return "unknown status";
  }
}

}  // extern "C"
