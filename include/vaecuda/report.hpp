// A run as one page that a browser shows without a network.
#pragma once

#include <string>

#include "vaecuda/error.hpp"
#include "vaecuda/export.h"
#include "vaecuda/vae.hpp"

namespace vaecuda {

struct ReportOptions {
  std::string path;  ///< of the page; empty: report.html in the run's folder
  RunOn on;          ///< where the model runs that draws latents and interpolations
};

/// Writes the page of the run in `run_dir` from what the folder holds (config.toml, metrics.jsonl,
/// model.safetensors, pictures) and from the rows that config.toml names. What is missing is told in a
/// sentence in its place: of a run without metrics, model, pictures or readable rows the rest is shown. The
/// same folder and rows give the same bytes. Gives the page's path. \throws FileError if the folder holds no
/// run or its config.toml cannot be read, RuntimeError if the page cannot be written, DeviceError,
/// OutOfMemoryError
VAECUDA_API std::string write_report(const std::string& run_dir, const ReportOptions& options = {});

}  // namespace vaecuda
