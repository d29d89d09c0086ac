// svmlight's and LIBSVM's text: a label, then the columns that are not 0 with their values.
#pragma once

namespace vaecuda::data {

struct Format;

extern const Format kSvmlightFormat;  ///< its entry in the table of host/data/format.hpp

}  // namespace vaecuda::data
