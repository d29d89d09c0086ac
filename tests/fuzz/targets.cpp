#include "fuzz/targets.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/memory_file.hpp"
#include "host/config/toml_guard.hpp"
#include "host/data/array.hpp"
#include "host/data/bytes.hpp"
#include "host/data/cifar.hpp"
#include "host/data/csv.hpp"
#include "host/data/format.hpp"
#include "host/data/idx.hpp"
#include "host/data/matrix_market.hpp"
#include "host/data/npy.hpp"
#include "host/data/scipy_npz.hpp"
#include "host/data/sparse.hpp"
#include "host/data/svmlight.hpp"
#include "host/model/model_file.hpp"
#include "host/model/safetensors.hpp"
#include "host/report/tensorboard.hpp"
#include "host/run_report/page.hpp"
#include "host/run_report/run_record.hpp"
#include "host/train/checkpoint.hpp"
#include "support/zip.hpp"
#include "vaecuda/config.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::fuzz {
namespace {

/// A promise that was broken: ends the process, so that the fuzzer keeps the bytes.
void require(bool kept) {
  if (!kept) std::abort();
}

/// Runs the parser; the library's own errors are what bad bytes are meant to give, with a message.
template <typename Parse>
void refuse_or_read(Parse&& parse) {
  try {
    parse();
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::bad_file || error.kind() == ErrorKind::config ||
            error.kind() == ErrorKind::out_of_memory);
    require(std::strlen(error.what()) > 0);
  }
}

/// Columns ascending within rows and in range, values finite and other than 0.
void check(const SparseRows& rows) {
  const std::span<const std::int64_t> begin = rows.row_begin();
  require(begin.size() == static_cast<std::size_t>(rows.rows()) + 1 && begin.front() == 0);
  data::with_arrays(rows, [&](auto columns, auto values) {
    require(columns.size() == values.size() && begin.back() == static_cast<std::int64_t>(values.size()));
    for (std::size_t row = 0; row + 1 < begin.size(); ++row) {
      require(begin[row] <= begin[row + 1]);
      for (auto i = static_cast<std::size_t>(begin[row]); i < static_cast<std::size_t>(begin[row + 1]); ++i) {
        require(static_cast<std::int64_t>(columns[i]) < rows.columns());
        require(i == static_cast<std::size_t>(begin[row]) || columns[i - 1] < columns[i]);
        const auto value = static_cast<float>(values[i]);
        require(std::isfinite(value) && value != 0.0f);
      }
    }
  });
}

/// What a data set promises whatever it was read from.
void check(const Dataset& data) {
  require(data.rows() > 0 && data.columns() > 0);
  const auto size = static_cast<std::size_t>(data.rows()) * static_cast<std::size_t>(data.columns());
  if (data.type() == ElementType::sparse) {
    check(data.sparse());
  } else {
    require(data.u8().size() + data.f32().size() == size);
  }
  for (const float value : data.f32()) require(std::isfinite(value));
  if (!data.labels().empty()) require(data.labels().size() == static_cast<std::size_t>(data.rows()));
}

void safetensors(Bytes bytes) {
  refuse_or_read([&] {
    SafetensorsReader reader(bytes_in_memory("fuzz", std::as_bytes(bytes)));
    for (const SafetensorsEntry& entry : reader.entries()) {
      require(entry.begin <= entry.end && entry.end <= static_cast<std::int64_t>(bytes.size()));
      if (entry.dtype != "F32") continue;
      std::vector<float> values(static_cast<std::size_t>(entry.end - entry.begin) / sizeof(float));
      reader.read_f32(entry, values);
    }
  });
}

void model(Bytes bytes) {
  refuse_or_read([&] {
    const ModelFile file = load_model(bytes_in_memory("fuzz", std::as_bytes(bytes)));
    for (const float value : file.parameters) require(std::isfinite(value));
  });
}

