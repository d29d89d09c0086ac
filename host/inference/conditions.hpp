// What a conditional model is told of rows that are read on the way.
#pragma once

#include <cstdint>
#include <vector>

#include "host/model/model_file.hpp"
#include "vaecuda/row_source.hpp"

namespace vaecuda {

/// Of the `rows` rows that `source` gave last: their classes, one-hot, or their label vectors (rows, C). A
/// model that is told vectors takes a class's name for one: its numbers between commas. \throws FileError for
/// rows without labels, a class that the model does not know, a vector of another size
[[nodiscard]] std::vector<float> conditions_of(const RowSource& source, std::int64_t rows,
                                               const ModelFile& model);

}  // namespace vaecuda
