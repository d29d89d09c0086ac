// Rows on demand: the same as the loaded data set, whatever the block, and the same errors.
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "host/data/label_builder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {
namespace {

using test::bytes_of;
using test::check_error;
using test::gzip_bytes;
using test::npy_bytes;
using test::write_file;
using Floats = std::vector<float>;

/// All that a source gives, in blocks of at most `most`, with the labels by name.
struct Read {
  Floats values;
  std::vector<std::string> labels;
};

Read read_all(RowSource& source, std::int64_t most) {
  Read all;
  for (;;) {
    const std::span<const float> block = source.next(most);
    if (block.empty()) break;
    REQUIRE(static_cast<std::int64_t>(block.size()) <= most * source.columns());
    all.values.insert(all.values.end(), block.begin(), block.end());
    if (!source.has_labels()) continue;
    REQUIRE(static_cast<std::int64_t>(source.labels().size()) * source.columns() ==
            static_cast<std::int64_t>(block.size()));
    for (const std::int32_t label : source.labels()) {
      all.labels.push_back(source.label_names().at(static_cast<std::size_t>(label)));
    }
  }
  CHECK(source.next(most).empty());
  return all;
}

void check_like_loaded(const DataSource& source) {
  INFO(source.path);
  const Dataset data = load_dataset(source);
  const Floats expected = data.type() == ElementType::f32 ? Floats(data.f32().begin(), data.f32().end())
                                                          : Floats(data.u8().begin(), data.u8().end());
  for (const std::int64_t most : {1, 2, 3, 1000000}) {
    INFO("blocks of " << most);
    const auto rows = open_rows(source);
    CHECK(rows->columns() == data.columns());
    CHECK(rows->image() == data.image());
    CHECK(rows->column_names() == data.column_names());
    CHECK(rows->has_labels() == !data.labels().empty());
    CHECK(rows->name() == source.path);
    if (rows->rows()) CHECK(*rows->rows() == data.rows());
    const Read read = read_all(*rows, most);
    CHECK(read.values == expected);
    REQUIRE(read.labels.size() == data.labels().size());
    // A class may still have the text that its row had.
    for (std::size_t i = 0; i < read.labels.size(); ++i) {
      CHECK(data::find_class(data.label_names(), read.labels[i]) == data.labels()[i]);
    }
  }
}

DataSource path_of(const std::string& path) {
  DataSource source;
  source.path = path;
  return source;
}

}  // namespace

TEST_CASE("rows on demand are those of the loaded data set") {
  const test::TempDir folder;
  const auto at = [&](const char* name) { return folder.path() / name; };
  Floats values(5 * 6);
  std::iota(values.begin(), values.end(), -3.5f);
  const std::string floats = npy_bytes("<f4", "5, 2, 3", bytes_of(values));
  check_like_loaded(path_of(write_file(at("f4.npy"), floats)));
  check_like_loaded(path_of(write_file(at("f4.npy.gz"), gzip_bytes(floats))));
  check_like_loaded(path_of(write_file(
      at("i8.npy"), npy_bytes("<i8", "3, 2", bytes_of(std::vector<std::int64_t>{1, -2, 3, 4, 5, 1 << 24})))));
  check_like_loaded(path_of(
      write_file(at("u1.npy"), npy_bytes("|u1", "2, 3", std::string("\x00\xff\x07\x01\x02\x03", 6)))));
  check_like_loaded(path_of(write_file(
      at("x.idx"), test::idx_header(0x08, {2, 2, 2}) + std::string("\x01\x02\x03\x04\x05\x06\x07\xff"))));
  check_like_loaded(path_of(write_file(at("plain.csv"), "1,2\n3,4\n5,6\n")));
  check_like_loaded(path_of(write_file(at("one.csv"), "1,2\n")));
  check_like_loaded(path_of(write_file(at("named.csv"), "a,b,label\n1,2,x\n3,4,y\n5,6,x\n")));
  DataSource labelled = path_of(write_file(at("text.csv"), "x,1,2\ny,3,4\nx,5,6\n"));
  labelled.label_column = "0";
  check_like_loaded(labelled);
  DataSource with_file = path_of(at("f4.npy").string());
  with_file.labels_path = write_file(at("labels.csv"), "name\nb\na\nb\nc\na\n");
  check_like_loaded(with_file);
  with_file.path = at("plain.csv").string();
  with_file.labels_path = write_file(at("three.csv"), "name\nb\na\nb\n");
  check_like_loaded(with_file);
  DataSource picture = path_of(at("plain.csv").string());
  picture.image = ImageShape{2, 1, 1};
  check_like_loaded(picture);
  check_like_loaded(path_of("shapes:16x16,n=7"));
}

