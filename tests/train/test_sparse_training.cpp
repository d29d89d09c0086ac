// Training on rows that are kept sparse is training on the rows.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/sparse.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/evaluate.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda::test {
namespace {

constexpr std::int64_t kRows = 90;
constexpr std::int64_t kColumns = 30;

struct Trained {
  TrainSummary end;
  std::vector<float> codes;
};

Trained train_on(Dataset data, const std::vector<float>& values) {
  const TempDir dir;
  RunConfig config;
  config.model.likelihood = Likelihood::gaussian;
  config.model.hidden = {16};
  config.model.latent_dim = 3;
  config.data.valid_fraction = 0.2;
  config.data.test_fraction = 0.1;
  config.train.device = "cpu";
  config.train.batch_size = 16;
  config.train.epochs = 3;
  config.output.dir = (dir.path() / "run").string();
  RunData rows;
  rows.train = std::move(data);
  Trained trained;
  trained.end = Trainer(config, std::move(rows), {}).run();
  const Encoded codes = Vae::load(trained.end.model).encode(values);
  trained.codes = codes.mean;
  return trained;
}

}  // namespace

TEST_CASE("a run on sparse rows is the run on dense rows, in every bit", "[train][sparse]") {
  const std::vector<float> values = some_counts(kRows, kColumns, 9);
  std::vector<std::int32_t> labels;
  for (std::int32_t row = 0; row < kRows; ++row) labels.push_back(row % 2);
  const auto with_labels = [&](Dataset data) {
    data.set_labels(labels, {"a", "b"});
    return data;
  };
  const Trained dense = train_on(with_labels(Dataset(values, kRows, kColumns)), values);
  const Trained sparse = train_on(with_labels(Dataset(sparse_of(values, kRows, kColumns))), values);
  CHECK(sparse.end.train.loss == dense.end.train.loss);
  CHECK(sparse.end.valid->loss == dense.end.valid->loss);
  CHECK(sparse.end.test->loss == dense.end.test->loss);
  CHECK(sparse.codes == dense.codes);
}

}  // namespace vaecuda::test
