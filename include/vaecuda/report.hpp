// The report of a run: one HTML page that a browser shows without a network connection.
#pragma once

#include <string>

#include "vaecuda/error.hpp"
#include "vaecuda/export.h"
#include "vaecuda/vae.hpp"

namespace vaecuda {

struct ReportOptions {
  std::string path;  ///< of the page; empty: report.html in the run's folder
  RunOn on;          ///< where the model runs, for the plots of latents and the interpolations
};

/// Writes the report of the run in `run_dir` from its folder (config.toml, metrics.jsonl, model.safetensors,
/// pictures) and the rows that config.toml names. If metrics, model, pictures or rows are missing or
/// unreadable, a sentence in their place says so, and the rest is shown. The same folder and rows give the
/// same bytes. Returns the path of the page. \throws FileError if the folder holds no run or its config.toml
/// cannot be read, RuntimeError if the page cannot be written, DeviceError, OutOfMemoryError
VAECUDA_API std::string write_report(const std::string& run_dir, const ReportOptions& options = {});

}  // namespace vaecuda
