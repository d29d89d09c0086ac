#include "vae_cuda/result.hpp"

#include <fmt/format.h>

#include "cli/summary_json.hpp"
#include "vae_cuda/row_watch.hpp"

namespace vaecuda::tool {

void report(const cli::Arguments& arguments, cli::Console& console, const std::string& line,
            const nlohmann::ordered_json& document) {
  console.idle();
  if (arguments.flag("--json")) {
    cli::write_output(cli::dump_line(document));
  } else {
    console.message(line);
  }
}

void write_result(const cli::Arguments& arguments, cli::Console& console, const ModelInfo& model,
                  std::span<const float> rows, std::int64_t cells_across, nlohmann::ordered_json document) {
  const std::string& path = required(arguments, "--out");
  const std::int64_t columns = model.model.input_dim;
  const std::int64_t count = static_cast<std::int64_t>(rows.size()) / columns;
  if (kind_of(path) == OutputKind::sheet) {
    const std::optional<ImageShape> shape = shape_for(arguments, model);
    write_sheet(path, rows, columns, shape, sheet_for(model, shape, rows, cells_across));
  } else {
    RowWriter writer(path, columns, RowType::f32, model.column_names);
    writer.append(rows);
    writer.commit();
  }
  OverflowWatch watch(columns);
  watch.add(rows);
  const std::vector<std::string> warnings = watch.decoded_warnings(path);
  print_warnings(console, warnings);
  document["rows"] = count;
  document["columns"] = columns;
  document["out"] = path;
  document["warnings"] = warnings;
  report(arguments, console, fmt::format("{}: {} rows of {} values", path, count, columns), document);
}

std::vector<std::string> latent_names(const ModelInfo& model, std::string_view prefix) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < model.model.latent_dim; ++i) names.push_back(fmt::format("{}{}", prefix, i));
  return names;
}

}  // namespace vaecuda::tool