TEST_CASE("what was read is said in one line, by every reader alike") {
  const test::TempDir folder;
  const auto at = [&](const char* name) { return folder.path() / name; };
  const auto line_of = [](const DataSource& source) { return load_dataset(source).notes().description; };
  const std::string table = write_file(at("t.csv"), "a,b,label\n1,2,x\n3,4,y\n5,6,x\n");
  CHECK(line_of(path_of(table)) ==
        table +
            ": 3 rows × 2 columns, text, header, labels in column \"label\" (2 classes), no missing values");
  CHECK(open_rows(path_of(table))->notes().description ==
        table + ": 2 columns, text, header, labels in column \"label\"");
  const std::string plain = write_file(at("plain.csv"), "1,2\n3,4\n");
  CHECK(line_of(path_of(plain)) ==
        plain + ": 2 rows × 2 columns, text, no header, no label column, no missing values");
  DataSource bytes =
      path_of(write_file(at("u1.npy"), npy_bytes("|u1", "2, 3", std::string("\x00\xff\x07\x01\x02\x03", 6))));
  CHECK(line_of(bytes) == bytes.path + ": 2 rows × 3 columns, uint8");
  bytes.labels_path = write_file(at("labels.csv"), "b\na\n");
  const std::string labelled =
      bytes.path + ": 2 rows × 3 columns, uint8, labels from " + bytes.labels_path + " (2 classes)";
  CHECK(line_of(bytes) == labelled);
  CHECK(open_rows(bytes)->notes().description == labelled);
  const Dataset data = load_dataset(bytes);
  CHECK(rows_of(data)->notes().description == labelled);
  CHECK(data.select(std::vector<std::int64_t>{1}).notes().description == labelled);
  const auto all = rows_of(data);
  CHECK(with_label(*all, "a")->notes().description == labelled);
  const Floats three = {1, 2, 3};
  CHECK(rows_of(three, 3)->notes().description == "memory: 1 row × 3 columns");
  CHECK(Dataset(Floats{1, 2}, 2, 1).notes().description == "memory: 2 rows × 1 column");
}

TEST_CASE("labels on demand are the classes of the loaded data set, however numbers are written") {
  const test::TempDir folder;
  check_like_loaded(
      path_of(write_file(folder.path() / "t.csv", "x,label\n1,0.0\n2,1.0\n3,1\n4,2.50\n5,7\n6,-0\n")));
  check_like_loaded(path_of(write_file(folder.path() / "w.csv", "x,label\n1,ok\n2,bad\n3,ok\n")));
  const data::Labels numbers = data::as_classes({0, 1, 2, 3, 1}, {"1", "0.0", "1.0", "2.5"});
  CHECK(numbers.names == std::vector<std::string>{"0", "1", "2.5"});
  CHECK(numbers.values == std::vector<std::int32_t>{1, 0, 1, 2, 0});
  const data::Labels texts = data::as_classes({0, 1, 1}, {"1", "A7"});
  CHECK(texts.names == std::vector<std::string>{"1", "A7"});
  CHECK(texts.values == std::vector<std::int32_t>{0, 1, 1});
  const data::Labels mixed = data::as_classes({0, 1, 2, 3, 4, 5}, {"+1", "A7", "1.0", "2.50", " 1", "-0"});
  CHECK(mixed.names == std::vector<std::string>{"1", "A7", "2.50", "-0"});
  CHECK(mixed.values == std::vector<std::int32_t>{0, 1, 0, 2, 0, 3});
  // Beside a text they are numbers as well.
  check_like_loaded(path_of(write_file(folder.path() / "m.csv", "x,label\n1,1\n2,01\n3,A7\n4,1.0\n5,1\n")));
}

