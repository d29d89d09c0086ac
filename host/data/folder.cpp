#include "host/data/folder.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "host/data/message.hpp"
#include "host/io/folder.hpp"

namespace vaecuda::data {
namespace {

std::vector<std::string> file_names(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names = list_folder(folder, error);
  if (error) fail(folder, "the folder cannot be read ({})", error.message());
  return names;
}

std::string in_folder(const std::string& folder, const std::string& name) {
  return (std::filesystem::path(folder) / name).string();
}

// MNIST's test files are called t10k; sets made in its image say test.
std::vector<std::string_view> part_names(DataPart part) {
  if (part == DataPart::train) return {"train"};
  return {"t10k", "test"};
}

struct Match {
  std::string file;
  std::string prefix;  // what stands before the part's name
};

// Files whose name ends in "<part>-<what>(-|.)<idx>[.gz]". Of the same file compressed and not, or with dash
// and dot, the first in the order below is taken.
std::vector<Match> find_idx(const std::vector<std::string>& names, std::string_view part,
                            std::string_view what, std::string_view idx) {
  std::vector<Match> matches;
  for (const std::string_view joint : {"-", "."}) {
    for (const std::string_view end : {"", ".gz"}) {
      const std::string suffix = fmt::format("{}-{}{}{}-ubyte{}", part, what, joint, idx, end);
      for (const std::string& name : names) {
        if (name.size() < suffix.size() || name.substr(name.size() - suffix.size()) != suffix) continue;
        std::string prefix = name.substr(0, name.size() - suffix.size());
        const bool is_known = std::any_of(matches.begin(), matches.end(),
                                          [&](const Match& match) { return match.prefix == prefix; });
        if (!is_known) matches.push_back({name, std::move(prefix)});
      }
    }
  }
  return matches;
}

std::optional<PartFiles> find_mnist(const std::string& folder, const std::vector<std::string>& names,
                                    DataPart part) {
  for (const std::string_view part_name : part_names(part)) {
    const std::vector<Match> images = find_idx(names, part_name, "images", "idx3");
    if (images.empty()) continue;
    // The plain name wins over longer ones beside it.
    auto chosen = std::find_if(images.begin(), images.end(), [](const Match& m) { return m.prefix.empty(); });
    if (chosen == images.end()) {
      if (images.size() > 1) {
        fail(
            folder,
            "the folder holds more than one data set ({} and {}); give the file itself, or a folder with one",
            images[0].file, images[1].file);
      }
      chosen = images.begin();
    }
    PartFiles files;
    files.images = in_folder(folder, chosen->file);
    for (const Match& labels : find_idx(names, part_name, "labels", "idx1")) {
      if (labels.prefix == chosen->prefix) files.labels = in_folder(folder, labels.file);
    }
    return files;
  }
  return std::nullopt;
}

std::optional<PartFiles> find_cifar(const std::string& folder, const std::vector<std::string>& names,
                                    DataPart part) {
  std::vector<std::string> wanted = {"test_batch.bin"};
  if (part == DataPart::train) {
    wanted = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
              "data_batch_5.bin"};
  }
  PartFiles files;
  std::string missing;
  for (const std::string& name : wanted) {
    if (std::binary_search(names.begin(), names.end(), name)) {
      files.batches.push_back(in_folder(folder, name));
    } else {
      missing += (missing.empty() ? "" : ", ") + name;
    }
  }
  if (files.batches.empty()) return std::nullopt;
  if (!missing.empty()) {
    fail(folder,
         "the folder holds CIFAR-10 without {}; expected data_batch_1.bin to data_batch_5.bin. Unpack the "
         "archive again, or give one batch as the file",
         missing);
  }
  return files;
}

}  // namespace

std::optional<PartFiles> find_part(const std::string& folder, DataPart part) {
  const std::vector<std::string> names = file_names(folder);
  if (auto files = find_mnist(folder, names, part)) return files;
  return find_cifar(folder, names, part);
}

std::string expected_files(DataPart part) {
  if (part == DataPart::train) {
    return "train-images-idx3-ubyte[.gz] (MNIST; labels in train-labels-idx1-ubyte[.gz]) or data_batch_1.bin "
           "to data_batch_5.bin (CIFAR-10)";
  }
  return "t10k-images-idx3-ubyte[.gz] (MNIST; labels in t10k-labels-idx1-ubyte[.gz]) or test_batch.bin "
         "(CIFAR-10)";
}

}  // namespace vaecuda::data
