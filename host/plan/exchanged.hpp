// The exchange buffers of passes over data: what the host writes before one and reads after it, N rows each.
#pragma once

namespace vaecuda::exchanged {

// Before.
inline constexpr const char* kRaw = "rows.raw";  ///< (N,D) raw rows, where no data set is resident
inline constexpr const char* kCondition = "rows.condition";  ///< (N,C) one-hot classes or label vectors
inline constexpr const char* kLatents =
    "rows.z";  ///< (N,Z) to decode; of a quantized latent also what it gives

// After.
inline constexpr const char* kNll = "rows.nll";  ///< (N,1) −log p(x|z), or that of the bound
inline constexpr const char* kKl = "rows.kl";    ///< (N,1)
inline constexpr const char* kReconstruction =
    "rows.reconstruction";  ///< (N,1) of the importance-weighted bound
inline constexpr const char* kPenalty =
    "rows.penalty";  ///< (N,1) deterministic latent: the code's mean square
inline constexpr const char* kError =
    "rows.error";  ///< (N,1) quantized latent: squared distance to its codes
inline constexpr const char* kCodes = "rows.codes";  ///< (N,G) quantized latent: indices from 0
inline constexpr const char* kHead = "rows.head";    ///< (N,2Z) or (N,Z): what the encoder gives
inline constexpr const char* kMean = "rows.mean";    ///< (N,D) of p(x|z)
inline constexpr const char* kPrepared = "rows.x";   ///< (N,D) prepared rows
inline constexpr const char* kMu = "rows.mu";  ///< (N,Z) of exchanged rows: the head's first half, or codes
inline constexpr const char* kLogvar = "rows.logvar";  ///< (N,Z) the second half

}  // namespace vaecuda::exchanged
