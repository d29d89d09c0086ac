// Strict parsing of the commands' arguments.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "cli/data_notes.hpp"
#include "vaecuda/vaecuda.hpp"

namespace vaecuda::tool {

// The arguments that several commands share.
inline constexpr cli::ProgramOption kModel{"MODEL", "", "model file, as vae_cuda_train writes it"};
inline constexpr cli::ProgramOption kImage{"--image", "HxWxC",
                                           "draw rows as pictures of this shape; by default the model's"};
/// --data and its related options.
[[nodiscard]] std::vector<cli::ProgramOption> data_options();
/// `first`, then `more`.
[[nodiscard]] std::vector<cli::ProgramOption> joined(std::vector<cli::ProgramOption> first,
                                                     const std::vector<cli::ProgramOption>& more);

/// The text of an option or positional argument. \throws ConfigError naming it if it was not given
[[nodiscard]] const std::string& required(const cli::Arguments& arguments, std::string_view flag);
/// \throws ConfigError if it was not given or is not a whole number from `min` to `max`
[[nodiscard]] std::int64_t integer_of(const cli::Arguments& arguments, std::string_view flag,
                                      std::int64_t min, std::int64_t max);
[[nodiscard]] std::int64_t integer_or(const cli::Arguments& arguments, std::string_view flag,
                                      std::int64_t otherwise, std::int64_t min, std::int64_t max);
/// \throws ConfigError unless min <= value <= max
[[nodiscard]] double real_or(const cli::Arguments& arguments, std::string_view flag, double otherwise,
                             double min, double max);
/// Whole numbers joined by commas. \throws ConfigError
[[nodiscard]] std::vector<std::int64_t> integers(const cli::Arguments& arguments, std::string_view flag,
                                                 std::int64_t min, std::int64_t max);

/// --seed, else `otherwise`.
[[nodiscard]] std::uint64_t seed_or(const cli::Arguments& arguments, std::uint64_t otherwise);
/// The values of --device and related options.
[[nodiscard]] RunOn run_on(const cli::Arguments& arguments);
/// Loads MODEL with --device and related options. \throws ConfigError, FileError, DeviceError
[[nodiscard]] Vae load_model(const cli::Arguments& arguments, cli::Console& console);
/// The source named by --data and related options.
[[nodiscard]] DataSource data_source(const cli::Arguments& arguments);
/// The value of --part; default: train. \throws ConfigError for another word
[[nodiscard]] DataPart data_part(const cli::Arguments& arguments);
/// Opens `part` of --data, by default the value of --part; a column that the model knows is not taken as
/// labels by default. \throws ConfigError, FileError
[[nodiscard]] std::unique_ptr<RowSource> open_data(const cli::Arguments& arguments, const ModelInfo& model,
                                                   std::optional<DataPart> part = std::nullopt);
/// Opens --reference with the label column of `data`, which is --data; a file without it is no error. Its own
/// options take precedence. \throws ConfigError, FileError
[[nodiscard]] std::unique_ptr<RowSource> open_reference(const cli::Arguments& arguments,
                                                        const ModelInfo& model, const RowSource& data);
/// Up to `most` rows with their labels.
[[nodiscard]] Dataset first_rows(RowSource& rows, std::int64_t most);

/// Check of every command before anything is computed: no output may be another output or an input, nor may
/// the file that stdout is redirected to, if the command writes to it. \throws ConfigError
void check_files(const cli::Arguments& arguments);

/// The format that an output's ending selects.
enum class OutputKind { sheet, rows };
/// \throws ConfigError for an ending other than .png, .npy and .csv
[[nodiscard]] OutputKind kind_of(const std::string& path);
/// The same for --out, before anything is computed.
void check_output(const cli::Arguments& arguments);

/// The value of --label, on which a conditional model is conditioned; empty for other models. \throws
/// ConfigError for a label without a conditional model, a conditional model without a label, and a label that
/// the model does not know
[[nodiscard]] std::string label_for(const cli::Arguments& arguments, const ModelInfo& model);
/// The picture shape for drawing: --image, else the model's. \throws ConfigError if it has another size
[[nodiscard]] std::optional<ImageShape> shape_for(const cli::Arguments& arguments, const ModelInfo& model);
/// Options of a sheet of `rows` in data units: dark for the smallest, bright for the largest possible value
/// of the data; line plots determine their own range.
[[nodiscard]] SheetOptions sheet_for(const ModelInfo& model, const std::optional<ImageShape>& shape,
                                     std::span<const float> rows, std::int64_t cells_across = 0);

}  // namespace vaecuda::tool
