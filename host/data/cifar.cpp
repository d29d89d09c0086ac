#include "host/data/cifar.hpp"

#include <array>
#include <utility>

#include "host/data/label_builder.hpp"
#include "host/data/message.hpp"
#include "host/data/storage.hpp"

namespace vaecuda::data {
namespace {

constexpr ImageShape kShape{32, 32, 3};
constexpr std::size_t kPlane = 32 * 32;
constexpr std::size_t kPixels = 3 * kPlane;

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
    constexpr int kMostLabel = 9;
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

}  // namespace vaecuda::data
