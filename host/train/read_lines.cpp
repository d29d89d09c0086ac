#include "host/train/read_lines.hpp"

#include <fmt/format.h>

namespace vaecuda {
namespace {

std::string preparation_text(const Preparation& preparation) {
  std::string text;
  if (preparation.scale != 1.0f) {
    const float divisor = 1.0f / preparation.scale;
    text += fmt::format(", divided by {:.6g}", divisor);
  }
  if (!preparation.mean.empty()) text += ", standardized";
  return text;
}

}  // namespace

void say_what_was_read(const PreparedData& data, const std::function<void(const std::string&)>& say) {
  const auto say_warnings = [&say](const ReadNotes& notes) {
    for (const std::string& warning : notes.warnings) say("warning: " + warning);
  };
  const ReadNotes train = data.train.notes();
  say(train.description + preparation_text(data.preparation));
  say_warnings(train);
  for (const std::optional<Dataset>* held : {&data.valid, &data.test}) {
    if (!*held || (*held)->name() == data.train.name()) continue;
    const ReadNotes notes = (*held)->notes();
    say(fmt::format("{}: {}", held == &data.valid ? "validation" : "test", notes.description));
    say_warnings(notes);
  }
}

}  // namespace vaecuda
