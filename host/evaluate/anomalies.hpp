// How well the scores of rows show the rows that are labelled as anomalies.
#pragma once

#include <optional>

#include "host/evaluate/row_facts.hpp"
#include "vaecuda/evaluate.hpp"

namespace vaecuda {

/// The index in label_names that marks anomalies: of the label asked for, else of "1" where the labels are
/// "0" and "1"; nothing without either. \throws ConfigError if the data have no such label, or nothing else
[[nodiscard]] std::optional<std::int32_t> anomaly_label(const RowFacts& facts,
                                                        const EvaluateOptions& options);

/// Every score of `rows` that has a value per row, against the rows with label `anomaly`.
[[nodiscard]] AnomalyFigures anomaly_figures(const RowFacts& facts, std::int32_t anomaly,
                                             const RowFigures& rows);

}  // namespace vaecuda
