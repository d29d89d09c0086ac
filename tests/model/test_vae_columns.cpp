// Named rows that meet a model in use, and what it says of them.
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/small_vae.hpp"
#include "support/temp_dir.hpp"
#include "vaecuda/evaluate.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {
namespace {

using test::check_error;
using Floats = std::vector<float>;
using Names = std::vector<std::string>;

const Names kNames = {"a", "b", "c", "d", "e", "f", "g"};

/// A model whose lines are kept.
class Listening {
 public:
  explicit Listening(const ModelFile& file) {
    const std::string path = (folder_.path() / "m.safetensors").string();
    save_model(path, file);
    on_.device = "cpu";
    on_.threads = 1;
    on_.message = [this](const std::string& line) { lines.push_back(line); };
    vae.emplace(Vae::load(path, on_));
  }
  std::vector<std::string> lines;
  std::optional<Vae> vae;

 private:
  test::TempDir folder_;
  RunOn on_;
};

ModelFile named_model() {
  ModelFile file = test::small_model();
  file.column_names = kNames;
  return file;
}

/// Rows of the model's columns in another order, with a column more in front.
Dataset other_order(const Floats& rows) {
  Floats values;
  for (std::size_t row = 0; row < rows.size(); row += 7) {
    values.push_back(1e6f);
    for (std::size_t c = 7; c > 0; --c) values.push_back(rows[row + c - 1]);
  }
  Dataset data(std::move(values), static_cast<std::int64_t>(rows.size() / 7), 8);
  data.set_column_names({"id", "g", "f", "e", "d", "c", "b", "a"});
  data.set_name("other");
  return data;
}

TEST_CASE("named rows are taken in the model's order by every member", "[vae][columns]") {
  const Listening model(named_model());
  const Vae& vae = *model.vae;
  const Floats x = test::some_rows(300, 7);
  const Dataset other = other_order(x);
  const Encoded own = vae.encode(x);
  Floats mean;
  CHECK(vae.encode(*rows_of(other), [&](const EncodedBlock& block) {
    mean.insert(mean.end(), block.mean.begin(), block.mean.end());
  }) == 300);
  CHECK(test::same_bits(mean, own.mean));
  REQUIRE(model.lines.size() == 1);
  CHECK(model.lines[0].find("other: columns are taken by name") == 0);
  CHECK(model.lines[0].find("\"id\"") != std::string::npos);

  Floats values;
  Floats reconstructed;
  vae.reconstruct(*rows_of(other), [&](const ReconstructedBlock& block) {
    values.insert(values.end(), block.x.begin(), block.x.end());
    reconstructed.insert(reconstructed.end(), block.mean.begin(), block.mean.end());
  });
  CHECK(values == x);
  CHECK(test::same_bits(reconstructed, vae.reconstruct(x)));
  const ElboTerms terms = vae.elbo(x, 3);
  Floats kl;
  vae.elbo(*rows_of(other), 3,
           [&](const ElboBlock& block) { kl.insert(kl.end(), block.kl.begin(), block.kl.end()); });
  CHECK(test::same_bits(kl, terms.kl));
  // Draws of several samples, and importance samples.
  Dataset plain(x, 300, 7);
  plain.set_column_names(kNames);
  EvaluateOptions options;
  options.samples = 3;
  options.elbo_samples = 2;
  const Evaluation a = evaluate(vae, plain, options);
  const Evaluation b = evaluate(vae, other, options);
  CHECK(a.negative_elbo.mean == b.negative_elbo.mean);
  CHECK(a.nll->mean == b.nll->mean);
  CHECK(a.squared_error.mean == b.squared_error.mean);
  CHECK(model.lines.size() == 1);  // each line once

  CHECK(vae.match_columns(other.column_names()) == std::vector<std::int64_t>{7, 6, 5, 4, 3, 2, 1});
  CHECK(vae.match_columns({}) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("rows whose names do not fit are refused, and nameless ones taken by position", "[vae][columns]") {
  const Listening model(named_model());
  const auto encode = [&model](const Dataset& data) {
    model.vae->encode(*rows_of(data), [](const EncodedBlock&) {});
  };
  Dataset data(test::some_rows(2, 7), 2, 7);
  data.set_column_names({"a", "b", "c", "d", "e", "f", "G"});
  check_error<FileError>([&] { encode(data); }, {"memory", "is missing: \"g\"", "it has \"a\"", "\"G\""});
  data.set_column_names({"a", "b", "c", "d", "e", "g", "g"});
  check_error<FileError>([&] { encode(data); }, {"memory", "5 and 6", "\"g\""});
  CHECK(model.lines.empty());
  data.set_column_names({});
  encode(data);
  REQUIRE(model.lines.size() == 1);
  CHECK(model.lines[0].find("by position") != std::string::npos);
  const Listening nameless(test::small_model());
  data.set_column_names(kNames);
  nameless.vae->encode(*rows_of(data), [](const EncodedBlock&) {});
  CHECK(nameless.lines.size() == 1);
  (void)nameless.vae->encode(test::some_rows(2, 7));
  CHECK(nameless.lines.size() == 1);  // an array has the model's order
}

TEST_CASE("a model says what rows of another scale it met, at their end", "[vae][columns]") {
  ModelFile file = test::small_model();
  file.preparation.scale = 1.0f / 255.0f;
  const Listening model(file);
  const Floats unit = test::some_rows(300, 7);
  Floats bytes = unit;
  for (float& value : bytes) value *= 255.0f;
  (void)model.vae->elbo(bytes);
  CHECK(model.lines.empty());
  (void)model.vae->encode(unit);
  REQUIRE(model.lines.size() == 1);
  CHECK(model.lines[0].find("warning: memory: no value is above 1") == 0);
  (void)model.vae->log_likelihood(unit, 2, 1);
  CHECK(model.lines.size() == 1);
  // One bright value in the whole of the rows is enough.
  Floats dark = unit;
  dark.back() = 200.0f;
  const Listening another(file);
  (void)another.vae->encode(dark);
  CHECK(another.lines.empty());
  ModelFile as_is = test::small_model();
  as_is.trained_on = ValueSizes{1.0f, -2.0};
  const Listening third(as_is);
  (void)third.vae->encode(bytes);
  REQUIRE(third.lines.size() == 1);
  CHECK(third.lines[0].find("values are typically") != std::string::npos);
}

TEST_CASE("latents are matched by their names where a file has these", "[vae][columns]") {
  const Listening model(test::small_model());
  const Floats z = test::some_rows(4, 3);
  Floats turned;
  for (std::size_t row = 0; row < z.size(); row += 3) {
    for (const std::size_t c : {2U, 0U, 1U}) turned.push_back(z[row + c]);
  }
  Dataset data(turned, 4, 3);
  data.set_column_names({"z2", "z0", "z1"});
  Floats means;
  const auto sink = [&](const DecodedBlock& block) {
    means.insert(means.end(), block.mean.begin(), block.mean.end());
  };
  model.vae->decode(*rows_of(data), sink);
  CHECK(test::same_bits(means, model.vae->decode(z)));
  CHECK(model.lines.size() == 1);
  data.set_column_names({"z0", "z1", "z3"});
  check_error<FileError>([&] { model.vae->decode(*rows_of(data), sink); }, {"\"z2\"", "the model's latents"});
  data.set_column_names({"u", "v", "w"});
  model.vae->decode(*rows_of(data), sink);
  CHECK(model.lines.back().find("by position") != std::string::npos);
}

}  // namespace
}  // namespace vaecuda
