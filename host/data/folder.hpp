// Folders that hold a data set under the names it is distributed with: MNIST's and CIFAR-10's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vaecuda/dataset.hpp"

namespace vaecuda::data {

/// One part of a data set as files: MNIST's two, or the batches of CIFAR-10.
struct PartFiles {
  std::string images;                // IDX; empty for CIFAR-10
  std::string labels;                // IDX; empty where the folder has none
  std::vector<std::string> batches;  // CIFAR-10; empty for MNIST
};

/// Finds the files of a part; none where the folder holds nothing of it. MNIST's may be compressed or not,
/// with a dash or a dot before idx, and with anything before their name
/// ("emnist-letters-train-images-idx3-ubyte.gz") as long as one file alone fits. \throws FileError if the
/// folder cannot be read, more than one file fits, or a batch is missing.
[[nodiscard]] std::optional<PartFiles> find_part(const std::string& folder, DataPart part);

/// What find_part() looks for, for messages.
[[nodiscard]] std::string expected_files(DataPart part);

}  // namespace vaecuda::data
