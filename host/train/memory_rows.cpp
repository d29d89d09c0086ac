#include "host/train/memory_rows.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "host/data/check_values.hpp"
#include "vaecuda/array.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {

void enter_rows(RunConfig& config, RunData& rows) {
  const auto enter = [](std::string& path, const char* key, Dataset* data) {
    if (!path.empty() && path != kMemory) {
      throw ConfigError(fmt::format(
          "{} names '{}', but the rows of this run are in memory: leave it unset, and load that file "
          "into memory as well if its rows are to be used",
          key, path));
    }
    if (data == nullptr) return;
    if (data->columns() > 0) check_source(*rows_of(*data));
    path = kMemory;
    if (data->name() == Dataset{}.name()) data->set_name(fmt::format("memory ({})", key));
  };
  enter(config.data.train.path, "data.path", &rows.train);
  enter(config.data.valid_path, "data.valid", rows.valid ? &*rows.valid : nullptr);
  enter(config.data.test_path, "data.test", rows.test ? &*rows.test : nullptr);
}

void apply_file_options(const DataSource& asked, RunData& rows) {
  if (!asked.labels_path.empty()) {
    if (!rows.train.labels().empty() || !rows.train.label_vectors().empty()) {
      throw ConfigError(fmt::format(
          "data.labels names '{}', but the rows of this run, which are in memory, have labels already: "
          "choose one",
          asked.labels_path));
    }
    load_labels(rows.train, asked.labels_path);
  }
  const bool is_taken = asked.label_column == "none" || asked.label_column == rows.train.label_column();
  if (!asked.label_column.empty() && !is_taken) {
    throw ConfigError(fmt::format(
        "data.label_column is '{}', which is for CSV files, and the rows of this run are in memory: give "
        "their labels beside them (set_labels of the data set, in Python labels=), without the column",
        asked.label_column));
  }
  if (asked.header != HeaderMode::automatic) {
    throw ConfigError(
        "data.header is for CSV files, and the rows of this run are in memory: leave it unset, and name "
        "their columns "
        "where they have names");
  }
  if (!asked.image) return;
  rows.train.set_image(asked.image);
  for (std::optional<Dataset>* held : {&rows.valid, &rows.test}) {
    if (*held) (*held)->set_image(asked.image);
  }
}

}  // namespace vaecuda
