// The parts of the page on training.
#pragma once

#include <string>

#include "host/run_report/page.hpp"

namespace vaecuda {

/// A sentence instead of a missing part.
[[nodiscard]] std::string note(const std::string& sentence);
/// A chart or picture with a heading and a caption; `keys`: a legend, or empty. `large`: as wide as the page.
[[nodiscard]] std::string figure(const std::string& heading, const std::string& keys, const std::string& body,
                                 const std::string& caption, bool large = false);

/// KL of each latent over the epochs, and number of active latents; empty if no evaluation has them. Parts
/// without a card of their own become sentences in `notes`.
[[nodiscard]] std::string latent_history(const RunRecord& run, std::string& notes);

[[nodiscard]] std::string figures_section(const PageContent& content);
[[nodiscard]] std::string curves_section(const PageContent& content);
[[nodiscard]] std::string latents_section(const PageContent& content);
[[nodiscard]] std::string pictures_section(const PageContent& content);
[[nodiscard]] std::string settings_section(const PageContent& content);

}  // namespace vaecuda
