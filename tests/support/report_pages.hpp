// Pages of runs, and what every page must be.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "vaecuda/config.hpp"
#include "vaecuda/trainer.hpp"

namespace vaecuda::test {

[[nodiscard]] std::size_t count_of(const std::string& text, std::string_view part);

/// Well-formed as XML; every picture has words for who does not see it, and nothing comes from elsewhere.
void check_page(const std::string& page);

/// Three epochs on 320 pictures of 16 x 16, with rows held out for validation and test.
[[nodiscard]] RunConfig report_run(const std::filesystem::path& dir);
/// The page of the run in `dir`, by the public function.
[[nodiscard]] std::string report_of(const std::filesystem::path& dir);
/// The page of a run of this configuration, written by training, and checked to be the same from the folder
/// alone.
std::string page_of(const RunConfig& config, TrainSummary* summary = nullptr);

}  // namespace vaecuda::test
