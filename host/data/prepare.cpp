#include "host/data/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "host/config/enumerators.hpp"
#include "host/data/check_values.hpp"
#include "host/data/count_values.hpp"
#include "host/data/each_value.hpp"
#include "host/data/held_out.hpp"
#include "host/data/host_values.hpp"
#include "host/data/label_builder.hpp"
#include "host/data/labels.hpp"
#include "host/data/match_columns.hpp"
#include "host/data/message.hpp"
#include "host/data/scale.hpp"
#include "kernels/math/permutation.h"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

using Rows = std::vector<std::int64_t>;

struct Split {
  Rows train, valid, test;
};

/// Holds rows out by a keyed permutation, so that the choice depends on the seed and N alone.
Split split_rows(const Dataset& data, const RunConfig& config) {
  const std::int64_t n = data.rows();
  const auto share = [n](double fraction) {
    return static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(n)));
  };
  const std::int64_t test = share(config.data.test_fraction);
  const std::int64_t valid = share(config.data.valid_fraction);
  const auto refuse = [&](const char* option, double fraction) {
    throw ConfigError(fmt::format("{} {} of the {} rows of {} is no row at all: choose a larger share",
                                  option, fraction, n, data.name()));
  };
  if (config.data.test_fraction > 0.0 && test == 0) refuse("--test-fraction", config.data.test_fraction);
  if (config.data.valid_fraction > 0.0 && valid == 0) refuse("--valid-fraction", config.data.valid_fraction);
  if (test + valid >= n) {
    throw ConfigError(fmt::format("holding out {} of the {} rows of {} leaves none to train on", test + valid,
                                  n, data.name()));
  }
  const math::PermutationKeys keys = math::permutation_keys(config.train.seed, math::RandomPurpose::split, 0);
  Split split;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto place = static_cast<std::int64_t>(
        math::permute(keys, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(n)));
    (place < test ? split.test : place < test + valid ? split.valid : split.train).push_back(i);
  }
  return split;
}

void keep_normal(const Dataset& data, const std::string& label, Rows& rows) {
  const auto& names = data.label_names();
  if (data.labels().empty()) {
    throw ConfigError(fmt::format("--normal-label {} needs labels, and {} has {}", label, data.name(),
                                  data.label_vectors().empty()
                                      ? "none: give --labels or --label-column, or labels with rows in memory"
                                      : "vectors, which are no classes: give a file with one label per row"));
  }
  const std::optional<std::int32_t> index = data::find_class(names, label);
  if (!index) {
    std::string known;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 10); ++i)
      known += (i > 0 ? ", " : "") + names[i];
    throw ConfigError(fmt::format("--normal-label {}: {} has no such label; it has {}{}", label, data.name(),
                                  known, names.size() > 10 ? ", …" : ""));
  }
  std::erase_if(rows,
                [&](std::int64_t row) { return data.labels()[static_cast<std::size_t>(row)] != *index; });
}

/// Columns that standardizing leaves at their size.
struct Unscaled {
  std::string_view what;
  std::int64_t count = 0;
  std::int64_t first = 0;
  void add(std::int64_t column) {
    if (count++ == 0) first = column;
  }
};

/// Mean and deviation per column over the training rows.
void standardize(const Dataset& data, const ValueStatistics& values, PreparedData& prepared) {
  const std::vector<math::ColumnMoments> moments = values.columns(prepared.preparation.scale);
  const auto columns = static_cast<std::size_t>(data.columns());
  const auto rows = static_cast<double>(data.rows());
  Unscaled constant{"do not vary over the training rows"};
  Unscaled tiny{"vary over the training rows by less than a float can be scaled by"};
  for (std::size_t c = 0; c < columns; ++c) {
    const double deviation = std::sqrt(moments[c].squares / rows);
    const bool has_inverse = deviation > static_cast<double>(std::numeric_limits<float>::min());
    const bool is_scaled = moments[c].varies && has_inverse;
    if (!is_scaled) (moments[c].varies ? tiny : constant).add(static_cast<std::int64_t>(c));
    prepared.preparation.mean.push_back(static_cast<float>(moments[c].mean));
    prepared.preparation.inverse_deviation.push_back(is_scaled ? static_cast<float>(1.0 / deviation) : 1.0f);
  }
  for (const Unscaled& columns_of : {constant, tiny}) {
    if (columns_of.count == 0) continue;
    prepared.warnings.push_back(
        fmt::format("{}: {} of {} columns {} (the first is {}); they are centred but not scaled", data.name(),
                    columns_of.count, columns, columns_of.what,
                    data::column_name(data.column_names(), columns_of.first)));
  }
}

