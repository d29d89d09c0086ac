// --list: what can be measured.
#include "bench/commands.hpp"

namespace vaecuda::bench {

Report list_report() {
  Report report;
  report.command = "list";
  report.columns = {{"shape", "shape"},       {"input", "input"},      {"hidden", "hidden"},
                    {"latent_dim", "latent"}, {"batch_size", "batch"}, {"samples", "samples"},
                    {"purpose", "for"}};
  for (const CommandInfo& info : commands()) {
    report.more["commands"].push_back({{"name", info.name}, {"purpose", info.purpose}});
  }
  for (const Shape& shape : named_shapes()) {
    Json row = describe(shape);
    row["samples"] = shape.samples;
    row["purpose"] = shape.purpose;
    report.results.push_back(std::move(row));
  }
  return report;
}

}  // namespace vaecuda::bench