void state(Bytes bytes) {
  refuse_or_read([&] {
    const Checkpoint checkpoint = load_checkpoint(bytes_in_memory("fuzz", std::as_bytes(bytes)));
    require(checkpoint.parameters.size() == checkpoint.moment2.size() && checkpoint.state.step >= 0);
  });
}

void idx(Bytes bytes) {
  const MemoryFile file(bytes);
  refuse_or_read([&] {
    data::ByteSource source(file.path());
    check(data::read_array(source, data::read_idx_header(source)).rows);
  });
  refuse_or_read([&] {
    data::ByteSource source(file.path());
    (void)data::read_label_array(source, data::read_idx_header(source));
  });
}

void npy(Bytes bytes) {
  const MemoryFile file(bytes);
  refuse_or_read([&] {
    data::ByteSource source(file.path());
    check(data::read_array(source, data::read_npy_header(source)).rows);
  });
  refuse_or_read([&] {
    data::ByteSource source(file.path());
    (void)data::read_label_array(source, data::read_npy_header(source));
  });
}

void read_by(const data::Format& format, Bytes bytes) {
  const MemoryFile file(bytes);
  refuse_or_read([&] {
    DataSource source;
    source.path = file.path();
    data::ByteSource content(file.path());
    check(format.read(source, content).rows);
  });
}

/// The first byte: 0, the rest is an archive; else it chooses the names of arrays that the rest holds, each
/// behind its length in one byte, and that lie in a sound archive.
void scipy(Bytes bytes) {
  static constexpr std::array<const char*, 5> kByRows = {"format", "shape", "indptr", "indices", "data"};
  static constexpr std::array<const char*, 5> kEntries = {"format", "shape", "row", "col", "data"};
  if (bytes.empty()) return;
  const std::uint8_t choice = bytes[0];
  bytes = bytes.subspan(1);
  if (choice == 0) return read_by(data::kScipyFormat, bytes);
  std::vector<test::ZipPart> parts;
  for (const char* name : choice % 2 == 1 ? kByRows : kEntries) {
    if (bytes.empty()) break;
    const auto size = std::min<std::size_t>(bytes[0], bytes.size() - 1);
    const Bytes content = bytes.subspan(1, size);
    parts.push_back({.name = std::string(name) + ".npy",
                     .content = {content.begin(), content.end()},
                     .deflated = choice % 4 >= 2});
    bytes = bytes.subspan(1 + size);
  }
  const std::string archive = test::zip_bytes(parts, choice % 8 >= 4);
  read_by(data::kScipyFormat, std::vector<std::uint8_t>(archive.begin(), archive.end()));
}

void mtx(Bytes bytes) {
  if (!bytes.empty()) read_by(data::kMatrixMarketFormat, bytes);
}

void svmlight(Bytes bytes) {
  if (!bytes.empty()) read_by(data::kSvmlightFormat, bytes);
}

/// The first byte chooses the label column, the rest is the table.
void csv(Bytes bytes) {
  static constexpr std::array<const char*, 4> kColumns = {"", "none", "0", "label"};
  if (bytes.empty()) return;
  const MemoryFile file(bytes.subspan(1));
  refuse_or_read([&] {
    data::ByteSource source(file.path());
    data::TableRequest request;
    request.label_column = kColumns[bytes[0] % kColumns.size()];
    check(data::read_csv(source, request).rows);
  });
  refuse_or_read([&] {
    data::ByteSource source(file.path());
    (void)data::read_label_csv(source, bytes[0]);
  });
}

/// Any content of a gzip file, to its end.
void gzip(Bytes bytes) {
  const MemoryFile file(bytes);
  refuse_or_read([&] {
    data::ByteSource source(file.path());
    std::array<std::uint8_t, 4096> buffer{};
    std::int64_t total = 0;
    const std::int64_t limit = source.size_limit();
    while (const std::size_t got = source.read_some(buffer)) total += static_cast<std::int64_t>(got);
    require(total <= limit);
  });
}

