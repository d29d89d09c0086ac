// Every error that the library reports. The library never prints and never exits: it throws one of these.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "vaecuda/export.h"

namespace vaecuda {

/// What went wrong, as a program sees it. The value is the exit code that the tools return.
enum class ErrorKind : int {
  runtime = 1,        ///< the machine failed us: unwritable output, full disk
  config = 2,         ///< the request makes no sense: unknown key, contradictory options
  bad_file = 3,       ///< an input file is missing, unreadable, corrupt or of the wrong shape
  out_of_memory = 4,  ///< host or device memory
  device = 5,         ///< no such device, or one that cannot do what was asked
  diverged = 6,       ///< loss, gradient or weight became NaN or infinite
};

/// Base of every error. The message says what is wrong, where, what was expected, and what to do.
class VAECUDA_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  /// The exit code of a program that ends with this error.
  [[nodiscard]] int exit_code() const noexcept { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

/// Unwritable output, full disk, failed system call.
class VAECUDA_API RuntimeError : public Error {
 public:
  explicit RuntimeError(const std::string& message) : Error(ErrorKind::runtime, message) {}
};

/// A configuration that is wrong in itself: an unknown key, a value out of range, options that contradict.
class VAECUDA_API ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& message) : Error(ErrorKind::config, message) {}
};

/// An input file that is missing, unreadable, truncated, corrupt, or that holds what cannot be used.
class VAECUDA_API FileError : public Error {
 public:
  explicit FileError(const std::string& message) : Error(ErrorKind::bad_file, message) {}
};

/// Host or device memory that could not be had.
class VAECUDA_API OutOfMemoryError : public Error {
 public:
  explicit OutOfMemoryError(const std::string& message) : Error(ErrorKind::out_of_memory, message) {}
};

/// A device that is absent or cannot do what was asked.
class VAECUDA_API DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(ErrorKind::device, message) {}
};

/// Training met a loss, gradient or weight that is NaN or infinite.
class VAECUDA_API DivergedError : public Error {
 public:
  DivergedError(const std::string& message, std::int64_t step, std::string tensor)
      : Error(ErrorKind::diverged, message), step_(step), tensor_(std::move(tensor)) {}
  /// The training step, counted from 1, in which it happened.
  [[nodiscard]] std::int64_t step() const noexcept { return step_; }
  /// The tensor that was hit first ("loss" or a parameter's name).
  [[nodiscard]] const std::string& tensor() const noexcept { return tensor_; }

 private:
  std::int64_t step_;
  std::string tensor_;
};

}  // namespace vaecuda
