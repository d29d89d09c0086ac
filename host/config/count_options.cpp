#include "host/config/count_options.hpp"

#include "host/config/enumerators.hpp"
#include "host/config/fields.hpp"
#include "host/config/scopes.hpp"

namespace vaecuda::config {
namespace {

constexpr auto kDispersions = enumerator_texts<Dispersion>();
constexpr auto kLibrarySizes = enumerator_texts<LibrarySize>();
constexpr auto kRates = enumerator_texts<Rate>();
constexpr auto kInputTransforms = enumerator_texts<InputTransform>();
constexpr auto kModel = &RunConfig::model;

}  // namespace

void append_count_options(std::vector<Option>& table, std::string_view group) {
  table.push_back(
      only(needs_dispersion,
           of_start_model(in_model(choice_option<kDispersions, kModel, &ModelConfig::dispersion>(
               {"model.dispersion", "--dispersion", "", group,
                "theta of a negative binomial: one parameter, one for each column, or the decoder's for "
                "every entry"})))));
  table.push_back(
      only(needs_rate,
           of_start_model(in_model(choice_option<kRates, kModel, &ModelConfig::rate>(
               {"model.rate", "--rate", "", group,
                "how rates of counts follow from the decoder: shares of the row, or each by itself"})))));
  table.push_back(
      only(needs_rate, of_start_model(in_model(choice_option<kLibrarySizes, kModel, &ModelConfig::library>(
                           {"model.library", "--library", "", group,
                            "what a row's rates are multiplied by: the sum of its counts, or one"})))));
  table.push_back(
      only(needs_counts,
           of_start_model(in_model(choice_option<kInputTransforms, kModel, &ModelConfig::input_transform>(
               {"model.input_transform", "--input-transform", "", group,
                "what the encoder reads of counts: log(1+x), the row divided by its norm, or 1 where x > 0; "
                "the likelihood sees the counts themselves"})))));
}

}  // namespace vaecuda::config
