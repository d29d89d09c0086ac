// Arrays in a program's memory: what a .npy file of the same elements gives, and is refused for.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/array.hpp"
#include "vaecuda/dataset.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {
namespace {

using test::bytes_of;
using test::check_error;
using test::npy_bytes;
using test::TempDir;
using test::write_file;

Dataset load(const std::string& path) {
  DataSource source;
  source.path = path;
  return load_dataset(source);
}

void check_same(const Dataset& a, const Dataset& b) {
  CHECK(a.rows() == b.rows());
  CHECK(a.columns() == b.columns());
  CHECK(a.type() == b.type());
  CHECK(a.image() == b.image());
  CHECK(std::vector<float>(a.f32().begin(), a.f32().end()) ==
        std::vector<float>(b.f32().begin(), b.f32().end()));
  CHECK(std::vector<std::uint8_t>(a.u8().begin(), a.u8().end()) ==
        std::vector<std::uint8_t>(b.u8().begin(), b.u8().end()));
}

/// The message without the name that begins it; "" where nothing is refused.
template <typename Make>
std::string refusal_of(Make&& make, const std::string& name) {
  try {
    (void)make();
  } catch (const FileError& error) {
    const std::string text = error.what();
    CHECK(text.rfind(name + ": ", 0) == 0);
    return text.substr(name.size());
  }
  return "";
}

struct Case {
  std::string descr;
  NumberType type;
  std::string bytes;  // of 2×3 elements
};

TEST_CASE("an array in memory is what a .npy file of its bytes is", "[array]") {
  const TempDir folder;
  const std::vector<Case> cases = {
      {"|b1", NumberType::boolean, bytes_of(std::vector<std::uint8_t>{0, 1, 1, 0, 0, 1})},
      {"|b1", NumberType::boolean, bytes_of(std::vector<std::uint8_t>{0, 1, 3, 0, 0, 1})},
      {"|u1", NumberType::u8, bytes_of(std::vector<std::uint8_t>{0, 1, 2, 253, 254, 255})},
      {"|i1", NumberType::i8, bytes_of(std::vector<std::int8_t>{-128, -1, 0, 1, 2, 127})},
      {"<u2", NumberType::u16, bytes_of(std::vector<std::uint16_t>{0, 1, 2, 3, 256, 65535})},
      {"<i2", NumberType::i16, bytes_of(std::vector<std::int16_t>{-32768, 1, 2, 3, 256, 32767})},
      {"<u4", NumberType::u32, bytes_of(std::vector<std::uint32_t>{0, 1, 16777216, 16777218, 4294967040, 2})},
      {"<u4", NumberType::u32, bytes_of(std::vector<std::uint32_t>{0, 1, 16777216, 16777217, 4294967295, 2})},
      {"<i4", NumberType::i32, bytes_of(std::vector<std::int32_t>{-16777217, 1, 2, 3, 4, 5})},
      {"<u8", NumberType::u64, bytes_of(std::vector<std::uint64_t>{0, 1, 2, 3, 4, std::uint64_t{1} << 63})},
      {"<u8", NumberType::u64, bytes_of(std::vector<std::uint64_t>{0, 1, 2, 3, 4, ~std::uint64_t{0}})},
      {"<i8", NumberType::i64, bytes_of(std::vector<std::int64_t>{INT64_MIN, 1, 2, 3, 4, 5})},
      {"<i8", NumberType::i64, bytes_of(std::vector<std::int64_t>{0, 1, 2, 3, 16777217, 5})},
      {"<f4", NumberType::f32, bytes_of(std::vector<float>{-1.5F, 0.0F, 1e-40F, 3e38F, 4.0F, 5.0F})},
      {"<f8", NumberType::f64, bytes_of(std::vector<double>{0.1, 1e-320, -3.4e38, 16777217.0, 4.0, 5.0})},
      {"<f8", NumberType::f64, bytes_of(std::vector<double>{0.1, 1.0, 1e39, 3.0, 4.0, 5.0})},
  };
  const std::string path = (folder.path() / "x.npy").string();
  for (const Case& one : cases) {
    INFO(one.descr);
    write_file(path, npy_bytes(one.descr, "2, 3", one.bytes));
    ArrayView view;
    view.data = one.bytes.data();
    view.type = one.type;
    view.shape = {2, 3};
    view.name = "x";
    const std::string of_file = refusal_of([&] { return load(path); }, path);
    CHECK(refusal_of([&] { return dataset_from_array(view); }, "x") == of_file);
    if (of_file.empty()) check_same(dataset_from_array(view), load(path));
  }
}

TEST_CASE("rows with channels first have no picture shape, in files and in memory", "[array]") {
  const TempDir folder;
  const std::string path = (folder.path() / "x.npy").string();
  const std::vector<float> values(3 * 5 * 6 * 2, 0.5F);
  ArrayView view;
  view.data = values.data();
  const auto both = [&](const std::string& shape, std::vector<std::int64_t> dims) {
    std::int64_t count = 1;
    for (const std::int64_t dim : dims) count *= dim;
    write_file(path,
               npy_bytes("<f4", shape, bytes_of(std::vector<float>(values.begin(), values.begin() + count))));
    view.shape = std::move(dims);
    check_same(dataset_from_array(view), load(path));
    return dataset_from_array(view);
  };
  CHECK_FALSE(both("2, 3, 5, 6", {2, 3, 5, 6}).image());
  CHECK(both("2, 1, 5, 6", {2, 1, 5, 6}).image() == ImageShape{5, 6, 1});
  CHECK(both("2, 5, 6, 3", {2, 5, 6, 3}).image() == ImageShape{5, 6, 3});
  CHECK(both("2, 5, 6, 1", {2, 5, 6, 1}).image() == ImageShape{5, 6, 1});
  CHECK_FALSE(both("1, 5, 6, 6", {1, 5, 6, 6}).image());
}

TEST_CASE("a training run applies the options of files to rows in memory, or refuses them", "[array]") {
  RunConfig config;
  config.model.hidden = {4};
  config.model.latent_dim = 1;
  config.train.device = "cpu";
  config.train.threads = 1;
  config.train.steps = 1;
  RunData rows;
  rows.train = Dataset(std::vector<float>(40 * 6, 0.5F), 40, 6);
  rows.test = Dataset(std::vector<float>(5 * 6, 0.5F), 5, 6);
  const auto begin = [&] { (void)Trainer(config, rows); };
  config.data.train.image = ImageShape{2, 4, 1};
  check_error<ConfigError>(begin, {"2x4x1 does not fit rows of 6"});
  config.data.train.image = ImageShape{2, 3, 1};
  CHECK(Trainer(config, rows).config().data.train.image == ImageShape{2, 3, 1});
  config.data.train.label_column = "y";
  check_error<ConfigError>(begin, {"data.label_column is 'y'"});
  config.data.train.label_column = "none";
  config.data.train.labels_path = "/nowhere.csv";
  check_error<FileError>(begin, {"/nowhere.csv"});
  rows.train.set_labels(std::vector<std::int32_t>(40, 0), {"a"});
  check_error<ConfigError>(begin, {"have labels already"});
  config.data.train.labels_path.clear();
  config.data.normal_label = "a";
  CHECK_NOTHROW(begin());
  config.data.train.image.reset();
  config.data.normal_label.clear();
  rows.test = Dataset(std::vector<float>(), 0, 6);
  check_error<ConfigError>(begin, {"no rows to test on"});
  rows.test.reset();
  rows.valid = Dataset(std::vector<float>(), 0, 6);
  check_error<ConfigError>(begin, {"no rows to validate on"});
}

TEST_CASE("names that a model could not keep are refused before anything is trained", "[array]") {
  RunConfig config;
  config.model.hidden = {4};
  config.model.latent_dim = 1;
  config.train.device = "cpu";
  config.train.threads = 1;
  config.train.steps = 1;
  const std::string zero("x\0y", 3);
  const auto check = [&](const std::function<void(Dataset&)>& name, const std::string& part) {
    for (const bool held : {false, true}) {
      RunData rows;
      rows.train = Dataset(std::vector<float>(8, 0.5F), 4, 2);
      if (held) rows.test = rows.train;
      name(held ? *rows.test : rows.train);
      for (const bool conditional : {false, true}) {
        config.model.conditional = conditional;
        check_error<ConfigError>([&] { (void)Trainer(config, rows); }, {"memory", part});
      }
    }
  };
  check(
      [&](Dataset& data) {
        data.set_column_names({"a", zero});
      },
      "column name 'x\\x00y' holds a zero byte");
  check(
      [&](Dataset& data) {
        data.set_column_names({"a", "caf\xe9"});
      },
      "column name 'caf\\xe9' is no UTF-8");
  check([&](Dataset& data) { data.set_column_names({"a"}); }, "1 column name for 2 columns");
  check([&](Dataset& data) { data.set_column_names({"a", "b", "c"}); }, "3 column names for 2 columns");
  const std::vector<std::int32_t> labels = {0, 1, 0, 1};
  check([&](Dataset& data) { data.set_labels(labels, {zero, ""}); }, "class 'x\\x00y' holds a zero byte");
  check([&](Dataset& data) { data.set_labels(labels, {"\xff", "\xfe"}); }, "class '\\xff' is no UTF-8");
  check([&](Dataset& data) { data.set_labels(labels, {"x", "x"}); }, "the classes 'x' and 'x' are one");
  check([&](Dataset& data) { data.set_labels(labels, {"1", "1.0"}); }, "the classes '1' and '1.0' are one");
  const auto name_numbers = [](Dataset& data, const std::string& first) {
    data.set_label_vectors(std::vector<float>(8, 1.0F));
    data.set_label_vector_names({first, "q"});
  };
  check([&](Dataset& data) { name_numbers(data, zero); },
        "label vector's number 'x\\x00y' holds a zero byte");
  check([&](Dataset& data) { name_numbers(data, "\xe9"); }, "label vector's number '\\xe9' is no UTF-8");
  RunData rows;
  rows.train = Dataset(std::vector<float>(8, 0.5F), 4, 2);
  rows.train.set_column_names({"a", "caf\xc3\xa9"});
  rows.train.set_labels(labels, {"", "1"});
  CHECK_NOTHROW(Trainer(config, rows));

  // What is written can be read again, whoever writes it.
  const test::TempDir dir;
  config.output.dir = (dir.path() / "run").string();
  (void)Trainer(config, rows).run();
  ModelFile model = load_model(config.output.dir + "/model.safetensors");
  CHECK(model.column_names[1] == "caf\xc3\xa9");
  model.column_names[1] = zero;
  check_error<RuntimeError>([&] { save_model((dir.path() / "m").string(), model); }, {"character of code 0"});
}

TEST_CASE("a column that is taken for labels by its name, and holds none, is named with the way out",
          "[array]") {
  const std::vector<float> values = {0.5F, 1.5F};
  ArrayView x;
  x.data = values.data();
  x.type = NumberType::f32;
  x.shape = {2};
  ArrayView target = x;
  x.name = "x";
  target.name = "target";
  const std::vector<ArrayView> table = {x, target};
  check_error<FileError>([&] { (void)dataset_from_columns(table); },
                         {"column \"target\"", "row 0", "label 0.5", "label_column \"none\""});
  CHECK(dataset_from_columns(table, "none").columns() == 2);
  std::string message;
  try {
    (void)dataset_from_columns(table, "target");
  } catch (const FileError& error) {
    message = error.what();
  }
  CHECK(message.find("label 0.5") != std::string::npos);
  CHECK(message.find("none") == std::string::npos);
}

}  // namespace
}  // namespace vaecuda