TEST_CASE("label vectors come with their rows") {
  const test::TempDir folder;
  Floats values(14);
  std::iota(values.begin(), values.end(), 0.0f);
  for (const bool is_table : {false, true}) {
    DataSource source;
    source.path = is_table ? write_file(folder.path() / "x.csv", "0,1\n2,3\n4,5\n6,7\n8,9\n10,11\n12,13\n")
                           : write_file(folder.path() / "x.npy", npy_bytes("<f4", "7,2", bytes_of(values)));
    source.labels_path =
        write_file(folder.path() / "c.csv", "a,b,c\n0,0,0\n1,0,1\n2,0,2\n3,0,3\n4,0,4\n5,0,5\n6,0,6\n");
    for (const std::int64_t most : {1, 3, 100}) {
      const auto rows = open_rows(source);
      CHECK_FALSE(rows->has_labels());
      CHECK(rows->has_label_vectors());
      std::int64_t row = 0;
      for (auto block = rows->next(most); !block.empty(); block = rows->next(most)) {
        const std::size_t count = block.size() / 2;
        REQUIRE(rows->label_vectors().size() == 3 * count);
        for (std::size_t i = 0; i < count; ++i, ++row) {
          CHECK(rows->label_vectors()[3 * i] == static_cast<float>(row));
          CHECK(rows->label_vectors()[3 * i + 2] == static_cast<float>(row));
        }
      }
      CHECK(row == 7);
    }
    const std::vector<std::int64_t> wanted = {5, 0, 5};
    const Dataset taken = take_rows(*open_rows(source), wanted);
    CHECK(Floats(taken.label_vectors().begin(), taken.label_vectors().end()) ==
          Floats{5, 0, 5, 0, 0, 0, 5, 0, 5});
    source.labels_path = write_file(folder.path() / "few.csv", "1,2,3\n");
    check_error<FileError>([&] { (void)open_rows(source); }, {"few.csv", "1 row", "7 rows"});
  }
}

TEST_CASE("rows on demand are refused as the loaded ones are, where they are met") {
  const test::TempDir folder;
  const auto at = [&](const char* name) { return folder.path() / name; };
  const auto read = [](const DataSource& source) { (void)read_all(*open_rows(source), 2); };
  check_error<FileError>([&] { read(path_of("/nonexistent.npy")); }, {"/nonexistent.npy"});
  const std::string nan =
      write_file(at("nan.npy"), npy_bytes("<f4", "3, 2", bytes_of(Floats{0, 1, 2, 3, NAN, 5})));
  check_error<FileError>([&] { read(path_of(nan)); }, {nan, "row 2, column 0", "nan"});
  const std::string cut = write_file(at("cut.npy"), npy_bytes("<f4", "3, 2", bytes_of(Floats{0, 1, 2, 3})));
  check_error<FileError>([&] { (void)open_rows(path_of(cut)); }, {cut, "truncated"});
  const std::string zipped =
      write_file(at("long.npy.gz"), gzip_bytes(npy_bytes("<f4", "1, 2", bytes_of(Floats{0, 1, 2}))));
  check_error<FileError>([&] { read(path_of(zipped)); }, {zipped, "trailing"});
  const std::string ragged = write_file(at("ragged.csv"), "1,2\n3,4\n5\n");
  check_error<FileError>([&] { read(path_of(ragged)); }, {ragged, "line 3"});
  DataSource shaped = path_of(write_file(at("two.csv"), "1,2\n3,4\n"));
  shaped.image = ImageShape{2, 2, 1};
  check_error<ConfigError>([&] { read(shaped); }, {"picture shape 2x2x1"});
  DataSource few = path_of(write_file(at("ok.npy"), npy_bytes("<f4", "2, 1", bytes_of(Floats{0, 1}))));
  few.labels_path = write_file(at("few.csv"), "1\n");
  check_error<FileError>([&] { read(few); }, {"1 label", "2 rows"});
  few.labels_path.clear();
  few.label_column = "0";
  check_error<ConfigError>([&] { read(few); }, {"only a CSV table"});
  check_error<ConfigError>([&] { read(path_of("")); }, {"the path is empty"});
}

TEST_CASE("chosen rows are taken in the order asked for") {
  const test::TempDir folder;
  const std::string path = write_file(folder.path() / "t.csv", "a,b,label\n1,2,x\n3,4,y\n5,6,z\n");
  const auto take = [&](const std::vector<std::int64_t>& rows) {
    return take_rows(*open_rows(path_of(path)), rows);
  };
  const Dataset taken = take({2, 0, 2});
  CHECK(Floats(taken.f32().begin(), taken.f32().end()) == Floats{5, 6, 1, 2, 5, 6});
  CHECK(taken.column_names() == std::vector<std::string>{"a", "b"});
  CHECK(taken.label_names().at(static_cast<std::size_t>(taken.labels()[0])) == "z");
  CHECK(taken.label_names().at(static_cast<std::size_t>(taken.labels()[1])) == "x");
  CHECK(take({}).rows() == 0);
  check_error<ConfigError>([&] { (void)take({3}); }, {path, "row 3", "3 rows"});
  check_error<ConfigError>([&] { (void)take({0, -1}); }, {"row -1"});
  const Dataset bytes(std::vector<std::uint8_t>{1, 2, 3, 4}, 2, 2);
  const auto rows = rows_of(bytes);
  (void)rows->next(1);
  const std::vector<std::int64_t> next = {0};
  CHECK(take_rows(*rows, next).f32()[0] == 3.0f);  // counted from the first row that was not read
}

}  // namespace vaecuda
