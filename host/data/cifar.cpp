#include "host/data/cifar.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "host/data/format.hpp"
#include "host/data/idx.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/message.hpp"
#include "host/data/storage.hpp"

namespace vaecuda::data {
namespace {

constexpr ImageShape kShape{32, 32, 3};
constexpr std::size_t kPlane = 32 * 32;
constexpr std::size_t kPixels = 3 * kPlane;
constexpr int kMostLabel = 9;

struct Pictures {
  BlockList<std::uint8_t> pixels;
  LabelBuilder labels;
};

void add_batch(ByteSource& source, Pictures& pictures) {
  std::array<std::uint8_t, kCifarRecordBytes> record{};
  std::array<std::uint8_t, kPixels> picture{};
  while (!source.peek(1).empty()) {
    const std::int64_t start = source.position();
    source.read(record, fmt::format("CIFAR-10 record {} (of {} bytes each)", start / kCifarRecordBytes,
                                    kCifarRecordBytes));
    if (record[0] > kMostLabel) {
      fail(source.path(),
           "has label {} at {}, in record {} (counted from 0); expected 0 to {}, as in CIFAR-10", record[0],
           source.place(start), start / kCifarRecordBytes, kMostLabel);
    }
    pictures.labels.add(std::int64_t{record[0]});
    for (std::size_t pixel = 0; pixel < kPlane; ++pixel) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        picture[pixel * 3 + channel] = record[1 + channel * kPlane + pixel];
      }
    }
    pictures.pixels.append(picture);
  }
}

Dataset finish(Pictures&& pictures, const std::string& path) {
  const std::int64_t rows = pictures.labels.size();
  Dataset dataset(pictures.pixels.take(path), rows, kShape.size());
  dataset.set_image(kShape);
  Labels labels = std::move(pictures.labels).finish();
  dataset.set_labels(std::move(labels.values), std::move(labels.names));
  return dataset;
}

// The batches have no magic: what they have is a name, a length and a first label. A dark first picture may
// even look like IDX, whose own length decides between the two.
bool is_cifar(const ByteSource& source, std::span<const std::uint8_t> head) {
  if (!source.path().ends_with(".bin") && !source.path().ends_with(".bin.gz")) return false;
  if (source.size().value_or(0) % kCifarRecordBytes != 0 || head[0] > kMostLabel) return false;
  return !is_whole_idx(source, head);
}

}  // namespace

Dataset read_cifar(ByteSource& source) {
  Pictures pictures;
  add_batch(source, pictures);
  return finish(std::move(pictures), source.path());
}

Dataset read_cifar(const std::vector<std::string>& paths) {
  Pictures pictures;
  for (const std::string& path : paths) {
    ByteSource source(path);
    add_batch(source, pictures);
  }
  return finish(std::move(pictures), paths.front());
}

static_assert(kCifarRecordBytes == 3073, "as the format's entry says");
constinit const Format kCifarFormat = {
    .name = "a CIFAR-10 batch",
    .told_by = "(.bin, a multiple of 3073 bytes long)",
    .is_it = is_cifar,
    .read =
        [](const DataSource&, ByteSource& bytes) {
          return LoadedRows{read_cifar(bytes), {"CIFAR-10, uint8", "labels in the file", {}}};
        },
};

}  // namespace vaecuda::data
