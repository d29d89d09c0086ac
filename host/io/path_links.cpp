#include "host/io/path_links.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <tuple>

#include "vaecuda/error.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {
namespace fs = std::filesystem;
namespace {

/// Identity of the file if it exists, else of its folder, with its name.
using Identity = std::tuple<dev_t, ino_t, std::string>;

std::optional<Identity> identity_of(const fs::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) return std::nullopt;
    return Identity(status.st_dev, status.st_ino, "");
  }
  fs::path target;
  try {
    target = follow_links(path);
  } catch (const fs::filesystem_error&) {
    return std::nullopt;  // opening it will report the error
  }
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  if (::stat(folder.c_str(), &status) != 0) return std::nullopt;
  return Identity(status.st_dev, status.st_ino, target.filename().string());
}

/// Whether an existing file is in the folder.
bool is_file_in(const fs::path& file, const fs::path& folder) {
  std::error_code error;
  if (!fs::is_regular_file(file, error) || !fs::is_directory(folder, error)) return false;
  const fs::path target = fs::canonical(file, error);
  return !error && fs::equivalent(target.parent_path(), folder, error);
}

}  // namespace

fs::path follow_links(fs::path path) {
  constexpr int kMostLinks = 40;  // as Linux
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(path, error)); ++links) {
    if (links == kMostLinks)
      throw fs::filesystem_error("follow the link", path,
                                 std::make_error_code(std::errc::too_many_symbolic_link_levels));
    // An absolute link replaces everything before it.
    path = path.parent_path() / fs::read_symlink(path);
  }
  return path;
}

fs::path absolute_path(const fs::path& path) {
  std::error_code error;
  fs::path whole = fs::absolute(path, error);
  if (error) return path;
  fs::path result;
  for (const fs::path& part : whole) {
    if (part == ".") continue;
    if (part != "..") {
      result /= part;
      continue;
    }
    const fs::path folder = fs::canonical(result, error);
    if (error) return whole;
    result = folder.parent_path();
  }
  return result;
}

bool is_same_file(const fs::path& one, const fs::path& other) {
  const std::optional<Identity> first = identity_of(one);
  return first && first == identity_of(other);
}

void require_other_files(std::span<const NamedFile> outputs, std::span<const NamedFile> inputs,
                         std::string_view consequence) {
  const auto refuse = [](const NamedFile& one, const NamedFile& other, std::string_view lost) {
    throw ConfigError(fmt::format("{} '{}' and {} '{}' are the same file: {}; name another", one.name,
                                  one.path, other.name, other.path, lost));
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].path.empty()) continue;
    for (const NamedFile& other : outputs.first(i)) {
      if (!other.path.empty() && is_same_file(outputs[i].path, other.path))
        refuse(other, outputs[i], "one would replace the other");
    }
    for (const NamedFile& input : inputs) {
      if (input.path.empty()) continue;
      if (is_same_file(outputs[i].path, input.path)) refuse(outputs[i], input, consequence);
      if (is_file_in(outputs[i].path, input.path)) {
        throw ConfigError(fmt::format("{} '{}' is a file in {} '{}': {}; name another", outputs[i].name,
                                      outputs[i].path, input.name, input.path, consequence));
      }
    }
  }
}

}  // namespace vaecuda
