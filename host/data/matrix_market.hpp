// Matrix Market's exchange format (.mtx): entries or a dense array as text.
#pragma once

#include <string>

#include "host/data/bytes.hpp"
#include "host/data/sparse_entries.hpp"

namespace vaecuda::data {

struct Format;

struct MatrixEntries {
  Entries entries;
  std::string field;  ///< "integer", "real", "pattern"
};

/// The entries of a file whose matrix is given as coordinates. `turned`: the matrix's columns are the rows.
/// \throws FileError
[[nodiscard]] MatrixEntries read_matrix_entries(ByteSource& bytes, bool turned);

extern const Format kMatrixMarketFormat;  ///< its entry in the table of host/data/format.hpp

}  // namespace vaecuda::data
