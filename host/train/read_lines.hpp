// What a run says of the rows it has read.
#pragma once

#include <functional>
#include <string>

#include "host/data/prepare.hpp"

namespace vaecuda {

/// One line for each of the files that were read, that of the training rows with how they are prepared, and
/// one for all that may be wrong.
void say_what_was_read(const PreparedData& data, const std::function<void(const std::string&)>& say);

}  // namespace vaecuda
