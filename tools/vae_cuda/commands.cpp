#include "vae_cuda/command.hpp"

namespace vaecuda::tool {

std::span<const Command> commands() {
  static const std::vector<Command> kCommands = {
      info_command(),        encode_command(),    reconstruct_command(), generate_command(),
      interpolate_command(), neighbors_command(), manifold_command(),    traverse_command(),
      score_command(),       evaluate_command(),  export_command(),      report_command(),
  };
  return kCommands;
}

}  // namespace vaecuda::tool
