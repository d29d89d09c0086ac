// The folders with the limits of this process's cgroup and of its ancestors.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace vaecuda::cpu {

enum class CgroupVersion { v1, v2 };

struct CgroupFolder {
  std::filesystem::path path;
  CgroupVersion version;
};

/// All folders whose limits of `controller` ("cpu", "memory") apply to this process according to
/// /proc/self/cgroup; some may not exist. A container may see its own cgroup as the root of the mount
/// although /proc names it from the host's root: then only the files in the mount's root exist, and they
/// apply. root: "/", in tests a temporary folder.
[[nodiscard]] std::vector<CgroupFolder> cgroup_folders(const std::filesystem::path& root,
                                                       std::string_view controller);

}  // namespace vaecuda::cpu
