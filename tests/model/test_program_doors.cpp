// What a C++ program may hand over that does not fit together: each is an error of this library, at once.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/small_vae.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/evaluate.hpp"
#include "vaecuda/output.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;
using Names = std::vector<std::string>;

constexpr std::int64_t kColumns = 7;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// A program's own source, which gives what it is told to, one block after the other.
class OwnRows final : public RowSource {
 public:
  explicit OwnRows(std::vector<Floats> blocks) : blocks_(std::move(blocks)) {}

  std::optional<std::int64_t> count;
  std::int64_t width = kColumns;
  Names columns_called;
  bool labelled = false;
  Ints label_indices;
  Names classes;
  Floats vectors;
  Names factors_called;
  Ints factor_values;

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::int64_t columns() const override { return width; }
  [[nodiscard]] std::optional<std::int64_t> rows() const override { return count; }
  [[nodiscard]] std::span<const float> next(std::int64_t) override {
    return place_ < blocks_.size() ? std::span<const float>(blocks_[place_++]) : std::span<const float>();
  }
  [[nodiscard]] bool has_labels() const override { return labelled; }
  [[nodiscard]] std::span<const std::int32_t> labels() const override { return label_indices; }
  [[nodiscard]] const Names& label_names() const override { return classes; }
  [[nodiscard]] bool has_label_vectors() const override { return !vectors.empty(); }
  [[nodiscard]] std::span<const float> label_vectors() const override { return vectors; }
  [[nodiscard]] std::span<const std::int32_t> factors() const override { return factor_values; }
  [[nodiscard]] const Names& factor_names() const override { return factors_called; }
  [[nodiscard]] const Names& column_names() const override { return columns_called; }

 private:
  std::string name_ = "own";
  std::vector<Floats> blocks_;
  std::size_t place_ = 0;
};

OwnRows own_rows(std::int64_t rows) {
  return OwnRows({test::some_rows(rows, kColumns)});
}

Vae conditional_model() {
  ModelFile file = test::small_model();
  file.model.conditional = true;
  file.model.condition_dim = 3;
  file.condition_names = {"x", "y", "z"};
  test::initialize(file);
  return test::open_model(file);
}

Floats scores(const Vae& vae, RowSource& rows) {
  Floats all;
  vae.elbo(rows, 1, [&](const ElboBlock& block) {
    for (std::size_t i = 0; i < block.kl.size(); ++i) all.push_back(block.reconstruction[i] + block.kl[i]);
  });
  return all;
}

EvaluateOptions few_samples() {
  EvaluateOptions options;
  options.samples = 0;
  return options;
}

}  // namespace

TEST_CASE("rows of a program's own are used where they fit together", "[vae][doors]") {
  const Vae vae = conditional_model();
  OwnRows whole = own_rows(3);
  whole.labelled = true;
  whole.label_indices = {2, 1, 0};
  whole.classes = {"z", "y", "x"};
  Dataset data(test::some_rows(3, kColumns), 3, kColumns);
  data.set_labels({0, 1, 2}, {"x", "y", "z"});
  const auto rows = rows_of(data);
  CHECK(scores(vae, whole) == scores(vae, *rows));
  Floats first = test::some_rows(3, kColumns);
  Floats second(first.begin() + kColumns, first.end());
  first.resize(kColumns);
  OwnRows parts({first, second});
  const Vae plain = test::open_model(test::small_model());
  OwnRows once = own_rows(3);
  CHECK(scores(plain, parts) == scores(plain, once));
}

TEST_CASE("a label of a program's own rows that is no index of a name is refused with its row",
          "[vae][doors]") {
  const Vae conditional = conditional_model();
  const Vae plain = test::open_model(test::small_model());
  const auto check = [&](const Ints& labels, const Names& classes, const std::string& part) {
    for (const Vae* vae : {&conditional, &plain}) {
      OwnRows rows = own_rows(3);
      rows.labelled = true;
      rows.label_indices = labels;
      rows.classes = classes;
      check_error<FileError>([&] { scores(*vae, rows); }, {"own", part});
      const auto again = [&]() -> std::unique_ptr<RowSource> {
        auto source = std::make_unique<OwnRows>(std::vector<Floats>{test::some_rows(3, kColumns)});
        source->labelled = true;
        source->label_indices = labels;
        source->classes = classes;
        return source;
      };
      check_error<FileError>([&] { return evaluate(*vae, again, few_samples()); }, {"own", part});
    }
    OwnRows rows = own_rows(3);
    rows.labelled = true;
    rows.label_indices = labels;
    rows.classes = classes;
    const std::vector<std::int64_t> some = {0};
    check_error<FileError>([&] { return take_rows(rows, some); }, {"own", part});
  };
  check({0, 1, 7}, {"x", "y", "z"}, "row 2 has the label index 7");
  check({0, -1, 2}, {"x", "y", "z"}, "row 1 has the label index -1");
  check({0, 0, 0}, {}, "row 0 has the label index 0, but the source names 0 labels");
  check({0, 1}, {"x", "y", "z"}, "2 labels for 3 rows");
  check({0, 1, 2, 0}, {"x", "y", "z"}, "4 labels for 3 rows");
}

