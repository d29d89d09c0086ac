// How well the scores of rows detect the rows that are labelled as anomalies.
#pragma once

#include <optional>

#include "host/evaluate/row_facts.hpp"
#include "vaecuda/evaluate.hpp"

namespace vaecuda {

/// The index in label_names of the label that marks anomalies: the requested label, else "1" if the labels
/// are "0" and "1", else none. \throws ConfigError if no row or every row has the label
[[nodiscard]] std::optional<std::int32_t> anomaly_label(const RowFacts& facts,
                                                        const EvaluateOptions& options);

/// Evaluates every score of `rows` with a value per row, with label `anomaly` as the positives.
/// The model's device ranks them.
[[nodiscard]] AnomalyFigures anomaly_figures(const Vae& vae, const RowFacts& facts, std::int32_t anomaly,
                                             const RowFigures& rows);

}  // namespace vaecuda
