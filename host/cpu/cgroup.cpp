#include "host/cpu/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace vaecuda::cpu {
namespace {

namespace fs = std::filesystem;

/// The root of the mount and every folder on the path to the cgroup.
void add_way(std::vector<CgroupFolder>& folders, const fs::path& mount, const std::string& cgroup,
             CgroupVersion version) {
  fs::path folder = mount;
  folders.push_back({folder, version});
  for (const fs::path& part : fs::path(cgroup).relative_path()) {
    if (part == "..") return;  // outside of the mount
    folder /= part;
    folders.push_back({folder, version});
  }
}

bool names(std::string_view controllers, std::string_view controller) {
  while (!controllers.empty()) {
    const std::size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == controller) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

}  // namespace

std::vector<CgroupFolder> cgroup_folders(const fs::path& root, std::string_view controller) {
  const fs::path mounts = root / "sys/fs/cgroup";
  std::ifstream file(root / "proc/self/cgroup");
  std::vector<CgroupFolder> folders;
  // A line is ID:CONTROLLERS:PATH; version 2 has 0 and no controllers.
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      add_way(folders, mounts, path, CgroupVersion::v2);
      add_way(folders, mounts / "unified", path, CgroupVersion::v2);  // beside version 1
    } else if (names(controllers, controller)) {
      add_way(folders, mounts / controllers, path, CgroupVersion::v1);
      if (controllers != controller) add_way(folders, mounts / controller, path, CgroupVersion::v1);
    }
  }
  return folders;
}

}  // namespace vaecuda::cpu