TEST_CASE("rows of a program's own that do not fit together are refused", "[vae][doors]") {
  const Vae vae = test::open_model(test::small_model());
  const auto check = [&](OwnRows&& rows, const std::string& part) {
    check_error<FileError>([&] { scores(vae, rows); }, {"own", part});
  };
  Floats half = test::some_rows(3, kColumns);
  half.pop_back();
  check(OwnRows({test::some_rows(2, kColumns), half}),
        "20 values from row 2 on, which cannot be cut into rows of 7");
  check(own_rows(300'000), "300000 rows where");
  OwnRows fewer = own_rows(200);
  fewer.count = 1;
  check(std::move(fewer), "200 rows where");
  OwnRows none = own_rows(1);
  none.width = 0;
  check(std::move(none), "0 columns");
  OwnRows named = own_rows(1);
  named.columns_called = {"a", "b"};
  check(std::move(named), "2 column names for 7 columns");
  OwnRows told = own_rows(3);
  told.vectors = Floats(4, 0.0f);
  check(std::move(told), "4 numbers of label vectors for 3 rows");
  OwnRows known = own_rows(3);
  known.factors_called = {"shape"};
  known.factor_values = {1, 2};
  check(std::move(known), "2 factor values for 3 rows");
  Dataset data(test::some_rows(3, kColumns), 3, kColumns);
  data.set_column_names({"a", "b"});
  const auto rows = rows_of(data);
  check_error<FileError>([&] { scores(vae, *rows); }, {"2 column names for 7 columns"});
}

TEST_CASE("a factor's values may be any numbers", "[evaluate][doors]") {
  const Vae vae = test::open_model(test::small_model());
  const auto figures = [&](std::int32_t odd) {
    Dataset data(test::some_rows(200, kColumns), 200, kColumns);
    Ints values;
    for (std::int32_t i = 0; i < 200; ++i) values.push_back(i == 5 ? odd : i % 3);
    data.set_factors(values, {"f"});
    return evaluate(vae, data, few_samples()).factors.at(0);
  };
  const FactorFigures wanted = figures(3);
  // 67, 67 and 65 rows, and the odd one.
  const auto term = [](double count) { return -count / 200.0 * std::log(count / 200.0); };
  CHECK(wanted.entropy == Approx(2 * term(67.0) + term(65.0) + term(1.0)).epsilon(1e-12));
  for (const std::int32_t odd :
       {-1, -2, -1'000'000, 5, 2'000'000'000, std::numeric_limits<std::int32_t>::max(),
        std::numeric_limits<std::int32_t>::min()}) {
    const FactorFigures found = figures(odd);
    CHECK(found.entropy == Approx(wanted.entropy).epsilon(1e-12));
    CHECK(found.gap == Approx(wanted.gap).epsilon(1e-9));
  }
}

TEST_CASE("an opener without rows is refused", "[evaluate][doors]") {
  const Vae vae = test::open_model(test::small_model());
  check_error<ConfigError>([&] { return evaluate(vae, RowOpener{}, few_samples()); }, {"opener"});
  const RowOpener gives_none = [] { return std::unique_ptr<RowSource>(); };
  check_error<ConfigError>([&] { return evaluate(vae, gives_none, few_samples()); }, {"opener"});
}

TEST_CASE("more rows than memory holds are refused at once", "[vae][doors]") {
  const Vae vae = test::open_model(test::small_model());
  const Floats z = {0.0f, 1.0f, 2.0f};
  check_error<OutOfMemoryError>([&] { return vae.sample(kMost, 1); }, {"do not fit in memory"});
  check_error<OutOfMemoryError>([&] { return vae.sample_latents(kMost, 1); }, {"do not fit in memory"});
  check_error<OutOfMemoryError>([&] { return vae.interpolate(z, z, kMost); }, {"do not fit in memory"});
  check_error<OutOfMemoryError>([&] { return latents_around(z, kMost, 1.0, 1); }, {"do not fit in memory"});
  for (const std::int64_t side : {std::int64_t{3'000'000'000}, kMost / 2, kMost}) {
    check_error<OutOfMemoryError>([&] { return latent_grid(side, 2, 0, 1); }, {"do not fit in memory"});
  }
}

TEST_CASE("a table is written with a name for every column, in whole rows, once", "[output][doors]") {
  const test::TempDir folder;
  const std::string table = (folder.path() / "t.csv").string();
  const std::string array = (folder.path() / "t.npy").string();
  check_error<ConfigError>([&] { RowWriter(table, 2, RowType::f32, {"a"}); },
                           {table, "names are 1", "2 cells"});
  check_error<ConfigError>([&] { RowWriter(table, 0, RowType::f32, {"a", "b"}); }, {table, "names are 2"});
  for (const std::string& path : {table, array}) {
    check_error<ConfigError>([&] { RowWriter(path, -2); }, {path, "-2 columns"});
    RowWriter writer(path, 2);
    check_error<ConfigError>([&] { writer.append(Floats(3)); }, {path, "3 values", "rows of 2"});
    check_error<ConfigError>([&] { writer.append(Ints(2)); }, {path, "<i4", "<f4"});
    writer.append(Floats{1.0f, 2.0f});
    writer.commit();
    CHECK(writer.rows() == 1);
    check_error<ConfigError>([&] { writer.commit(); }, {path, "already"});
    check_error<ConfigError>([&] { writer.append(Floats{1.0f, 2.0f}); }, {path, "already"});
  }
  OutputFile file((folder.path() / "o.txt").string());
  file.write("x");
  file.commit();
  check_error<ConfigError>([&] { file.commit(); }, {"o.txt", "already"});
  check_error<ConfigError>([&] { file.write("y"); }, {"o.txt", "already"});
}

}  // namespace vaecuda
