// A configuration file of a test's own text, and what the library says to it.
#pragma once

#include <fstream>
#include <string>

#include "tests/support/temp_dir.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::test {

class TomlFile {
 public:
  explicit TomlFile(const std::string& text) : path_((folder_.path() / "run.toml").string()) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  [[nodiscard]] RunConfig load() const { return load_config(path_); }
  /// The message of the ConfigError that reading it causes, without the folder; empty where it is accepted.
  [[nodiscard]] inline std::string refusal() const {
    try {
      static_cast<void>(load());
    } catch (const ConfigError& error) {
      const std::string message = error.what();
      return message.substr(message.find("run.toml"));
    }
    return {};
  }

 private:
  TempDir folder_;
  std::string path_;
};

inline std::string refusal(const std::string& text) {
  return TomlFile(text).refusal();
}

}  // namespace vaecuda::test