RunData load_rows(const RunConfig& config, const DataView& view) {
  RunData rows;
  DataSource train = config.data.train;
  train.value_columns = view.names;
  train.label_vector_columns = view.label_vector_names;
  rows.train = load_dataset(train);
  if (!config.data.test_path.empty()) {
    rows.test = data::load_held_out(config, rows.train, config.data.test_path, DataPart::test);
  } else if (config.data.test_fraction == 0.0 && has_test_part(config.data.train)) {
    rows.test = load_dataset(config.data.train, DataPart::test);
  }
  if (!config.data.valid_path.empty()) {
    rows.valid = data::load_held_out(config, rows.train, config.data.valid_path, DataPart::train);
  }
  return rows;
}

/// Class indices of held-out rows count other files' classes: they become those of the training rows.
void take_classes_of(const Dataset& train, Dataset& held) {
  const std::vector<std::string>& names = train.label_names();
  std::vector<std::int32_t> index;
  for (const std::string& name : held.label_names()) {
    index.push_back(data::find_class(names, name).value_or(-1));
  }
  std::vector<std::int32_t> labels(held.labels().begin(), held.labels().end());
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto old = static_cast<std::size_t>(labels[row]);
    labels[row] = index[old];
    if (labels[row] >= 0) continue;
    throw FileError(fmt::format(
        "{}: row {} has the label {}, which no row of {} has: a model cannot be conditioned on it",
        held.name(), row, held.label_names()[old], train.name()));
  }
  held.set_labels(std::move(labels), names);
}

/// What the labels of a conditional model are, the same in every part of the data.
void prepare_conditions(PreparedData& prepared) {
  const Dataset& train = prepared.train;
  if (train.labels().empty() && train.label_vectors().empty()) {
    throw ConfigError(
        fmt::format("--conditional needs a label for every row, and {} has none: give --labels or "
                    "--label-column, or labels with rows in memory",
                    train.name()));
  }
  prepared.condition_names = train.label_names();
  prepared.condition_dim = train.label_vectors().empty()
                               ? static_cast<std::int64_t>(prepared.condition_names.size())
                               : train.label_vector_size();
  const std::string owner = data::label_owner(train.name());
  if (std::string doubt = data::doubt_names(data::label_columns_of(train, owner)); !doubt.empty())
    prepared.warnings.push_back(std::move(doubt));
  if (std::string doubt = data::doubt_classes(train); !doubt.empty())
    prepared.warnings.push_back(std::move(doubt));
  for (std::optional<Dataset>* held : {&prepared.valid, &prepared.test}) {
    if (!*held) continue;
    if ((*held)->labels().empty() && (*held)->label_vectors().empty()) {
      throw FileError(fmt::format(
          "{}: has no labels, and --conditional needs one for every row: give a table with the label "
          "column of {}, or labels with rows in memory, or hold rows out of the training data "
          "(--test-fraction, --valid-fraction)",
          (*held)->name(), train.name()));
    }
    if (!train.label_vectors().empty() && !(*held)->label_vectors().empty()) {
      data::take_label_columns_of(data::label_columns_of(train, owner), **held, prepared.notes);
    }
    if ((*held)->label_vector_size() != train.label_vector_size()) {
      throw FileError(fmt::format("{}: label vectors of {} numbers, but those of {} have {}", (*held)->name(),
                                  (*held)->label_vector_size(), train.name(), train.label_vector_size()));
    }
    if (train.label_vectors().empty()) take_classes_of(train, **held);
  }
}

}  // namespace

