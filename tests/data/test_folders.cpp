// Folders with MNIST's and CIFAR-10's files, CIFAR-10 batches, files of labels, and what a path may mean.
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using test::bytes_of;
using test::check_error;
using test::gzip_bytes;
using test::idx_header;
using test::npy_bytes;
using test::TempDir;
using test::write_file;

DataSource source_of(const std::filesystem::path& path, const std::string& labels = "") {
  DataSource source;
  source.path = path.string();
  source.labels_path = labels;
  return source;
}

std::vector<std::int32_t> labels(const Dataset& data) {
  return {data.labels().begin(), data.labels().end()};
}
using Names = std::vector<std::string>;

std::string images(std::uint32_t rows, char value) {
  return idx_header(0x08, {rows, 2, 2}) + std::string(rows * 4, value);
}
std::string label_file(const std::string& classes) {
  return idx_header(0x08, {static_cast<std::uint32_t>(classes.size())}) + classes;
}

TEST_CASE("MNIST's four files, compressed or not, with dash or dot") {
  const TempDir folder;
  SECTION("compressed") {
    write_file(folder.path() / "train-images-idx3-ubyte.gz", gzip_bytes(images(3, 1)));
    write_file(folder.path() / "train-labels-idx1-ubyte.gz", gzip_bytes(label_file({7, 0, 7})));
    write_file(folder.path() / "t10k-images-idx3-ubyte.gz", gzip_bytes(images(2, 2)));
    write_file(folder.path() / "t10k-labels-idx1-ubyte.gz", gzip_bytes(label_file({1, 2})));
  }
  SECTION("plain, with dots; an int32 label file as it exists in the wild") {
    write_file(folder.path() / "train-images.idx3-ubyte", images(3, 1));
    write_file(folder.path() / "train-labels.idx1-ubyte",
               idx_header(0x0c, {3}) + bytes_of(std::vector<std::int32_t>{7, 0, 7}, true));
    write_file(folder.path() / "t10k-images.idx3-ubyte", images(2, 2));
    write_file(folder.path() / "t10k-labels.idx1-ubyte", label_file({1, 2}));
  }
  SECTION("both beside each other: the plain one is read, others' files do not disturb") {
    write_file(folder.path() / "train-images-idx3-ubyte", images(3, 1));
    write_file(folder.path() / "train-images-idx3-ubyte.gz", "not read");
    write_file(folder.path() / "train-labels-idx1-ubyte", label_file({7, 0, 7}));
    write_file(folder.path() / "other-train-images-idx3-ubyte", "not read");
    write_file(folder.path() / "t10k-images-idx3-ubyte", images(2, 2));
    write_file(folder.path() / "t10k-labels-idx1-ubyte", label_file({1, 2}));
  }
  const Dataset train = load_dataset(source_of(folder.path()));
  CHECK(train.rows() == 3);
  CHECK(train.image() == ImageShape{2, 2, 1});
  CHECK(train.label_names() == Names{"0", "7"});
  CHECK(labels(train) == std::vector<std::int32_t>{1, 0, 1});
  CHECK(train.name() == folder.path().string());
  CHECK(has_test_part(source_of(folder.path())));
  const Dataset held = load_dataset(source_of(folder.path()), DataPart::test);
  CHECK(held.rows() == 2);
  CHECK(held.u8()[0] == 2);
  CHECK(held.label_names() == Names{"1", "2"});
}

TEST_CASE("a folder with names in MNIST's image, and without labels") {
  const TempDir folder;
  write_file(folder.path() / "binarized_mnist_train-images-idx3-ubyte.gz", gzip_bytes(images(3, 1)));
  write_file(folder.path() / "binarized_mnist_valid-images-idx3-ubyte.gz", gzip_bytes(images(1, 3)));
  CHECK(load_dataset(source_of(folder.path())).rows() == 3);
  CHECK(load_dataset(source_of(folder.path())).labels().empty());
  CHECK_FALSE(has_test_part(source_of(folder.path())));
  write_file(folder.path() / "binarized_mnist_test-images-idx3-ubyte.gz", gzip_bytes(images(2, 2)));
  CHECK(load_dataset(source_of(folder.path()), DataPart::test).rows() == 2);
  write_file(folder.path() / "second_train-images-idx3-ubyte.gz", gzip_bytes(images(3, 1)));
  check_error<FileError>([&] { (void)load_dataset(source_of(folder.path())); },
                         {folder.path().native(), "more than one", "second_train", "binarized_mnist_train"});
}

