// CIFAR-10's binary batches: records of one label byte and 3072 pixel bytes, a plane of 32×32 for each of R,
// G, B.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/data/bytes.hpp"
#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

struct Format;

/// One record in bytes, label and pixels.
inline constexpr std::int64_t kCifarRecordBytes = 1 + 3 * 32 * 32;

/// Reads batches one after another into one data set of 32×32×3 pictures, channels fastest, with labels.
/// \throws FileError for a label over 9 or a file that ends inside a record.
[[nodiscard]] Dataset read_cifar(const std::vector<std::string>& paths);

/// The same for one batch that is already open.
[[nodiscard]] Dataset read_cifar(ByteSource& source);

extern const Format kCifarFormat;  ///< its entry in the table of host/data/format.hpp

}  // namespace vaecuda::data
