// Rankings by one stable sort of 64-bit keys, which all of them share: a sort is most of what a source of
// Thrust's takes to compile.
#include <thrust/copy.h>
#include <thrust/for_each.h>
#include <thrust/functional.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/scan.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
#include <thrust/transform_reduce.h>

#include <limits>

#include "kernels/library/thrust_analysis.hpp"
#include "kernels/library/thrust_calls.cuh"
#include "kernels/math/ranking.h"

namespace vaecuda::kernels {
namespace {

using Index = std::int64_t;
using Key = std::uint64_t;
using Value = std::int32_t;

constexpr int kScoreBits = 32;

/// Element i in the order of its row, then of its score; what is excluded comes last in its row.
struct KeyOf {
  const float* scores;
  const std::uint8_t* excluded;
  Index columns;
  VAECUDA_HD Key operator()(Index i) const {
    const bool is_out = excluded != nullptr && excluded[i] != 0;
    const std::uint32_t low = is_out ? math::kLastKey : math::descending_key(scores[i]);
    return (static_cast<Key>(i / columns) << kScoreBits) | low;
  }
};

struct ColumnOf {
  Index columns;
  VAECUDA_HD Value operator()(Index i) const { return static_cast<Value>(i % columns); }
};

struct MarkOf {
  const std::uint8_t* positive;
  VAECUDA_HD Value operator()(Index i) const { return positive[i] != 0 ? 1 : 0; }
};

struct Widened {
  VAECUDA_HD Index operator()(Value value) const { return value; }
};

/// Whether element i of the sorted keys is the last one of its score.
struct EndsGroup {
  const Key* keys;
  Index count;
  VAECUDA_HD bool operator()(Index i) const { return i + 1 == count || keys[i] != keys[i + 1]; }
};

/// Groups of equal scores, by the place of their last element and the positives up to there.
struct Groups {
  const Index* ends;
  const Index* found;
  VAECUDA_HD math::TieGroup operator()(Index group) const {
    const Index end = ends[group];
    const Index before = group > 0 ? ends[group - 1] + 1 : 0;
    const Index above = group > 0 ? found[ends[group - 1]] : 0;
    const Index positives = found[end] - above;
    return {positives, end + 1 - before - positives, above, before - above};
  }
};

struct PairsOf {
  Groups groups;
  VAECUDA_HD Index operator()(Index group) const { return math::twice_ordered_pairs(groups(group)); }
};

struct HasPositive {
  Groups groups;
  VAECUDA_HD bool operator()(Index group) const { return groups(group).positives > 0; }
};

struct TermOf {
  Groups groups;
  VAECUDA_HD double operator()(Index group) const { return math::precision_term(groups(group)); }
};

struct WriteScore {
  const Key* key;
  float* score;
  VAECUDA_HD void operator()(Index) const { *score = math::score_of_key(static_cast<std::uint32_t>(*key)); }
};

/// Entry i of (rows, k), out of the sorted (rows, columns).
struct BestOf {
  const Key* keys;
  const Value* values;
  Index columns;
  Index k;
  VAECUDA_HD std::int32_t operator()(Index i) const {
    const Index at = i / k * columns + i % k;
    return static_cast<std::uint32_t>(keys[at]) == math::kLastKey ? -1 : values[at];
  }
};

struct NdcgOf {
  NdcgArgs args;
  double undefined;
  VAECUDA_HD double operator()(Index row) const {
    const std::uint8_t* relevant = args.relevant + row * args.columns;
    Index held = 0;
    for (Index column = 0; column < args.columns; ++column) held += relevant[column] != 0 ? 1 : 0;
    if (held == 0) return undefined;
    const std::int32_t* best = args.best + row * args.k;
    double gain = 0.0;
    for (Index j = 0; j < args.k; ++j) {
      if (best[j] >= 0 && relevant[best[j]] != 0) gain += args.discounts[j];
    }
    return gain / args.ideal[held < args.k ? held : args.k];
  }
};

thrust::counting_iterator<Index> from(Index begin) {
  return thrust::counting_iterator<Index>(begin);
}

/// The one sort of this library; equal keys keep their order.
template <typename Policy>
void sort_by_key(const Policy& policy, Key* keys, Value* values, Index count) {
  thrust::stable_sort_by_key(policy, keys, keys + count, values);
}

}  // namespace

ClassRanking ThrustAnalysis::rank_classes(const ClassRankingArgs& args) {
  return with_thrust("a ranking of two classes", stream_, scratch_, [&](const auto& policy) {
    const Index count = args.count;
    const ScratchArray<Key> keys(scratch_, count);
    const ScratchArray<Value> marks(scratch_, count);
    const ScratchArray<Index> found(scratch_, count);
    const ScratchArray<Index> ends(scratch_, count);
    thrust::transform(policy, from(0), from(count), keys.begin(), KeyOf{args.scores, nullptr, count});
    thrust::transform(policy, from(0), from(count), marks.begin(), MarkOf{args.positive});
    sort_by_key(policy, keys.begin(), marks.begin(), count);
    thrust::transform(policy, marks.begin(), marks.begin() + count, found.begin(), Widened{});
    thrust::inclusive_scan(policy, found.begin(), found.begin() + count, found.begin());
    const auto is_end = EndsGroup{keys.begin(), count};
    const Index groups = thrust::copy_if(policy, from(0), from(count), ends.begin(), is_end) - ends.begin();
    const Groups group_of{ends.begin(), found.begin()};
    ClassRanking result;
    result.twice_pairs = thrust::transform_reduce(policy, from(0), from(groups), PairsOf{group_of}, Index{0},
                                                  thrust::plus<Index>());
    const ScratchArray<Index> kept(scratch_, groups);
    const Index* last = thrust::copy_if(policy, from(0), from(groups), kept.begin(), HasPositive{group_of});
    result.terms = last - kept.begin();
    thrust::transform(policy, kept.begin(), kept.begin() + result.terms, args.precision_terms,
                      TermOf{group_of});
    return result;
  });
}

void ThrustAnalysis::at_rank(const float* scores, std::int64_t count, std::int64_t rank, float* score) {
  with_thrust("a quantile", stream_, scratch_, [&](const auto& policy) {
    const ScratchArray<Key> keys(scratch_, count);
    const ScratchArray<Value> values(scratch_, count);
    thrust::transform(policy, from(0), from(count), keys.begin(), KeyOf{scores, nullptr, count});
    thrust::transform(policy, from(0), from(count), values.begin(), ColumnOf{count});
    sort_by_key(policy, keys.begin(), values.begin(), count);
    thrust::for_each(policy, from(0), from(1), WriteScore{keys.begin() + (count - 1 - rank), score});
  });
}

void ThrustAnalysis::top_k(const TopKArgs& args) {
  with_thrust("the best of rows", stream_, scratch_, [&](const auto& policy) {
    const Index count = args.rows * args.columns;
    const ScratchArray<Key> keys(scratch_, count);
    const ScratchArray<Value> values(scratch_, count);
    thrust::transform(policy, from(0), from(count), keys.begin(),
                      KeyOf{args.scores, args.excluded, args.columns});
    thrust::transform(policy, from(0), from(count), values.begin(), ColumnOf{args.columns});
    sort_by_key(policy, keys.begin(), values.begin(), count);
    thrust::transform(policy, from(0), from(args.rows * args.k), args.best,
                      BestOf{keys.begin(), values.begin(), args.columns, args.k});
  });
}

void ThrustAnalysis::ndcg(const NdcgArgs& args) {
  with_thrust("NDCG", stream_, scratch_, [&](const auto& policy) {
    thrust::transform(policy, from(0), from(args.rows), args.ndcg,
                      NdcgOf{args, std::numeric_limits<double>::quiet_NaN()});
  });
}

}  // namespace vaecuda::kernels
