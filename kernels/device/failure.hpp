// How the device room reports that CUDA refused something: by an exception that names the kernel or call and
// carries CUDA's error number, for the host to word.
#pragma once

#include <stdexcept>
#include <string>

namespace vaecuda::device {

class Failure : public std::runtime_error {
 public:
  Failure(const std::string& call, int error_code) : std::runtime_error(call), error_code_(error_code) {}
  /// CUDA's error number (cudaError_t).
  [[nodiscard]] int error_code() const noexcept { return error_code_; }

 private:
  int error_code_;
};

/// \throws Failure unless `error_code` is 0.
inline void check_launch(const char* kernel, int error_code) {
  if (error_code != 0) throw Failure(std::string("kernel ") + kernel, error_code);
}

}  // namespace vaecuda::device
