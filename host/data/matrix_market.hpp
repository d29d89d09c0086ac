// Matrix Market's exchange format (.mtx): entries or a dense array as text.
#pragma once

namespace vaecuda::data {

struct Format;

extern const Format kMatrixMarketFormat;  ///< its entry in the table of host/data/format.hpp

}  // namespace vaecuda::data
