// Trains a VAE from files on disk.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/run_options.hpp"
#include "cli/stop_signal.hpp"
#include "cli/summary_json.hpp"
#include "vaecuda/vaecuda.hpp"

namespace vaecuda::cli {
namespace {

constexpr std::string_view kSummary =
    "Trains a variational autoencoder with MLP encoder and decoder.\n"
    "Example: vae_cuda_train --data shapes --latent-dim 10 --epochs 20 --out runs/shapes";
constexpr std::string_view kFooter =
    "The default of an option stands in brackets. A --config file holds the same options under [data], "
    "[model],\n"
    "[objective], [optimizer], [train] and [output]; every run writes one, config.toml, that repeats it.\n"
    "\n"
    "Exit codes: 0 done, 1 runtime error, 2 wrong options, 3 bad input file, 4 out of memory,\n"
    "5 no usable device, 6 training diverged, 75 stopped by a signal after saving.";

/// The presets, and other text after the options.
std::string_view footer() {
  static const std::string kText = [] {
    std::string text = "Presets:\n";
    for (const Preset& preset : presets()) text += fmt::format("  {:<18}{}\n", preset.name, preset.summary);
    return text + "\n" + std::string(kFooter);
  }();
  return kText;
}

CommandLine train_command_line() {
  return {
      "vae_cuda_train",
      kSummary,
      footer(),
      {{"--preset", "NAME",
        "begin with a recipe of the list below; --config and the command line come after it"},
       {"--config", "FILE", "read options from a TOML file; those of the command line come after it"},
       {"--resume", "DIR",
        "go on with the run in this folder from its last checkpoint; everything comes from the run, and what "
        "would change its result is refused"},
       {"--json", "", "print the run's figures on stdout as one JSON document"},
       {"--quiet", "", "no messages and no progress; errors remain"},
       {"--no-report", "", "leave out report.html, the run as a page for the browser"},
       {"--explain", "", "print the plan of a training step and exit; nothing is trained or written"}}};
}

void print_summary(Console& console, const TrainSummary& summary) {
  console.message(fmt::format("trained {} epochs, {} steps in {} ({:.0f} samples/s on {}){}", summary.epochs,
                              summary.steps, format_duration(summary.seconds), summary.samples_per_second,
                              summary.device, summary.stopped_early ? ", stopped early by --patience" : ""));
  console.message(fmt::format("last epoch  {}", format_loss(summary.train)));
  if (summary.valid) console.message(fmt::format("validation  {}", format_loss(*summary.valid)));
  if (summary.skipped_steps > 0) {
    console.message(
        fmt::format("left out    {} steps whose loss or gradient was not finite", summary.skipped_steps));
  }
  if (summary.restores > 0) {
    console.message(fmt::format("went back   {} times to a checkpoint, with half the learning rate each time",
                                summary.restores));
  }
  if (summary.test) console.message(fmt::format("test        {}", format_loss(*summary.test)));
  console.message(fmt::format("model       {}", summary.model));
}

int explain(RunConfig config, TrainObserver observer, Start start) {
  if (start == Start::fresh) config.output.dir.clear();  // nothing is written, so the folder may hold a run
  const Trainer run(std::move(config), std::move(observer), start);
  write_output(run.explain());
  return kExitOk;
}

/// A page that cannot be written is no error of the run, because the model is saved.
void write_page(const Trainer& run, Console& console) {
  try {
    console.message(fmt::format("report      {}", run.write_report()));
  } catch (const Error& error) {
    console.message(fmt::format("warning: no report.html: {}", error.what()));
  }
}

struct Wishes {
  bool json = false;
  bool report = true;
};

int train(const RunConfig& config, TrainObserver observer, Start start, Console& console,
          const Wishes& wishes) {
  if (config.output.dir.empty()) {
    throw ConfigError(
        "no folder for the run: --out DIR (output.dir) says where model and figures are written");
  }
  observer.progress = ProgressReporter(console);
  std::optional<StopSignal> signals;
  observer.stop_requested = [&signals] { return signals && signals->received() != 0; };
  observer.pass = [&console](const PassProgress& now) { console.progress(now); };
  TrainSummary summary;
  // A closed stdout or stderr does not stop a completed run.
  const auto stopped = [&] {
    const int signal = signals->received();
    return summary.stopped || (signal != 0 && signal != SIGPIPE);
  };
  {
    console.busy("reading the data");
    Trainer run(config, std::move(observer), start);
    signals.emplace();  // before this line there is nothing to save
    console.idle();
    summary = run.run();
    console.idle();
    console.finish_status();
    print_summary(console, summary);
    if (wishes.report && !stopped()) {
      // Everything except the page is saved, so a signal may end the program at once.
      const TidyOnSignal ends(kExitStopped);
      console.busy("report");
      write_page(run, console);
      console.idle();
    }
  }
  if (wishes.json) write_output(dump_line(to_json(summary)));
  if (!stopped()) return kExitOk;
  console.message(
      fmt::format("stopped by a signal after step {}; vae_cuda_train --resume {} goes on from there",
                  summary.steps, std::filesystem::path(summary.model).parent_path().string()));
  return kExitStopped;
}

int run_train(int argc, const char* const* argv) {
  const CommandLine command_line = train_command_line();
  const std::vector<std::string> words = normalized_words(argc, argv);
  if (const auto answer = command_line.answer(words)) {
    write_output(*answer);
    return kExitOk;
  }
  const Arguments arguments = command_line.parse(words);
  const bool json = arguments.flag("--json");
  const bool explains = arguments.flag("--explain");
  if (json && explains)
    throw ConfigError("--json and --explain contradict each other: --explain prints text");
  const Start start = arguments.find("--resume") != nullptr ? Start::resume : Start::fresh;
  const RunConfig config = resolve_config(arguments);
  validate(config);
  Console console(arguments.flag("--quiet"));
  TrainObserver observer;
  observer.message = [&console](const std::string& line) { console.message(line); };
  return explains
             ? explain(config, std::move(observer), start)
             : train(config, std::move(observer), start, console, {json, !arguments.flag("--no-report")});
}

}  // namespace
}  // namespace vaecuda::cli

int main(int argc, char** argv) {
  return vaecuda::cli::run_program([argc, argv] { return vaecuda::cli::run_train(argc, argv); });
}
