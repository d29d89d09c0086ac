#include "host/data/zip_members.hpp"

#include "host/data/raw_file.hpp"
#include "host/data/zip.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::data {

std::vector<std::string> zip_members(const std::string& path) {
  std::vector<std::string> names;
  try {
    RawFile file(path);
    for (ZipMember& member : read_zip_directory(file)) names.push_back(std::move(member.name));
  } catch (const FileError&) {
    names.clear();
  }
  return names;
}

}  // namespace vaecuda::data
