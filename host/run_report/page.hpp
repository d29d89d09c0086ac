// The page of a run, from what is known about it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/run_report/latent_view.hpp"
#include "host/run_report/run_record.hpp"
#include "vaecuda/trainer.hpp"
#include "vaecuda/vae.hpp"

namespace vaecuda {

struct PageContent {
  const RunRecord& run;
  const ModelInfo* model = nullptr;  ///< null: there is none
  std::string no_model;              ///< why
  std::string rows_name;             ///< which rows the latents are of: "test rows"
  std::optional<LatentView> latents;
  std::string no_latents;          ///< why
  std::optional<LossTerms> valid;  ///< of the best model
  std::optional<LossTerms> test;
  std::string no_test;                     ///< why
  std::vector<std::string> warnings = {};  ///< what the run's end shows to be wrong with it
};

/// Well-formed as XML too, without references to anything outside.
[[nodiscard]] std::string render_page(const PageContent& content);

}  // namespace vaecuda
