// Sheets of pictures as PNG files: the public interface to image_sheet.hpp and png.hpp.
#include "host/report/image_sheet.hpp"
#include "host/report/png.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {

void write_sheet(const std::string& path, std::span<const float> values, std::int64_t columns,
                 const std::optional<ImageShape>& shape, const SheetOptions& options) {
  write_png(path, image_sheet(values, columns, shape, options));
}

void write_pair_sheet(const std::string& path, std::span<const float> originals,
                      std::span<const float> reconstructions, std::int64_t columns,
                      const std::optional<ImageShape>& shape, const SheetOptions& options) {
  write_png(path, pair_sheet(originals, reconstructions, columns, shape, options));
}

}  // namespace vaecuda