TEST_CASE("folders that hold nothing, too little, or a contradiction") {
  const TempDir folder;
  const DataSource source = source_of(folder.path());
  check_error<FileError>([&] { (void)load_dataset(source); },
                         {folder.path().native(), "train-images-idx3-ubyte", "data_batch_1.bin"});
  CHECK_FALSE(has_test_part(source));
  write_file(folder.path() / "t10k-images-idx3-ubyte", images(2, 2));
  CHECK(has_test_part(source));
  check_error<FileError>([&] { (void)load_dataset(source); }, {"no training data"});
  write_file(folder.path() / "train-images-idx3-ubyte", images(3, 2));
  write_file(folder.path() / "train-labels-idx1-ubyte", label_file({1, 2}));
  check_error<FileError>([&] { (void)load_dataset(source); },
                         {"train-labels-idx1-ubyte", "2 labels", "3 rows"});
}

std::string cifar_record(std::uint8_t label, std::uint8_t base) {
  std::string record(1, static_cast<char>(label));
  for (int channel = 0; channel < 3; ++channel) {
    for (int pixel = 0; pixel < 1024; ++pixel) record += static_cast<char>(base + channel * 50 + pixel % 7);
  }
  return record;
}

TEST_CASE("CIFAR-10 batches: planes in the file, channels fastest in memory") {
  const TempDir folder;
  const std::string batch = cifar_record(3, 10) + cifar_record(9, 20);
  for (const std::string& path : {write_file(folder.path() / "x.bin", batch),
                                  write_file(folder.path() / "y.bin.gz", gzip_bytes(batch))}) {
    const Dataset data = load_dataset(source_of(path));
    CHECK(data.rows() == 2);
    CHECK(data.columns() == 3072);
    CHECK(data.image() == ImageShape{32, 32, 3});
    CHECK(data.label_names() == Names{"3", "9"});
    bool is_right = true;
    for (int i = 0; i < 2 * 3072; ++i) {
      const int expected = (i < 3072 ? 10 : 20) + i % 3 * 50 + i % 3072 / 3 % 7;
      is_right = is_right && data.u8()[static_cast<std::size_t>(i)] == expected;
    }
    CHECK(is_right);
  }
}

TEST_CASE("a dark first picture does not make a CIFAR-10 batch look like IDX") {
  const TempDir folder;
  std::string batch = cifar_record(0, 0);
  batch.replace(0, 8, std::string("\0\0\x08\1\0\0\0\1", 8));
  CHECK(load_dataset(source_of(write_file(folder.path() / "x.bin", batch))).columns() == 3072);
  // And an IDX file stays one, though it is called .bin and is as long as a batch.
  const std::string idx = idx_header(0x08, {3061, 1}) + std::string(3061, '\1');
  CHECK(load_dataset(source_of(write_file(folder.path() / "x.bin", idx))).columns() == 1);
}

