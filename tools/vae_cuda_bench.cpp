// Measures training, inference and the device.
#include <string>
#include <vector>

#include "bench/commands.hpp"
#include "bench/identity.hpp"
#include "bench/options.hpp"
#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"

namespace vaecuda::bench {
namespace {

Report measure_all(const BenchOptions& options, cli::Console& console) {
  const DeviceChoice choice = choose_device(options.train.device, static_cast<int>(options.train.threads));
  if (!choice.note.empty()) console.message(choice.note);
  if (options.train.autotune && choice.device.kind == DeviceKind::cpu) {
    console.message("--autotune has no effect on the CPU");
  }
  Report report;
  report.command = name_of(options.command);
  report.device = identity_of(choice.device);
  report.build = identity_of_build();
  switch (options.command) {
    case Command::step:
      run_step(options, choice.device, console, report);
      break;
    case Command::ops:
      run_ops(options, choice.device, console, report);
      break;
    case Command::infer:
      run_infer(options, choice.device, console, report);
      break;
    case Command::machine:
      run_machine(options, choice.device, console, report);
      break;
  }
  return report;
}

int run_bench(int argc, const char* const* argv) {
  const std::vector<std::string> words = cli::normalized_words(argc, argv);
  if (const auto answer = bench_command_line().answer(words)) {
    cli::write_output(*answer);
    return cli::kExitOk;
  }
  const BenchOptions options = parse_options(words);
  cli::Console console(options.quiet);
  const Report report = options.list ? list_report() : measure_all(options, console);
  console.finish_status();
  cli::write_output(to_text(report, options.format));
  return cli::kExitOk;
}

}  // namespace
}  // namespace vaecuda::bench

int main(int argc, char** argv) {
  return vaecuda::cli::run_program([argc, argv] { return vaecuda::bench::run_bench(argc, argv); });
}
