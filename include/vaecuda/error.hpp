// Every error that the library reports. The library never prints and never exits: it throws one of these.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "vaecuda/export.h"

namespace vaecuda {

/// Kind of an error. Its value is the exit code of the programs.
enum class ErrorKind : int {
  runtime = 1,        ///< a failure of the machine: unwritable output, full disk
  config = 2,         ///< an invalid request: unknown key, contradictory options
  bad_file = 3,       ///< an input file is missing, unreadable, corrupt or of the wrong shape
  out_of_memory = 4,  ///< host or device memory
  device = 5,         ///< no such device, or one that cannot do what was requested
  diverged = 6,       ///< a loss, gradient or weight became NaN or infinite
};

/// Base of every error. The message says what is wrong and where, what was expected, and the remedy.
class VAECUDA_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  /// Exit code for a program that ends with this error.
  [[nodiscard]] int exit_code() const noexcept { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

/// Unwritable output, full disk, failed system call.
class VAECUDA_API RuntimeError : public Error {
 public:
  explicit RuntimeError(const std::string& message) : Error(ErrorKind::runtime, message) {}
};

/// An invalid configuration: an unknown key, a value out of range, options that contradict each other.
class VAECUDA_API ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& message) : Error(ErrorKind::config, message) {}
};

/// An input file that is missing, unreadable, truncated or corrupt, or whose contents cannot be used.
class VAECUDA_API FileError : public Error {
 public:
  explicit FileError(const std::string& message) : Error(ErrorKind::bad_file, message) {}
};

/// Host or device memory could not be allocated.
class VAECUDA_API OutOfMemoryError : public Error {
 public:
  explicit OutOfMemoryError(const std::string& message) : Error(ErrorKind::out_of_memory, message) {}
};

/// A device that is absent or cannot do what was requested.
class VAECUDA_API DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(ErrorKind::device, message) {}
};

/// A loss, gradient or weight became NaN or infinite in training.
class VAECUDA_API DivergedError : public Error {
 public:
  DivergedError(const std::string& message, std::int64_t step, std::string tensor)
      : Error(ErrorKind::diverged, message), step_(step), tensor_(std::move(tensor)) {}
  /// The training step in which it happened, counted from 1.
  [[nodiscard]] std::int64_t step() const noexcept { return step_; }
  /// The first tensor affected ("loss" or a parameter's name).
  [[nodiscard]] const std::string& tensor() const noexcept { return tensor_; }

 private:
  std::int64_t step_;
  std::string tensor_;
};

}  // namespace vaecuda
