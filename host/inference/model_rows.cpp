#include "host/inference/model_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/data/check_values.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda {
namespace {

constexpr std::size_t kMostLines = 1000;  ///< kept of a program that meets file after file

data::Columns columns_of(const RowSource& rows) {
  check_source(rows);
  return {.owner = rows.name(),
          .count = rows.columns(),
          .names = rows.column_names(),
          .label_column = rows.label_column(),
          .image = rows.image()};
}

std::vector<std::string> latent_names(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("z{}", i));
  return names;
}

/// A latent's name, whatever its model: "z" and an index.
bool names_latent(const std::string& name) {
  return name.size() > 1 && name.front() == 'z' &&
         std::all_of(name.begin() + 1, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void Said::say(const std::string& line) {
  if (!message_) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (lines_.size() == kMostLines) lines_.clear();
    if (!lines_.insert(line).second) return;
  }
  message_(line);
}

ModelRows::ModelRows(RowSource& rows, const ModelFile& model, const std::vector<std::string>& names,
                     Kind kind, Said& said)
    : ForwardedRows(rows), model_(model), kind_(kind), said_(said), names_(&rows.column_names()) {
  kind == Kind::data ? match_data(names) : match_latents();
  match_labels();
}

void ModelRows::match_data(const std::vector<std::string>& names) {
  const data::Columns given = columns_of(source());
  width_ = model_.model.input_dim;
  if (names_ == &names) return;  // an array, cut into rows of this width
  const bool by_name = !given.names.empty() && !names.empty();
  if (!by_name && given.count != width_) {
    throw FileError(fmt::format("{}: rows have {} values, but the model was trained on rows of {}",
                                given.owner, given.count, width_));
  }
  data::ColumnMatch match = data::match_columns({"the model", width_, names, {}, model_.image}, given);
  if (!match.note.empty()) said_.say(match.note);
  order_ = std::move(match.order);
  if (!names.empty()) names_ = &names;
}

void ModelRows::match_latents() {
  const data::Columns given = columns_of(source());
  width_ = model_.model.latent_dim;
  if (!given.names.empty()) latent_names_ = latent_names(width_);
  const auto is_latent = [this](const std::string& name) {
    return std::find(latent_names_.begin(), latent_names_.end(), name) != latent_names_.end();
  };
  const bool by_name = std::any_of(given.names.begin(), given.names.end(), is_latent);
  // Latents beyond the model's own are those of another model, not columns to leave out.
  const bool has_others = std::any_of(given.names.begin(), given.names.end(), [&](const std::string& name) {
    return names_latent(name) && !is_latent(name);
  });
  data::ColumnMatch match;
  if (by_name) match = data::match_columns({"the model's latents", width_, latent_names_}, given);
  if (by_name ? has_others : given.count != width_) {
    throw FileError(fmt::format("{}: rows have {} values, but the model decodes latents of {}", given.owner,
                                given.count, width_));
  }
  if (by_name) {
    if (!match.note.empty()) said_.say(match.note);
    order_ = std::move(match.order);
    names_ = &latent_names_;
  } else if (!given.names.empty()) {
    said_.say(
        fmt::format("{}: no column is named z0, z1, ..., so the columns are taken by position as the latents",
                    given.owner));
  }
}

void ModelRows::match_labels() {
  if (!source().has_label_vectors() || model_.model.condition_dim == 0 || !model_.condition_names.empty())
    return;
  const std::vector<std::string>& given = source().label_vector_names();
  const std::int64_t size = model_.model.condition_dim;
  const std::string owner = data::label_owner(name());
  const std::string model = data::label_owner("the model");
  // How many numbers there are without names the first rows tell, where they are taken.
  const auto count = given.empty() ? size : static_cast<std::int64_t>(given.size());
  data::ColumnMatch match =
      data::match_columns({model, size, model_.label_vector_names}, {owner, count, given});
  if (!match.note.empty()) said_.say(match.note);
  label_order_ = std::move(match.order);
}

std::span<const float> ModelRows::label_vectors() const {
  return label_order_.empty() ? ForwardedRows::label_vectors() : label_block_;
}

const std::vector<std::string>& ModelRows::label_vector_names() const {
  return model_.label_vector_names.empty() ? ForwardedRows::label_vector_names() : model_.label_vector_names;
}

std::optional<ImageShape> ModelRows::image() const {
  return order_.empty() ? ForwardedRows::image() : std::nullopt;
}

std::span<const float> ModelRows::next(std::int64_t most) {
  std::span<const float> block = ForwardedRows::next(most);
  if (block.empty()) {
    if (!std::exchange(ended_, true)) say_at_end();
    return block;
  }
  check_block(source(), block, first_, most);
  if (!order_.empty()) {
    block_ = data::choose_columns(block, source().columns(), order_);
    block = block_;
  }
  if (!label_order_.empty()) {
    const std::span<const float> told = source().label_vectors();
    const std::size_t size = source().label_vector_names().size();
    if (told.size() != block.size() / static_cast<std::size_t>(width_) * size) {
      throw FileError(
          fmt::format("{}: its label vectors have not the {} numbers that it names", name(), size));
    }
    label_block_ = data::choose_columns(told, static_cast<std::int64_t>(size), label_order_);
  }
  const Preparation unprepared;
  const bool is_data = kind_ == Kind::data;
  check_values({.values = block, .columns = width_, .first = first_, .name = name(), .column_names = *names_},
               is_data ? model_.preparation : unprepared,
               is_data ? traits_of(model_.model.likelihood).domain : ValueDomain::real, meter_);
  first_ += static_cast<std::int64_t>(block.size()) / width_;
  return block;
}

void ModelRows::say_at_end() {
  if (kind_ == Kind::latents) return;
  const std::string doubt = data::scale_doubt(name(), meter_, model_.preparation.scale, model_.trained_on);
  if (!doubt.empty()) said_.say("warning: " + doubt);
}

}  // namespace vaecuda
