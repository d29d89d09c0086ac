// TensorBoard event files: curves and pictures that `tensorboard --logdir RUN` shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/io/output_descriptor.hpp"
#include "host/report/png.hpp"

namespace vaecuda {

class SeekableBytes;

/// One value of a curve; the curve's name is its tag ("train/loss").
struct Scalar {
  std::string tag;
  float value = 0.0F;
};

/// Appends events to one event file. Each call writes one complete record, so a reader may follow and a
/// killed run leaves no partial record. Times are seconds since 1970, given by the caller; steps are the x
/// axis. Every member throws RuntimeError naming the file if it cannot be written.
class EventFile {
 public:
  /// Opens events.out.tfevents.<whole seconds of wall_time>.vaecuda in `folder`. An existing file is appended
  /// to.
  EventFile(std::shared_ptr<const Folder> folder, double wall_time);
  /// Appends to a file from the list of event_files().
  explicit EventFile(const Place& file) : file_(file) {}

  /// Writes the scalars as one event. Infinities and NaN are kept; TensorBoard marks them.
  void add_scalars(std::span<const Scalar> scalars, std::int64_t step, double wall_time);
  /// Writes a picture (1 or 3 channels).
  void add_image(std::string_view tag, const EncodedImage& image, std::int64_t step, double wall_time);
  /// Returns when everything written is on the disk.
  void sync() { file_.sync(); }
  /// Closes with a check, which the destructor cannot do; to be called last.
  void close() { file_.close(); }
  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

 private:
  void append_record(const std::string& event);

  AppendFile file_;
};

/// The names of the event files in a folder that this class has written, the oldest first.
[[nodiscard]] std::vector<std::string> event_files(const Folder& folder);
/// How many bytes cut_event_file() keeps of a file with this content, which may be arbitrary.
[[nodiscard]] std::int64_t kept_event_bytes(const SeekableBytes& file,
                                            const std::function<bool(std::int64_t)>& keeps);
/// Truncates an event file before the first event whose step `keeps` refuses, that has a picture (pictures
/// are drawn at a run's end, which a resumed run has not reached), or that is not a complete record.
/// \throws FileError if it cannot be read, RuntimeError if it cannot be truncated
void cut_event_file(const Place& place, const std::function<bool(std::int64_t)>& keeps);

/// The CRC-32C (Castagnoli) of the bytes, the checksum of TFRecord frames: polynomial 0x1EDC6F41, reflected,
/// initial value and final XOR of all ones.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace vaecuda
