// A sparse matrix as scipy.sparse.save_npz writes it: a zip archive of .npy arrays.
#pragma once

namespace vaecuda::data {

struct Format;

extern const Format kScipyFormat;  ///< its entry in the table of host/data/format.hpp

}  // namespace vaecuda::data
