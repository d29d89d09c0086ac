// Limits of numbers. They are far beyond any reasonable run; they keep products of sizes within 64 bits and
// values within fp32.
#pragma once

#include <cstdint>

#include "host/config/parse.hpp"

namespace vaecuda::config {

inline constexpr IntegerRange kDimension{1, std::int64_t{1} << 24};
/// A codebook of one code carries no information on a row.
inline constexpr IntegerRange kCodes{2, kDimension.max};
inline constexpr IntegerRange kLayers{0, 64};
inline constexpr IntegerRange kBatchSize{1, std::int64_t{1} << 24};
/// Samples per row, K; batch size · K is at most kBatchSize.max.
inline constexpr IntegerRange kSamples{1, 100'000};
/// Latents drawn per row for a bound or a likelihood.
inline constexpr IntegerRange kDrawnSamples{1, 1'000'000};
inline constexpr IntegerRange kCapacitySteps{0, 100'000'000'000};
inline constexpr IntegerRange kMomentInit{0, 1};
inline constexpr IntegerRange kEpochs{1, 1'000'000'000};
/// steps × batch size stays below 2^63.
inline constexpr IntegerRange kSteps{1, 100'000'000'000};
inline constexpr IntegerRange kStepsOrNone{0, kSteps.max};
inline constexpr IntegerRange kRestores{0, 1000};
inline constexpr IntegerRange kPatience{0, kEpochs.max};
inline constexpr IntegerRange kThreads{0, 1024};

inline constexpr RealRange kSeconds{0.0, 1e9};
inline constexpr RealRange kFraction{0.0, 1.0};
inline constexpr RealRange kShare{.min = 0.0, .max = 1.0, .open_max = true};
inline constexpr RealRange kDecay{.min = 0.0, .max = 1.0, .open_min = true};
/// Smaller values would become 0 in fp32, and nothing would be learned.
inline constexpr RealRange kLearningRate{1e-30, 1e6};
/// Its square and the inverse of the square are normal fp32 numbers.
inline constexpr RealRange kSigma{1e-6, 1e6};
inline constexpr RealRange kWeight{.min = 0.0, .max = 1e12, .least = 1e-30};
/// Gradients with a smaller norm have squares that become 0 in fp32.
inline constexpr RealRange kClipNorm{.min = 0.0, .max = 1e12, .least = 1e-18};
/// Smaller values would become 0 in fp32, and a gradient of zero would give 0 / 0.
inline constexpr RealRange kEpsilon{1e-30, 1.0};

}  // namespace vaecuda::config