std::vector<double> prepared_means(const Dataset& data, const Preparation& preparation) {
  const auto columns = static_cast<std::size_t>(data.columns());
  std::vector<double> mean(columns, 0.0);
  std::vector<std::int64_t> seen(columns, 0);
  const auto prepared = [&preparation](std::size_t c, float value) {
    if (!preparation.mean.empty()) value = (value - preparation.mean[c]) * preparation.inverse_deviation[c];
    // A value that is drawn has its probability as its mean.
    if (preparation.binarize == Binarize::threshold) value = value > 0.5f ? 1.0f : 0.0f;
    return static_cast<double>(value);
  };
  for_each_stored_value(data, preparation.scale, [&](std::int64_t, std::int64_t column, float value) {
    const auto c = static_cast<std::size_t>(column);
    mean[c] += prepared(c, value);
    ++seen[c];
    return true;
  });
  for (std::size_t c = 0; c < columns; ++c) {
    const std::int64_t zeros = data.rows() - seen[c];  // that sparse rows do not store
    if (zeros > 0) mean[c] += static_cast<double>(zeros) * prepared(c, 0.0f);
  }
  for (double& m : mean) m /= static_cast<double>(data.rows());
  return mean;
}

namespace {

/// Rows given for validation or the test by themselves; shares of the training rows need no bringing
/// together.
struct GivenRows {
  std::optional<Dataset>& rows;
  bool given = false;
  bool other_type = false;

