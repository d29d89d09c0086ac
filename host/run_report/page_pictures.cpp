// The sheets of pictures, with labels for their rows and columns.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/report/image_sheet.hpp"
#include "host/report/markup.hpp"
#include "host/report/png.hpp"
#include "host/run_report/page_parts.hpp"
#include "vaecuda/latent.hpp"

namespace vaecuda {
namespace {

/// Labels along the two sides of a sheet; empty: none.
struct SheetNames {
  std::vector<std::string> across;
  std::vector<std::string> down;
};

struct Sheet {
  std::string heading;
  std::string words;  ///< caption, also the alternative text
  SheetNames names;
};

std::span<const std::uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Width or height of a PNG file: a big-endian number in its first chunk.
std::uint32_t side_of(std::span<const std::uint8_t> png, std::size_t at) {
  std::uint32_t side = 0;
  for (std::size_t i = 0; i < 4; ++i) side = side << 8U | png[at + i];
  return side;
}
constexpr std::size_t kWidthAt = 16;
constexpr std::size_t kHeightAt = 20;
bool is_broken(std::span<const std::uint8_t> png) {
  return png.size() < kHeightAt + 4;
}

std::string spans(const std::string& side, const std::vector<std::string>& names) {
  std::string text = fmt::format("<div class=\"{}\" aria-hidden=\"true\">", side);
  for (const std::string& name : names) text += "<span>" + escape_markup(name) + "</span>";
  return text + "</div>\n";
}

std::string sheet_figure(const Sheet& sheet, std::span<const std::uint8_t> png) {
  constexpr std::size_t kMostBytes = std::size_t{4} << 20U;
  if (is_broken(png)) return figure(sheet.heading, "", note("The picture's file is broken."), "");
  if (png.size() > kMostBytes) {
    return figure(
        sheet.heading, "",
        note("The picture is too large for this page; it is a file of its own in the run's folder."), "");
  }
  std::string body =
      fmt::format("<img alt=\"{}\" width=\"{}\" height=\"{}\" src=\"{}\"/>", escape_markup(sheet.words),
                  side_of(png, kWidthAt), side_of(png, kHeightAt), png_address(png));
  body = "<div class=\"sheet\">\n" + spans("across", sheet.names.across) + spans("down", sheet.names.down) +
         body + "</div>";
  constexpr std::uint32_t kWide = 700;  // pixels: legible at half this width on a phone
  const bool large = side_of(png, kWidthAt) > kWide;
  if (large) {  // on a phone it scrolls horizontally, because the whole would be illegible
    body = fmt::format("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">{}</div>",
                       escape_markup(sheet.heading), body);
  }
  return figure(sheet.heading, "", body, sheet.words, large);
}

/// The picture shape of a row: that of the model, or unknown without a model.
std::optional<ImageShape> shape_of_rows(const PageContent& content) {
  return content.model != nullptr ? content.model->image : std::nullopt;
}

/// Numbers of cells along both sides of the sheet in this file; none if unknown.
std::optional<SheetCells> cells_of_file(const PageContent& content, std::span<const std::uint8_t> png,
                                        std::int64_t stacked) {
  if (content.model == nullptr || is_broken(png)) return std::nullopt;
  constexpr std::int64_t kMost =
      1024;  // per side: more than training draws, because the file may claim any size
  const std::optional<SheetCells> cells =
      cells_of(side_of(png, kWidthAt), side_of(png, kHeightAt), shape_of_rows(content), stacked);
  return cells && std::max(cells->across, cells->down) <= kMost ? cells : std::nullopt;
}

/// Cells counted from 0, left to right and top to bottom: the numbers at the left and above add up.
SheetNames counted(const std::optional<SheetCells>& cells) {
  SheetNames names;
  if (!cells) return names;
  for (std::int64_t i = 0; i < cells->across; ++i) names.across.push_back(fmt::format("+{}", i));
  for (std::int64_t i = 0; i < cells->down; ++i) names.down.push_back(fmt::format("{}", i * cells->across));
  return names;
}

Sheet reconstructions_sheet(const PageContent& content, std::span<const std::uint8_t> png) {
  const SheetNames names = counted(cells_of_file(content, png, 2));
  std::string words = "Each row above its reconstruction, the decoded posterior mean.";
  if (!names.down.empty()) {
    words += fmt::format(" The number of a row{} is that on the left plus that above.",
                         content.rows_name.empty() ? "" : " among the " + content.rows_name);
  }
  return {"Reconstructions", words, names};
}

Sheet samples_sheet(const PageContent& content, std::span<const std::uint8_t> png) {
  const std::optional<SheetCells> cells = cells_of_file(content, png, 1);
  SheetNames names = counted(cells);
  if (!content.run.config.model.conditional) {
    return {"Samples",
            names.down.empty() ? "Means of p(x|z) for z drawn from the prior."
                               : "Means of p(x|z) for z drawn from the prior. The number of a sample is that "
                                 "on the left plus that above.",
            names};
  }
  for (std::size_t i = 0; i < names.across.size(); ++i) names.across[i] = fmt::format("{}", i);
  for (std::size_t i = 0; i < names.down.size(); ++i) {
    const auto& classes = content.model->condition_names;
    names.down[i] = i < classes.size() ? classes[i] : fmt::format("vector of row {}", i);
  }
  return {"Samples", "Means of p(x|z) for z drawn from the prior, a line for each class.", names};
}

Sheet ways_sheet(const LatentView& view) {
  SheetNames names;
  for (std::int64_t i = 0; i < view.way_steps; ++i) {
    names.across.push_back(fmt::format(
        "{:.0f} %",
        100.0 * static_cast<double>(i) / static_cast<double>(std::max<std::int64_t>(1, view.way_steps - 1))));
  }
  names.down = view.way_names;
  return {
      "Interpolations",
      "Each line leads from the posterior mean of one row, left, to that of another, right, in equal steps.",
      names};
}

Sheet plane_sheet(const PageContent& content, std::span<const std::uint8_t> png) {
  SheetNames names;
  const std::optional<SheetCells> cells = cells_of_file(content, png, 1);
  if (cells && cells->across == cells->down) {
    const std::int64_t side = cells->across;
    const std::vector<float> z = latent_grid(side, 2, 0, 1);
    const auto value = [&](std::int64_t cell, std::size_t latent) {
      return fmt::format("{:.2f}", z[2 * static_cast<std::size_t>(cell) + latent]);
    };
    for (std::int64_t i = 0; i < side; ++i) {
      names.across.push_back(value(i, 0));
      names.down.push_back(value(i * side, 1));
    }
  }
  return {"Latent plane",
          "Means of p(x|z) over a grid of the prior's quantiles in both latents: latent 0 to the right, "
          "latent 1 upwards.",
          names};
}

}  // namespace

std::string pictures_section(const PageContent& content) {
  std::string text =
      "<section class=\"pictures\">\n<h2>What the model draws</h2>\n<div class=\"charts two\">\n";
  std::string notes;
  const auto add = [&](const std::string& name, const auto& sheet_of, const std::string& missing) {
    const auto found = content.run.pictures.find(name);
    if (found != content.run.pictures.end()) {
      const auto png = as_bytes(found->second);
      text += sheet_figure(sheet_of(content, png), png);
    } else if (!missing.empty()) {
      notes += note(missing);
    }
  };
  const std::string unfinished = ".png is not in the run's folder: the end of training draws it.";
  add("reconstructions", reconstructions_sheet, "reconstructions" + unfinished);
  const LatentTraits& traits = traits_of(content.run.config.model.latent);
  add("samples", samples_sheet,
      traits.has_prior()
          ? "samples" + unfinished
          : fmt::format("There are no samples: a {} latent has no prior to draw from.", traits.adjective));
  if (content.latents && content.latents->interpolations) {
    text += sheet_figure(ways_sheet(*content.latents), encode_png(*content.latents->interpolations));
  } else {
    notes += note("There are no interpolations. " +
                  (content.latents ? content.latents->no_interpolations : content.no_latents));
  }
  add("manifold", plane_sheet, "");
  return text + "</div>\n" + notes + "</section>\n";
}

}  // namespace vaecuda
