// Rankings by score: the order, and what is counted along it.
#pragma once

#include <cstdint>

#include "kernels/math/elementary.h"

namespace vaecuda::math {

/// Whole numbers in descending order of their scores: the key of the greater score is the smaller one, +0 and
/// −0 have the same. Not for NaN, whose keys lie above those of all scores or below.
VAECUDA_HD std::uint32_t descending_key(float score) {
  const std::uint32_t bits = float_to_bits(score == 0.0f ? 0.0f : score);
  const bool is_negative = (bits & 0x80000000U) != 0U;
  return is_negative ? bits : ~bits & 0x7fffffffU;
}

/// The score of a key; 0 for both zeros.
VAECUDA_HD float score_of_key(std::uint32_t key) {
  const bool is_negative = (key & 0x80000000U) != 0U;
  return bits_to_float(is_negative ? key : ~key & 0x7fffffffU);
}

/// Comes behind every score's key.
inline constexpr std::uint32_t kLastKey = 0xffffffffU;

/// Rows of one score, and those of a higher one.
struct TieGroup {
  std::int64_t positives;
  std::int64_t negatives;
  std::int64_t positives_above;
  std::int64_t negatives_above;
};

/// Twice the pairs of a positive and a negative of the group or above that are in the right order, a tie
/// counting half: whole, so that sums of them are exact in any order.
VAECUDA_HD std::int64_t twice_ordered_pairs(const TieGroup& group) {
  return group.negatives * (2 * group.positives_above + group.positives);
}

/// The group's part of the average precision, times the number of all positives.
VAECUDA_HD double precision_term(const TieGroup& group) {
  const auto positives = static_cast<double>(group.positives);
  const auto found = static_cast<double>(group.positives_above + group.positives);
  const auto negatives = static_cast<double>(group.negatives_above + group.negatives);
  return positives * found / (found + negatives);
}

}  // namespace vaecuda::math
