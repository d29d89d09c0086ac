// state.safetensors: all that a run needs to go on as if it had not stopped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/io/seekable_bytes.hpp"
#include "host/train/training_state.hpp"

namespace vaecuda {

/// What a checkpoint belongs to: where one of these differs, the run would not go on as it began. No path,
/// host, time or number of threads is among them.
struct RunIdentity {
  std::string device;                   ///< "cpu" or "cuda"
  std::vector<std::string> algorithms;  ///< Program::algorithms
  std::uint64_t data = 0;               ///< fingerprint of the training and validation rows
  std::optional<std::uint64_t>
      test;                 ///< the same of the test rows; none where there are none, or in an older state
  std::int64_t length = 0;  ///< steps of the whole run where a schedule depends on them, else 0
  std::map<std::string, std::string, std::less<>> options;  ///< by key: those that must not change
};

struct Checkpoint {
  TrainingState state;
  std::vector<float> parameters;  ///< the arena, as the moments
  std::vector<float> moment1;
  std::vector<float> moment2;
  RunIdentity identity;
};

/// Writes atomically; the bytes are a function of the checkpoint alone (the seconds are left out).
/// \throws RuntimeError if the file cannot be written, or holds a value that is not finite: nothing is
/// written then
void save_checkpoint(const Place& place, const Checkpoint& checkpoint);

/// Reads and checks everything; what it does not know is refused. \throws FileError, OutOfMemoryError
[[nodiscard]] Checkpoint load_checkpoint(std::unique_ptr<SeekableBytes> source);

/// The JSON document in the file's metadata: everything but the arrays.
[[nodiscard]] std::string write_checkpoint_document(const Checkpoint& checkpoint);
/// `text` is decoded in place; `place` names it in messages. \throws FileError
[[nodiscard]] Checkpoint read_checkpoint_document(std::span<char> text, const std::string& place);

}  // namespace vaecuda
