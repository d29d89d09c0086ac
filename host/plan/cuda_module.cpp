#include "host/plan/cuda_module.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "vaecuda_build.hpp"

namespace vaecuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "libvaecuda_cuda.so";
constexpr const char* kDriver = "libcuda.so.1";

std::string last_error() {
  const char* text = dlerror();
  return text == nullptr ? "unknown error" : text;
}

/// The file that this code was loaded from, without symbolic links; empty if it cannot be told.
fs::path own_file() {
  static const char kInside = 0;
  Dl_info info{};
  link_map* map = nullptr;
  void* extra = nullptr;
  if (dladdr1(&kInside, &info, &extra, RTLD_DL_LINKMAP) != 0) map = static_cast<link_map*>(extra);
  // The program itself has no name in the list of loaded objects, and what dladdr calls it is only argv[0].
  const bool is_program = map == nullptr || map->l_name == nullptr || map->l_name[0] == '\0';
  std::error_code error;
  fs::path file = is_program ? fs::read_symlink("/proc/self/exe", error) : fs::canonical(map->l_name, error);
  return error ? fs::path{} : file;
}

CudaAccess refuse(std::string reason) {
  return {nullptr, std::move(reason)};
}

CudaAccess open_file(const fs::path& file) {
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return refuse(fmt::format("cannot open the CUDA backend: {}", last_error()));
  // The one way to make a function of what dlsym gives.
  const auto entry = reinterpret_cast<CudaModuleEntry>(dlsym(library, kCudaModuleSymbol));
  if (entry == nullptr) return refuse(fmt::format("{} is no CUDA backend of vaecuda", file.string()));
  const CudaModule* module = entry();
  if (std::string_view(module->build) != cuda_module_build()) {
    return refuse(fmt::format(
        "{} belongs to another build of vaecuda ({}) than this program ({}); install both from the same one",
        file.string(), module->build, cuda_module_build()));
  }
  return {module, {}};
}

CudaAccess find_access() {
  if (!build::kHasCuda) return refuse("this build has no CUDA backend");
  // Stays open, since the module would only open it again.
  if (dlopen(kDriver, RTLD_LAZY | RTLD_LOCAL) == nullptr) {
    return refuse(fmt::format("no NVIDIA driver on this machine ({} not found)", kDriver));
  }
  return open_cuda_module(cuda_module_places());
}

}  // namespace

const char* cuda_module_build() noexcept {
  return build::kId;
}

std::vector<fs::path> cuda_module_places() {
  std::vector<fs::path> places;
  const auto add = [&](const fs::path& folder) {
    const fs::path file = folder / kFileName;
    if (std::find(places.begin(), places.end(), file) == places.end()) places.push_back(file);
  };
  const fs::path own = own_file();
  if (!own.empty()) {
    const fs::path folder = own.parent_path();
    const fs::path prefix = folder.parent_path();
    add(folder);
    add(prefix / "lib");
    add(prefix / build::kLibraryFolder);  // an absolute one replaces the prefix
  }
  // A program of someone else's that links the static library lies anywhere; the installation does not.
  add(build::kInstalledFolder);
  return places;
}

CudaAccess open_cuda_module(const std::vector<fs::path>& places) {
  std::string tried;
  for (const fs::path& file : places) {
    std::error_code unreadable;  // a folder that we may not enter holds nothing for us
    if (fs::exists(file, unreadable)) return open_file(file);
    tried += (tried.empty() ? "" : ", ") + file.parent_path().string();
  }
  return refuse(fmt::format("the CUDA backend {} is missing; looked in {}", kFileName, tried));
}

const CudaAccess& cuda_access() {
  static const CudaAccess kAccess = find_access();
  return kAccess;
}

}  // namespace vaecuda
