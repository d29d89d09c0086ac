// Where the kernel keeps what a cgroup may use: the folders of this process's own and of the ones above it.
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

/// All folders whose limits of `controller` ("cpu", "memory") bind this process, by what /proc/self/cgroup
/// says; some may not exist. A container may see its own cgroup as the mount's root while /proc still names
/// it from the host's: then only the root's files are there, and they are the ones that count. root: "/" in
/// use, a folder of a test's in tests.
[[nodiscard]] std::vector<CgroupFolder> cgroup_folders(const std::filesystem::path& root,
                                                       std::string_view controller);

}  // namespace vaecuda::cpu
