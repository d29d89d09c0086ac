#include "host/data/held_out.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "host/data/match_columns.hpp"
#include "host/data/message.hpp"

namespace vaecuda::data {
namespace {

bool is_byte(float value) {
  return value >= 0.0f && value <= 255.0f && value == std::floor(value);
}

/// The floats of `held` as bytes.
Dataset to_bytes(const Dataset& train, const Dataset& held) {
  const std::span<const float> values = held.f32();
  const auto other = std::find_if_not(values.begin(), values.end(), is_byte);
  if (other != values.end()) {
    const std::int64_t index = other - values.begin();
    throw FileError(
        fmt::format("{} holds floats that are no bytes (row {}, {}: {}), but {} holds bytes: give both in "
                    "the same units (pictures in [0,1] times 255)",
                    held.name(), index / held.columns(),
                    column_name(held.column_names(), index % held.columns()), *other, train.name()));
  }
  std::vector<std::uint8_t> bytes(values.size());
  std::transform(values.begin(), values.end(), bytes.begin(),
                 [](float value) { return static_cast<std::uint8_t>(value); });
  return {std::move(bytes), held.rows(), held.columns()};
}

}  // namespace

Dataset load_held_out(const RunConfig& config, const Dataset& train, const std::string& path, DataPart part) {
  DataSource source = config.data.train;
  source.path = path;
  source.labels_path.clear();
  if (!train.label_column().empty()) source.label_column = train.label_column();
  source.label_column_may_lack = true;
  source.value_columns = train.column_names();
  source.image.reset();  // of the training rows' columns, which are not chosen yet
  const bool has_part = part == DataPart::test && has_test_part(source);
  return load_dataset(source, has_part ? DataPart::test : DataPart::train);
}

bool meet_training_rows(const Dataset& train, Dataset& held, std::vector<std::string>& notes) {
  take_columns_of(columns_of(train), held, notes);
  if (!held.image() && train.image()) held.set_image(train.image());
  if (held.type() == train.type()) return false;
  // Rows that are kept sparse have the values that they have in any other form.
  if (held.type() == ElementType::sparse || train.type() == ElementType::sparse) return false;
  Dataset converted =
      train.type() == ElementType::u8
          ? to_bytes(train, held)
          : Dataset(std::vector<float>(held.u8().begin(), held.u8().end()), held.rows(), held.columns());
  converted.set_name(held.name());
  converted.set_notes(held.notes());
  converted.set_image(held.image());
  converted.set_column_names(held.column_names());
  converted.set_label_column(held.label_column());
  if (!held.labels().empty()) {
    converted.set_labels({held.labels().begin(), held.labels().end()}, held.label_names());
  }
  if (!held.label_vectors().empty()) {
    converted.set_label_vectors({held.label_vectors().begin(), held.label_vectors().end()});
    converted.set_label_vector_names(held.label_vector_names());
  }
  if (!held.factor_names().empty()) {
    converted.set_factors({held.factors().begin(), held.factors().end()}, held.factor_names());
  }
  held = std::move(converted);
  return true;
}

}  // namespace vaecuda::data