TEST_CASE("CIFAR-10's folder, and broken batches") {
  const TempDir folder;
  const DataSource source = source_of(folder.path());
  for (const char number : {'1', '2', '3', '4'}) {
    write_file(folder.path() / (std::string("data_batch_") + number + ".bin"),
               cifar_record(static_cast<std::uint8_t>(number - '0'), 1));
  }
  check_error<FileError>([&] { (void)load_dataset(source); }, {"CIFAR-10", "without data_batch_5.bin"});
  write_file(folder.path() / "data_batch_5.bin", cifar_record(5, 1));
  const Dataset train = load_dataset(source);
  CHECK(train.rows() == 5);
  CHECK(labels(train) == std::vector<std::int32_t>{0, 1, 2, 3, 4});
  CHECK(train.label_names() == Names{"1", "2", "3", "4", "5"});
  CHECK_FALSE(has_test_part(source));
  write_file(folder.path() / "test_batch.bin", cifar_record(1, 1));
  CHECK(load_dataset(source, DataPart::test).rows() == 1);

  write_file(folder.path() / "data_batch_3.bin", cifar_record(1, 1) + cifar_record(10, 1));
  check_error<FileError>([&] { (void)load_dataset(source); },
                         {"data_batch_3.bin", "label 10", "byte 3073", "record 1"});
  write_file(folder.path() / "data_batch_3.bin", cifar_record(1, 1) + "short");
  check_error<FileError>([&] { (void)load_dataset(source); }, {"data_batch_3.bin", "record 1", "byte 3078"});
}

TEST_CASE("labels from a file of their own") {
  const TempDir folder;
  const std::string data = write_file(folder.path() / "data.npy", npy_bytes("|u1", "3, 2", "abcdef"));
  const auto load_with = [&](const std::string& bytes) {
    return load_dataset(source_of(data, write_file(folder.path() / "labels", bytes)));
  };
  const std::vector<std::int32_t> expected = {1, 0, 1};
  for (const std::string& bytes :
       {idx_header(0x08, {3}) + std::string("\5\2\5"),
        npy_bytes("<i8", "3,", bytes_of(std::vector<std::int64_t>{5, 2, 5})),
        npy_bytes("<f4", "3, 1", bytes_of(std::vector<float>{5, 2, 5})), std::string("5\n2\n5\n"),
        std::string("kind\n5\n2\n5\n"), gzip_bytes("5\r\n2\r\n5")}) {
    const Dataset labelled = load_with(bytes);
    CHECK(labelled.label_names() == Names{"2", "5"});
    CHECK(labels(labelled) == expected);
  }
  // Two numbers a row are a vector.
  for (const std::string& bytes :
       {std::string("1,2\n3,4\n5,6\n"), idx_header(0x08, {3, 2}) + "\1\2\3\4\5\6"}) {
    const Dataset told = load_with(bytes);
    CHECK(told.labels().empty());
    CHECK(std::vector<float>(told.label_vectors().begin(), told.label_vectors().end()) ==
          std::vector<float>{1, 2, 3, 4, 5, 6});
  }
  CHECK(load_with("b\na\nb\n").label_names() == Names{"a", "b"});
  CHECK(load_with("name\nb\na\nb\n").label_names() == Names{"a", "b"});

  const auto refuse = [&](const std::string& bytes, std::initializer_list<std::string_view> needles) {
    check_error<FileError>([&] { (void)load_with(bytes); }, {"labels"});
    check_error<FileError>([&] { (void)load_with(bytes); }, needles);
  };
  refuse("1\n2\n", {"2 labels", "3 rows"});
  refuse("1\n2\n3\n4\n5\n", {"5 labels", "3 rows"});
  refuse("1,2\n3,4\n", {"2 rows of labels", "3 rows"});
  refuse(idx_header(0x08, {3, 2, 1}) + "abcdef", {"per row"});
  refuse(idx_header(0x08, {3}) + "ab", {"truncated"});
  refuse(npy_bytes("<f4", "3,", bytes_of(std::vector<float>{1, 2.5F, 3})),
         {"row 1", "2.5", "not an integer"});
  refuse(npy_bytes("<u8", "3,", bytes_of(std::vector<std::uint64_t>{1, 2, UINT64_MAX})),
         {"row 2", "18446744073709551615", "larger than 2^63"});
  CHECK(load_with("2.5\n-1\n2.5\n").label_names() == Names{"-1", "2.5"});
  const std::string batch = write_file(folder.path() / "labels.bin", std::string(3073, '\1'));
  check_error<FileError>([&] { (void)load_dataset(source_of(data, batch)); },
                         {"labels.bin", "CIFAR-10 batch"});
  check_error<FileError>([&] { (void)load_dataset(source_of(data, (folder.path() / "gone").string())); },
                         {"gone", "no such file"});
}

