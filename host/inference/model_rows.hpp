// Where rows meet a model in use: columns by their names, every value checked, and at the end what the whole
// of them tells of their scale.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "host/data/forwarded_rows.hpp"
#include "host/data/match_columns.hpp"
#include "host/data/scale.hpp"
#include "host/model/model_file.hpp"

namespace vaecuda {

/// Passes lines on to a person, each once. Thread-safe.
class Said {
 public:
  explicit Said(std::function<void(const std::string&)> message) : message_(std::move(message)) {}
  void say(const std::string& line);

 private:
  std::function<void(const std::string&)> message_;
  std::mutex mutex_;
  std::set<std::string> lines_;
};

/// The rows of a source as a model takes them: its columns, in its order.
class ModelRows final : public data::ForwardedRows {
 public:
  enum class Kind { data, latents };

  /// Everything referred to must outlive the rows. `names`: of the model's columns; a source with this very
  /// vector has them in this order. \throws FileError for columns that the model needs and the
  /// source does not have, and for names that stand twice
  ModelRows(RowSource& rows, const ModelFile& model, const std::vector<std::string>& names, Kind kind,
            Said& said);

  [[nodiscard]] std::int64_t columns() const override { return width_; }
  [[nodiscard]] const std::vector<std::string>& column_names() const override { return *names_; }
  [[nodiscard]] std::optional<ImageShape> image() const override;
  [[nodiscard]] std::span<const float> label_vectors() const override;
  [[nodiscard]] const std::vector<std::string>& label_vector_names() const override;
  /// \throws FileError naming row and column for a value that the model cannot take
  [[nodiscard]] std::span<const float> next(std::int64_t most) override;

 private:
  void match_data(const std::vector<std::string>& names);
  void match_latents();
  void match_labels();
  void say_at_end();

  const ModelFile& model_;
  Kind kind_;
  Said& said_;
  std::int64_t width_ = 0;                 ///< of the model
  const std::vector<std::string>* names_;  ///< of these columns; empty where neither side has names
  std::vector<std::string> latent_names_;
  std::vector<std::int64_t> order_;  ///< of the source's columns; empty where they are taken as they stand
  std::vector<float> block_;         ///< where they are not
  std::vector<std::int64_t> label_order_;  ///< the same of the numbers of label vectors
  std::vector<float> label_block_;
  std::int64_t first_ = 0;  ///< index of the next row
  data::ValueMeter meter_;
  bool ended_ = false;
};

}  // namespace vaecuda
