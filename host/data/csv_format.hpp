// Tables of text as a format of files.
#pragma once

namespace vaecuda::data {

struct Format;

extern const Format kCsvFormat;  ///< its entry in the table of host/data/format.hpp

}  // namespace vaecuda::data