  explicit GivenRows(std::optional<Dataset>& held) : rows(held), given(held.has_value()) {}
  void meet(const Dataset& train, std::vector<std::string>& notes) {
    if (given) other_type = data::meet_training_rows(train, *rows, notes);
  }
  /// Says where they can hardly be of one scale; of two types they must be.
  void check_scale(PreparedData& prepared) const {
    if (!given) return;
    data::ValueMeter meter;
    meter.add(*rows);
    std::string doubt = data::scale_doubt(rows->name(), meter, prepared.preparation.scale, prepared.sizes);
    if (doubt.empty()) return;
    if (other_type) throw FileError(doubt);
    prepared.warnings.push_back(std::move(doubt));
  }
};

/// Where the model of `view` has other columns than the rows, its option says so.
void take_view(const DataView& view, Dataset& train, std::vector<std::string>& notes) {
  const data::Columns wanted{view.owner, view.columns, view.names};
  const bool by_name = !view.names.empty() && !train.column_names().empty();
  if (by_name || view.columns == train.columns()) data::take_columns_of(wanted, train, notes);
  if (view.label_vector_size == 0 || train.label_vectors().empty()) return;
  const std::string owner = data::label_owner(view.owner);
  data::take_label_columns_of({owner, view.label_vector_size, view.label_vector_names}, train, notes);
}

void choose_scale(const RunConfig& config, const DataView& view, const ValueStatistics& values,
                  PreparedData& prepared) {
  const Dataset& train = prepared.train;
  data::ValueMeter meter;
  meter.add(values.totals());
  prepared.sizes = meter.sizes();
  if (view.scale) {
    prepared.scale = data::mode_of(*view.scale);
    prepared.preparation.scale = *view.scale;
    std::string doubt = data::scale_doubt(train.name(), meter, *view.scale, view.sizes);
    if (!doubt.empty()) prepared.warnings.push_back(std::move(doubt));
    return;
  }
  const bool is_count = traits_of(config.model.likelihood).domain == ValueDomain::count;
  const data::Scale scale = data::choose_scale(is_count ? ScaleMode::none : config.data.scale, train.type(),
                                               prepared.sizes, view.scale_by_type);
  prepared.scale = scale.mode;
  prepared.preparation.scale = scale.factor;
  const bool was_asked = is_count || config.data.scale == scale.mode;
  if (train.type() == ElementType::u8 && !was_asked && scale.mode != ScaleMode::by_255) {
    prepared.notes.push_back(data::scale_note(train.name(), scale, prepared.sizes));
  }
}

/// A threshold that all values lie on one side of leaves nothing to learn.
void require_both_sides(const Dataset& train, const ValueStatistics& values, float scale) {
  constexpr float kMost = std::numeric_limits<float>::infinity();
  constexpr float kHalf = 0.5f;
  const bool any_above = values.first_outside(scale, -kMost, kHalf).has_value();
  const bool any_below = values.first_outside(scale, std::nextafter(kHalf, 1.0f), kMost).has_value();
  if (any_above && any_below) return;
  throw FileError(fmt::format(
      "{}: --binarize threshold makes {} of every value of the training rows, which leaves nothing to learn: "
      "values above one half become 1, once they are multiplied by {} (--scale)",
      train.name(), any_above ? 1 : 0, scale));
}

/// `seen`: by a loader, which has refused what is not finite. Rows in memory are looked at once they have
/// lost the columns that nobody wants, which may hold anything.
PreparedData prepare_rows(const RunConfig& config, RunData rows, const DataView& view,
                          const MeasuredRows& measured, bool seen) {
  PreparedData prepared;
  Dataset all = std::move(rows.train);
  prepared.test = std::move(rows.test);
  prepared.valid = std::move(rows.valid);
  take_view(view, all, prepared.notes);
  if (!seen) require_finite(all);
  if (std::string doubt = data::doubt_names(data::columns_of(all)); !doubt.empty())
    prepared.warnings.push_back(std::move(doubt));
  GivenRows test(prepared.test);
  GivenRows valid(prepared.valid);
  for (GivenRows* given : {&test, &valid}) {
    given->meet(all, prepared.notes);
    if (!seen && given->rows) require_finite(*given->rows);
  }
  if (prepared.valid && !config.data.normal_label.empty()) {
    Rows normal(static_cast<std::size_t>(prepared.valid->rows()));
    std::iota(normal.begin(), normal.end(), 0);
    keep_normal(*prepared.valid, config.data.normal_label, normal);
    prepared.valid = prepared.valid->select(normal);
  }

  const bool splits = config.data.test_fraction > 0.0 || config.data.valid_fraction > 0.0;
  if (splits || !config.data.normal_label.empty()) {
    Split split = split_rows(all, config);
    if (!config.data.normal_label.empty()) {
      // Validation steers training, so it sees normal rows alone; the test keeps every row.
      keep_normal(all, config.data.normal_label, split.train);
      keep_normal(all, config.data.normal_label, split.valid);
      if (split.train.empty()) {
        throw ConfigError(
            fmt::format("{}: no training row has the label {}", all.name(), config.data.normal_label));
      }
    }
    if (config.data.test_fraction > 0.0) prepared.test = all.select(split.test);
    if (config.data.valid_fraction > 0.0) {
      if (split.valid.empty())
        throw ConfigError(
            fmt::format("{}: no validation row has the label {}", all.name(), config.data.normal_label));
      prepared.valid = all.select(split.valid);
    }
    if (!config.data.normal_label.empty()) {
      prepared.notes.push_back(fmt::format(
          "--normal-label {}: {} of {} are trained on; validation rows have this label alone, test rows any",
          config.data.normal_label, split.train.size(), data::counted(all.rows(), "row")));
    }
    prepared.train = all.select(split.train);
  } else {
    prepared.train = std::move(all);
  }

  if (config.model.conditional) prepare_conditions(prepared);
  const data::HostValues here(prepared.train);
  const ValueStatistics* there = measured ? measured(prepared.train) : nullptr;
  const ValueStatistics& values = there != nullptr ? *there : here;
  choose_scale(config, view, values, prepared);
  test.check_scale(prepared);
  valid.check_scale(prepared);
  prepared.preparation.binarize = config::same_as<Binarize>(config.data.binarize);
  if (prepared.preparation.binarize == Binarize::threshold)
    require_both_sides(prepared.train, values, prepared.preparation.scale);
  if (config.data.standardize) standardize(prepared.train, values, prepared);
  const ValueDomain domain = traits_of(config.model.likelihood).domain;
  check_values(prepared.train, values, prepared.preparation, domain);
  for (const std::optional<Dataset>* held : {&prepared.valid, &prepared.test}) {
    if (*held) check_values(**held, prepared.preparation, domain);
  }
  if (domain == ValueDomain::count) survey_counts(prepared);
  return prepared;
}

}  // namespace

PreparedData prepare_data(const RunConfig& config, const DataView& view, const MeasuredRows& measured) {
  return prepare_rows(config, load_rows(config, view), view, measured, true);
}

PreparedData prepare_data(const RunConfig& config, RunData rows, const DataView& view,
                          const MeasuredRows& measured) {
  if (rows.train.rows() == 0) throw ConfigError("no rows to train on");
  if (rows.valid && rows.valid->rows() == 0) throw ConfigError("no rows to validate on: give some, or none");
  if (rows.test && rows.test->rows() == 0) throw ConfigError("no rows to test on: give some, or none");
  return prepare_rows(config, std::move(rows), view, measured, false);
}

}  // namespace vaecuda
