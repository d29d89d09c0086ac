// Writing the page of a run from its folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/data/prepare.hpp"
#include "vaecuda/report.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda {

/// Results of the run that has just ended, which need not be read or computed again.
struct RunResults {
  const PreparedData& data;
  std::optional<LossTerms> valid;
  std::optional<LossTerms> test;
  std::vector<std::string> warnings;
};

/// As the public write_report; `results` null: the rows are read again.
std::string write_report(const std::filesystem::path& run_dir, const ReportOptions& options,
                         const RunResults* results);

}  // namespace vaecuda