/// Records are 3073 bytes; so that short inputs reach them, the last one is filled up.
void cifar(Bytes bytes) {
  std::vector<std::uint8_t> records(bytes.begin(), bytes.end());
  if (!records.empty() && records[0] % 2 == 0) {
    const auto record = static_cast<std::size_t>(data::kCifarRecordBytes);
    records.resize((records.size() + record - 1) / record * record);
  }
  const MemoryFile file(records);
  refuse_or_read([&] {
    data::ByteSource source(file.path());
    check(data::read_cifar(source));
  });
}

void config(Bytes bytes) {
  const MemoryFile file(bytes);
  refuse_or_read([&] {
    const RunConfig read = load_config(file.path());
    const std::string text = to_toml(read);
    const MemoryFile copy(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    require(to_toml(load_config(copy.path())) == text);
    validate(read);
  });
}

/// The numbers of every path of a page's charts.
void check_paths(const std::string& page) {
  constexpr std::string_view kPath = " d=\"";
  for (std::size_t at = page.find(kPath); at != std::string::npos; at = page.find(kPath, at)) {
    at += kPath.size();
    const std::size_t end = page.find_first_not_of("MLHVhvz0123456789.- ", at);
    require(end != std::string::npos && page[end] == '"');
  }
}

/// The first byte chooses the kind of latent, the rest is metrics.jsonl: the page of a run's folder.
void report(Bytes bytes) {
  if (bytes.empty()) return;
  std::istringstream lines(std::string(bytes.begin() + 1, bytes.end()));
  RunRecord run;
  run.name = "fuzz";
  run.config.model.latent = static_cast<LatentKind>(bytes[0] % 3);
  refuse_or_read([&] { read_metrics(lines, run); });
  for (std::size_t i = 1; i < run.lines.size(); ++i) require(run.lines[i - 1].step < run.lines[i].step);
  PageContent content{.run = run,
                      .model = nullptr,
                      .no_model = {},
                      .rows_name = {},
                      .latents = {},
                      .no_latents = {},
                      .valid = {},
                      .test = {},
                      .no_test = {}};
  if (const RecordLine* best = best_line(run)) content.valid = best->valid;
  const std::string page = render_page(content);
  check_paths(page);
  constexpr std::size_t kMostBytes = std::size_t{1} << 20U;  // for 8 KiB of metrics, which no chart repeats
  require(page.size() < kMostBytes);
}

/// The event file of a run that is resumed. The first byte chooses the step after which it is cut.
void events(Bytes bytes) {
  if (bytes.empty()) return;
  const Bytes content = bytes.subspan(1);
  const auto source = bytes_in_memory("fuzz", std::as_bytes(content));
  const auto keeps = [&](std::int64_t step) { return step <= std::int64_t{bytes[0]}; };
  const std::int64_t kept = kept_event_bytes(*source, keeps);
  require(kept >= 0 && kept <= source->size());
  // What is kept is kept again.
  const auto rest = bytes_in_memory("fuzz", std::as_bytes(content.first(static_cast<std::size_t>(kept))));
  require(kept_event_bytes(*rest, keeps) == kept);
}

/// Everything from the format's recognition on, as --data meets it.
void dataset(Bytes bytes) {
  const MemoryFile file(bytes);
  refuse_or_read([&] {
    DataSource source;
    source.path = file.path();
    check(load_dataset(source));
  });
}

}  // namespace

std::span<const Target> targets() {
  static constexpr std::array<Target, 15> kTargets = {{{"safetensors", safetensors},
                                                       {"model", model},
                                                       {"state", state},
                                                       {"idx", idx},
                                                       {"npy", npy},
                                                       {"csv", csv},
                                                       {"scipy", scipy},
                                                       {"mtx", mtx},
                                                       {"svmlight", svmlight},
                                                       {"gzip", gzip},
                                                       {"cifar", cifar},
                                                       {"config", config},
                                                       {"report", report},
                                                       {"events", events},
                                                       {"dataset", dataset}}};
  return kTargets;
}

}  // namespace vaecuda::fuzz
