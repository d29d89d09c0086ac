#include "host/run_report/report_writer.hpp"

#include <fmt/format.h>

#include <array>

#include "host/inference/pass.hpp"
#include "host/io/atomic_file.hpp"
#include "host/run_report/page.hpp"
#include "host/train/diagnosis.hpp"
#include "host/train/evaluator.hpp"
#include "host/train/memory_rows.hpp"
#include "host/train/run_files.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {
namespace {

/// The loss of held-out rows under the best model, as the end of training has it.
LossTerms loss_of(const Dataset& data, const RunRecord& run, const Vae& vae) {
  RunConfig config = run.config;
  config.model = vae.info().model;
  return Evaluator(on_device(vae), config, data).evaluate();
}

/// The page must not take the place of what the run has written or read.
void require_kept(const std::filesystem::path& run_dir, const RunConfig& config, const std::string& page) {
  const std::array outputs = {NamedFile{"--out", page}};
  require_no_file_of_run(run_dir, outputs);
  const DataConfig& data = config.data;
  std::vector<NamedFile> files;
  for (const std::string& path : {data.train.path, data.test_path, data.valid_path}) {
    files.push_back({"the run's rows", path});
  }
  files.push_back({"the run's labels", data.train.labels_path});
  files.push_back({"--init-from", config.train.init_from});
  // Names of rows that no file holds ("shapes") are files of nobody.
  std::erase_if(files, [](const NamedFile& file) { return !std::filesystem::exists(file.path); });
  require_separate_files(outputs, files);
}

/// The rows of the run, if they can still be had; else says why not.
std::optional<PreparedData> read_rows(const RunConfig& config, const ModelInfo& model, std::string& why_not) {
  if (config.data.train.path == kMemory) {
    why_not = "The rows of this run were given in memory, so that they cannot be read again.";
    return std::nullopt;
  }
  try {
    return prepare_data(config,
                        {.owner = "the model",
                         .columns = model.model.input_dim,
                         .names = model.column_names,
                         .scale = model.scale,
                         .label_vector_size = model.condition_names.empty() ? model.model.condition_dim : 0,
                         .label_vector_names = model.label_vector_names,
                         .sizes = model.trained_on,
                         .scale_by_type = false});
  } catch (const FileError& error) {
    why_not = fmt::format("The rows of this run cannot be read any more: {}.", error.what());
  } catch (const ConfigError& error) {
    why_not = fmt::format("The rows are no longer those of this run: {}.", error.what());
  }
  return std::nullopt;
}

void look_at_rows(PageContent& content, const Vae& vae, const PreparedData& data) {
  const Dataset& shown = data.test ? *data.test : data.valid ? *data.valid : data.train;
  if (shown.columns() != vae.info().model.input_dim) {
    content.no_latents =
        fmt::format("The rows are no longer those of this run: they have {} columns, the model {}.",
                    shown.columns(), vae.info().model.input_dim);
    return;
  }
  content.rows_name = data.test ? "test rows" : data.valid ? "validation rows" : "training rows";
  try {
    content.latents = view_latents(vae, shown);
  } catch (const FileError& error) {
    content.no_latents = fmt::format("The model cannot take the rows: {}.", error.what());
  }
}

/// As the end of training had them; none of a run that has not come to it.
std::vector<std::string> warnings_of(const RunRecord& run, const Vae& vae, const PreparedData& data,
                                     const PageContent& content) {
  const std::optional<LossTerms> train = last_epoch(run);
  if (!train) return {};
  RunConfig config = run.config;
  config.model = vae.info().model;
  return diagnose(config, data, {run.lines.back().step, *train, content.valid, content.test});
}

}  // namespace

std::string write_report(const std::filesystem::path& run_dir, const ReportOptions& options,
                         const RunResults* results) {
  const RunRecord run = read_run(run_dir);
  require_kept(run_dir, run.config, options.path);
  PageContent content{.run = run};
  if (const RecordLine* best = best_line(run)) content.valid = best->valid;
  const std::filesystem::path model = run_dir / "model.safetensors";
  std::optional<Vae> vae;
  try {
    vae.emplace(Vae::load(model.string(), options.on));
    content.model = &vae->info();
  } catch (const FileError& error) {
    content.no_model = fmt::format("There is no model to show: {}.", error.what());
    content.no_latents = content.no_model;
    content.no_test = content.no_model;
  }
  if (vae) {
    std::optional<PreparedData> read;
    if (results == nullptr) read = read_rows(run.config, vae->info(), content.no_latents);
    const PreparedData* data = results != nullptr ? &results->data : read ? &*read : nullptr;
    if (data != nullptr) look_at_rows(content, *vae, *data);
    if (results != nullptr) {
      content.valid = results->valid;
      content.test = results->test;
    } else if (data != nullptr && content.latents) {
      if (!content.valid && data->valid) content.valid = loss_of(*data->valid, run, *vae);
      if (data->test) content.test = loss_of(*data->test, run, *vae);
    }
    if (results != nullptr) {
      content.warnings = results->warnings;
    } else if (data != nullptr && content.latents) {
      content.warnings = warnings_of(run, *vae, *data, content);
    }
    if (!content.test) {
      content.no_test =
          data == nullptr || !content.latents ? content.no_latents : "No rows were held out for a test.";
    }
  }
  const std::filesystem::path page =
      options.path.empty() ? run_dir / "report.html" : std::filesystem::path(options.path);
  write_file_atomically(page, render_page(content));
  return page.string();
}

std::string write_report(const std::string& run_dir, const ReportOptions& options) {
  return write_report(std::filesystem::path(run_dir), options, nullptr);
}

}  // namespace vaecuda
