#include "host/inference/device_turn.hpp"

#include "host/inference/vae_impl.hpp"

namespace vaecuda {

DeviceTurn::DeviceTurn(const Vae& vae)
    : turn_(vae.impl_->turn()), rankings_(vae.impl_->backend->rankings()) {}

}  // namespace vaecuda