TEST_CASE("a labels file takes the place of the labels that come with the data") {
  const TempDir folder;
  const std::string table = write_file(folder.path() / "t.csv", "a,label\n1,0\n2,0\n");
  const std::string own = write_file(folder.path() / "l.csv", "x\ny\n");
  const Dataset data = load_dataset(source_of(table, own));
  CHECK(data.columns() == 1);
  CHECK(data.label_names() == Names{"x", "y"});
  DataSource twice = source_of(table, own);
  twice.label_column = "label";
  check_error<ConfigError>([&] { (void)load_dataset(twice); }, {"twice", "l.csv", "\"label\""});
}

TEST_CASE("paths that cannot be data") {
  const TempDir folder;
  const auto refuse = [&](const std::filesystem::path& path,
                          std::initializer_list<std::string_view> needles) {
    check_error<FileError>([&] { (void)load_dataset(source_of(path)); }, {path.native()});
    check_error<FileError>([&] { (void)load_dataset(source_of(path)); }, needles);
  };
  refuse(folder.path() / "gone.csv", {"no such file or folder"});
  refuse(write_file(folder.path() / "empty.csv", ""), {"is empty"});
  refuse(write_file(folder.path() / "a.csv", "1\n") + "/below", {"cannot be opened"});
  refuse(write_file(folder.path() / "a.npz", "PK\x03\x04...."), {"zip archive"});
  refuse(write_file(folder.path() / "a.h5", "\x89HDF...."), {"HDF5"});
  refuse(write_file(folder.path() / "a.tar", std::string(257, 'x') + "ustar"), {"tar archive"});
  refuse(write_file(folder.path() / "a.csv", std::string("\xff\xfe"
                                                         "1\0,\0",
                                                         6)),
         {"UTF-16"});
  refuse(write_file(folder.path() / "a", std::string("\x01\x02\x03\x04", 4)),
         {"no known format", "01 02 03 04", "IDX"});
  // CIFAR-100's records are a byte longer.
  refuse(write_file(folder.path() / "a.bin", std::string(3074, '\1')), {"no known format", "3073"});
  // Can be opened; its first byte is nobody's memory.
  refuse("/proc/self/mem", {"cannot be read at byte 0", "Input/output error"});
  check_error<ConfigError>([] { (void)load_dataset(DataSource{}); }, {"path is empty"});
}

TEST_CASE("requests that do not fit the source") {
  const TempDir folder;
  DataSource source =
      source_of(write_file(folder.path() / "a.npy", npy_bytes("|u1", "3, 6", std::string(18, 'a'))));
  check_error<ConfigError>([&] { (void)load_dataset(source, DataPart::test); }, {"a.npy", "no test part"});
  CHECK_FALSE(has_test_part(source));
  source.image = ImageShape{1, 2, 3};
  CHECK(load_dataset(source).image() == ImageShape{1, 2, 3});
  source.image = ImageShape{2, 2, 3};
  check_error<ConfigError>([&] { (void)load_dataset(source); }, {"a.npy", "2x2x3", "6"});
  source.image.reset();
  source.label_column = "kind";
  check_error<ConfigError>([&] { (void)load_dataset(source); }, {"a.npy", "\"kind\"", "only a CSV"});
}

TEST_CASE("shapes always means the built-in set") {
  DataSource source;
  source.path = "shapes:16x16:n=10";
  const Dataset data = load_dataset(source);
  CHECK(data.rows() == 10);
  CHECK(data.name() == source.path);
  CHECK_FALSE(has_test_part(source));
  source.path = "./shapes";
  check_error<FileError>([&] { (void)load_dataset(source); }, {"./shapes", "no such file"});
}

}  // namespace
}  // namespace vaecuda
