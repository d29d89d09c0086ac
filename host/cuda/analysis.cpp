#include "host/cuda/analysis.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>

namespace vaecuda::cuda {
namespace {

class BufferScratch final : public kernels::Scratch {
 public:
  BufferScratch(Context& context, const char* what) : context_(context), what_(what) {}
  [[nodiscard]] void* take(std::int64_t bytes) override {
    // Even of no bytes: null would be the same for two of them.
    DeviceBuffer buffer = DeviceBuffer::of<std::uint8_t>(context_, std::max<std::int64_t>(bytes, 1), what_);
    void* memory = buffer.as<void>();
    buffers_.emplace(memory, std::move(buffer));
    return memory;
  }
  void give_back(void* memory) noexcept override { buffers_.erase(memory); }

 private:
  Context& context_;
  const char* what_;
  std::map<void*, DeviceBuffer> buffers_;
};

/// Calls `use` with the runtime's analysis. `what`: the work is for, in messages of a lack of memory.
template <typename Use>
auto with_analysis(Context& context, const char* what, const Use& use) {
  return with_errors(*context.runtime, [&] {
    BufferScratch scratch(context, what);
    const std::unique_ptr<kernels::Analysis> analysis = context.runtime->make_analysis(scratch);
    return use(*analysis);
  });
}

template <typename T>
DeviceBuffer uploaded(Context& context, std::span<const T> values, const char* what) {
  DeviceBuffer buffer = DeviceBuffer::of<T>(context, static_cast<std::int64_t>(values.size()), what);
  if (!values.empty()) context.runtime->copy_to_device(buffer.as<void>(), values.data(), buffer.bytes());
  return buffer;
}

template <typename T>
std::vector<T> downloaded(Context& context, const DeviceBuffer& buffer, std::int64_t count) {
  std::vector<T> values(static_cast<std::size_t>(count));
  const auto bytes = count * static_cast<std::int64_t>(sizeof(T));
  if (count > 0) context.runtime->copy_to_host(values.data(), buffer.as<void>(), bytes);
  return values;
}

constexpr const char* kRanking = "a ranking by score";
constexpr const char* kValues = "statistics of the data set";

}  // namespace

ClassSeparation CudaRankings::separate(std::span<const float> scores,
                                       std::span<const std::uint8_t> positive) {
  return with_analysis(context_, kRanking, [&](kernels::Analysis& analysis) {
    const auto count = static_cast<std::int64_t>(scores.size());
    const std::int64_t negatives = std::count(positive.begin(), positive.end(), std::uint8_t{0});
    const std::int64_t positives = count - negatives;
    const DeviceBuffer of_scores = uploaded(context_, scores, kRanking);
    const DeviceBuffer marks = uploaded(context_, positive, kRanking);
    const DeviceBuffer terms = DeviceBuffer::of<double>(context_, positives, kRanking);
    const kernels::ClassRanking ranking = analysis.rank_classes({.scores = of_scores.as<float>(),
                                                                 .positive = marks.as<std::uint8_t>(),
                                                                 .count = count,
                                                                 .precision_terms = terms.as<double>()});
    // In the order of the host's own sum, which is what makes the bits the same.
    double precision = 0.0;
    for (const double term : downloaded<double>(context_, terms, ranking.terms)) precision += term;
    return ClassSeparation::of(ranking.twice_pairs, precision, positives, negatives);
  });
}

float CudaRankings::at_rank(std::span<const float> scores, std::int64_t rank) {
  return with_analysis(context_, kRanking, [&](kernels::Analysis& analysis) {
    const DeviceBuffer of_scores = uploaded(context_, scores, kRanking);
    const DeviceBuffer score = DeviceBuffer::of<float>(context_, 1, kRanking);
    analysis.at_rank(of_scores.as<float>(), static_cast<std::int64_t>(scores.size()), rank,
                     score.as<float>());
    return downloaded<float>(context_, score, 1).front();
  });
}

std::vector<std::int32_t> CudaRankings::top_k(const ItemScores& items, std::int64_t k) {
  const std::int64_t rows = static_cast<std::int64_t>(items.scores.size()) / items.columns;
  if (rows == 0) return {};
  return with_analysis(context_, kRanking, [&](kernels::Analysis& analysis) {
    const DeviceBuffer scores = uploaded(context_, items.scores, kRanking);
    const DeviceBuffer excluded = uploaded(context_, items.excluded, kRanking);
    const DeviceBuffer best = DeviceBuffer::of<std::int32_t>(context_, rows * k, kRanking);
    analysis.top_k({.scores = scores.as<float>(),
                    .excluded = excluded.as<std::uint8_t>(),
                    .rows = rows,
                    .columns = items.columns,
                    .k = k,
                    .best = best.as<std::int32_t>()});
    return downloaded<std::int32_t>(context_, best, rows * k);
  });
}

std::vector<double> CudaRankings::ndcg(const RankedItems& items) {
  const std::int64_t rows = static_cast<std::int64_t>(items.relevant.size()) / items.columns;
  if (rows == 0) return {};
  return with_analysis(context_, kRanking, [&](kernels::Analysis& analysis) {
    const RankDiscounts of_ranks(items.k);
    const DeviceBuffer best = uploaded(context_, items.best, kRanking);
    const DeviceBuffer relevant = uploaded(context_, items.relevant, kRanking);
    const DeviceBuffer discounts = uploaded(context_, std::span<const double>(of_ranks.each), kRanking);
    const DeviceBuffer ideal = uploaded(context_, std::span<const double>(of_ranks.ideal), kRanking);
    const DeviceBuffer result = DeviceBuffer::of<double>(context_, rows, kRanking);
    analysis.ndcg({.best = best.as<std::int32_t>(),
                   .relevant = relevant.as<std::uint8_t>(),
                   .rows = rows,
                   .columns = items.columns,
                   .k = items.k,
                   .discounts = discounts.as<double>(),
                   .ideal = ideal.as<double>(),
                   .ndcg = result.as<double>()});
    return downloaded<double>(context_, result, rows);
  });
}

math::ValueTotals CudaValues::totals() const {
  return with_analysis(context_, kValues,
                       [&](kernels::Analysis& analysis) { return analysis.totals(matrix_); });
}

std::optional<std::int64_t> CudaValues::first_outside(float scale, float least, float most) const {
  const std::int64_t found = with_analysis(context_, kValues, [&](kernels::Analysis& analysis) {
    return analysis.first_outside(matrix_, scale, least, most);
  });
  if (found == matrix_.rows * matrix_.columns) return std::nullopt;
  return found;
}

std::vector<math::ColumnMoments> CudaValues::columns(float scale) const {
  return with_analysis(context_, kValues, [&](kernels::Analysis& analysis) {
    const DeviceBuffer moments = DeviceBuffer::of<math::ColumnMoments>(context_, matrix_.columns, kValues);
    analysis.columns(matrix_, scale, moments.as<math::ColumnMoments>());
    return downloaded<math::ColumnMoments>(context_, moments, matrix_.columns);
  });
}

}  // namespace vaecuda::cuda
