// The page of a run, from the data collected about it.
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
  const ModelInfo* model = nullptr;  ///< null: no model
  std::string no_model = {};         ///< why
  std::string rows_name = {};        ///< rows that the latents belong to: "test rows"
  std::optional<LatentView> latents = {};
  std::string no_latents = {};          ///< why
  std::optional<LossTerms> valid = {};  ///< of the best model
  std::optional<LossTerms> test = {};
  std::string no_test = {};                ///< why
  std::vector<std::string> warnings = {};  ///< warnings at the run's end
};

/// Well-formed as XML too, without external references.
[[nodiscard]] std::string render_page(const PageContent& content);

}  // namespace vaecuda
