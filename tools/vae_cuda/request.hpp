// What the commands' arguments ask for, read strictly.
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
/// --data and what belongs to it.
[[nodiscard]] std::vector<cli::ProgramOption> data_options();
/// `first`, then `more`.
[[nodiscard]] std::vector<cli::ProgramOption> joined(std::vector<cli::ProgramOption> first,
                                                     const std::vector<cli::ProgramOption>& more);

/// The text of an option or positional argument. \throws ConfigError naming it where it was not given
[[nodiscard]] const std::string& required(const cli::Arguments& arguments, std::string_view flag);
/// \throws ConfigError where it was not given or is no whole number from `min` to `max`
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
/// What --device and its kin say.
[[nodiscard]] RunOn run_on(const cli::Arguments& arguments);
/// Loads MODEL where --device and its kin say. \throws ConfigError, FileError, DeviceError
[[nodiscard]] Vae load_model(const cli::Arguments& arguments, cli::Console& console);
/// What --data and its kin name.
[[nodiscard]] DataSource data_source(const cli::Arguments& arguments);
/// --part, else train. \throws ConfigError for another word
[[nodiscard]] DataPart data_part(const cli::Arguments& arguments);
/// Opens --data, and of it `part`, by default what --part says: no column that the model knows is taken for
/// labels unasked. \throws ConfigError, FileError
[[nodiscard]] std::unique_ptr<RowSource> open_data(const cli::Arguments& arguments, const ModelInfo& model,
                                                   std::optional<DataPart> part = std::nullopt);
/// Opens --reference with labels from where `data`, which is --data, has them; one without them is no error.
/// Options of its own go before. \throws ConfigError, FileError
[[nodiscard]] std::unique_ptr<RowSource> open_reference(const cli::Arguments& arguments,
                                                        const ModelInfo& model, const RowSource& data);
/// As many rows as come, up to `most`, with their labels.
[[nodiscard]] Dataset first_rows(RowSource& rows, std::int64_t most);

/// Before anything is computed, for every command: no output may be another or what is read, nor may the file
/// that stdout goes to, where the command writes there. \throws ConfigError
void check_files(const cli::Arguments& arguments);

/// What an output's ending asks for.
enum class OutputKind { sheet, rows };
/// \throws ConfigError for an ending other than .png, .npy and .csv
[[nodiscard]] OutputKind kind_of(const std::string& path);
/// The same of --out, before anything is computed.
void check_output(const cli::Arguments& arguments);

/// The class that --label names for a conditional model to decode with; empty for other models, and for one
/// that is told vectors. \throws ConfigError for a label without such a model, and the other way round, and
/// for one that the model cannot be told
[[nodiscard]] std::string label_for(const cli::Arguments& arguments, const ModelInfo& model);
/// The picture shape for drawing: --image, else the model's. \throws ConfigError if it has another size
[[nodiscard]] std::optional<ImageShape> shape_for(const cli::Arguments& arguments, const ModelInfo& model);
/// Options of a sheet of `rows` in data units: dark for the least, bright for the greatest value that the
/// data can have; line plots find their own range.
[[nodiscard]] SheetOptions sheet_for(const ModelInfo& model, const std::optional<ImageShape>& shape,
                                     std::span<const float> rows, std::int64_t cells_across = 0);

}  // namespace vaecuda::tool
