#include "host/data/format.hpp"

#include <algorithm>
#include <array>

#include "host/data/cifar.hpp"
#include "host/data/csv_format.hpp"
#include "host/data/foreign.hpp"
#include "host/data/idx.hpp"
#include "host/data/matrix_market.hpp"
#include "host/data/message.hpp"
#include "host/data/npy.hpp"
#include "host/data/scipy_npz.hpp"
#include "host/data/svmlight.hpp"

namespace vaecuda::data {
namespace {

// Of two that could take a file for theirs the first does, but for those that yield to foreign formats: these
// are asked last. The last one here is told by its file's name.
constexpr std::array kFormats = {&kIdxFormat,      &kNpyFormat, &kScipyFormat, &kMatrixMarketFormat,
                                 &kSvmlightFormat, &kCsvFormat, &kCifarFormat};

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", byte);
  return text;
}

const Format* find_format(const ByteSource& source, std::span<const std::uint8_t> head, bool yields) {
  for (const Format* format : kFormats) {
    if (format->yields_to_foreign == yields && format->is_it(source, head)) return format;
  }
  return nullptr;
}

/// What a file may be, for messages.
std::string expected_formats() {
  const auto shown = [](const Format& format) {
    return fmt::format("{}{}{}", format.name, format.told_by.empty() ? "" : " ", format.told_by);
  };
  std::string text;
  for (std::size_t i = 0; i + 1 < kFormats.size(); ++i) text += shown(*kFormats[i]) + ", ";
  return text + "each but an archive also compressed by gzip, or " + shown(*kFormats.back());
}

}  // namespace

std::span<const Format* const> formats() {
  return kFormats;
}

std::string names_of_formats(std::string_view Format::*name) {
  std::vector<std::string_view> names;
  for (const Format* format : kFormats) {
    if (!(format->*name).empty()) names.push_back(format->*name);
  }
  if (names.size() < 2) return fmt::format("{}", fmt::join(names, ""));
  const std::string_view last = names.back();
  names.pop_back();
  return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

const Format& detect_format(ByteSource& source) {
  const std::span<const std::uint8_t> head = source.peek(kForeignHeadBytes);
  if (const Format* format = find_format(source, head, false)) return *format;
  const std::string foreign = foreign_format(source, head);
  if (!foreign.empty()) fail(source.path(), "is {}", foreign);
  if (const Format* format = find_format(source, head, true)) return *format;
  fail(source.path(), "is of no known format: it begins with the bytes {}. Expected {}",
       hex(head.first(std::min<std::size_t>(head.size(), 8))), expected_formats());
}

}  // namespace vaecuda::data
