// The configuration of a run that is there.
#include <fmt/format.h>

#include <filesystem>

#include "host/config/scopes.hpp"
#include "host/io/folder_listing.hpp"
#include "host/train/run_replacement.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {

RunConfig load_run_config(const std::string& dir) {
  const std::string path = find_run_file(std::filesystem::path(dir), "config.toml").string();
  if (!std::filesystem::exists(path)) {
    throw FileError(fmt::format("{}: holds no run: config.toml is missing; name the folder of a run", dir));
  }
  refuse_pipes(dir);
  refuse_pipes(std::filesystem::path(path).parent_path());
  RunConfig config = config::load_kept_config(path);
  config.output.dir = dir;
  return config;
}

}  // namespace vaecuda
