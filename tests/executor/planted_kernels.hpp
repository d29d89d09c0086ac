// Kernels for the tests of the executor itself. Each does something right, and with `planted` the same with
// one fault in it, so that what the executor reports can be nothing but that fault.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/stream.hpp"

namespace vaecuda::test {

/// Every kernel runs on 2 blocks of (32,2) threads, unless its entry says otherwise: a float for each thread.
inline constexpr int kPlantedThreads = 64;  ///< of a block
inline constexpr int kPlantedFloats = 128;
inline constexpr int kRaggedFloats = 127;  ///< ends inside an 8-byte and inside a 16-byte word

struct PlantArgs {
  const float* in;         ///< (128), written
  float* out;              ///< (128), unwritten
  float* scratch;          ///< (128), written
  float* ragged;           ///< (127), written
  std::uint32_t* counter;  ///< (4), zero
  std::uint64_t* words;    ///< (4), zero
  bool planted;
};

/// Kernels whose fault is an access that is wrong by itself. \return false if there is none of this name
[[nodiscard]] bool launch_planted_access(const std::string& name, const PlantArgs& args,
                                         kernels::Stream stream);
/// Kernels whose fault lies between threads, or in the launch.
[[nodiscard]] bool launch_planted_order(const std::string& name, const PlantArgs& args,
                                        kernels::Stream stream);

}  // namespace vaecuda::test
