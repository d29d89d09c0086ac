// What a model's device does for callers beside the passes.
#pragma once

#include "host/inference/passes.hpp"
#include "host/plan/rankings.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {

/// A turn on the device, which other threads' passes wait for where the device runs one thing at a time. The
/// model must outlive it.
class DeviceTurn {
 public:
  /// \throws DeviceError in a process that was forked from the one that loaded the model on a GPU
  explicit DeviceTurn(const Vae& vae);
  [[nodiscard]] Rankings& rankings() const { return rankings_; }

 private:
  Passes::Lease turn_;
  Rankings& rankings_;
};

}  // namespace vaecuda
