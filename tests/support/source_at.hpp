// Rows from a path, with nothing else said.
#pragma once

#include <string>
#include <utility>

#include "vaecuda/dataset.hpp"

namespace vaecuda::test {

[[nodiscard]] inline DataSource source_at(std::string path) {
  DataSource source;
  source.path = std::move(path);
  return source;
}

}  // namespace vaecuda::test
