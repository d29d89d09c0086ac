// Files that are whole or absent, files that grow, and what is said when a disk or folder refuses.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/io/atomic_file.hpp"
#include "host/io/output_descriptor.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/error.hpp"
#include "vaecuda/output.hpp"

namespace vaecuda {
namespace fs = std::filesystem;
namespace {

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// Runs `action`, which must fail with a RuntimeError that holds every one of `parts`.
template <typename Action>
void check_refused(Action&& action, const std::vector<std::string>& parts) {
  try {
    action();
    FAIL("nothing was refused");
  } catch (const RuntimeError& error) {
    const std::string message = error.what();
    CAPTURE(message);
    for (const std::string& part : parts) CHECK(message.find(part) != std::string::npos);
  }
}

// While it lives, no file of this process grows past `bytes`: the write that crosses it is cut short, the
// next fails with EFBIG, as on a disk that fills.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &old_limit_) == 0);
    const rlimit limit{bytes, old_limit_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_limit_{};
  void (*old_handler_)(int);
};

constexpr rlim_t kMebibyte = rlim_t{1} << 20;

}  // namespace

TEST_CASE("atomic file: the new content appears at commit and not before") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "model.bin";
  AtomicFile file(path);
  file.write("ab");
  file.write(std::string_view("c\0d", 3));
  CHECK_FALSE(fs::exists(path));
  file.commit();
  CHECK(read(path) == std::string("abc\0d", 5));
  CHECK(files_in(folder.path()) == 1);
  CHECK_THROWS_AS(file.write("more"), ConfigError);
  CHECK_THROWS_AS(file.commit(), ConfigError);
}

TEST_CASE("atomic file: an abandoned write leaves the old content and no temporary file") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "model.bin";
  write_file_atomically(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
    CHECK(read(path) == "old");
    CHECK(files_in(folder.path()) == 2);
  }
  CHECK(read(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("atomic file: a handler of signals removes what is unfinished, and of this process alone") {
  const test::TempDir folder;
  AtomicFile first(folder.path() / "first.bin");
  AtomicFile second(folder.path() / "second.bin");
  write_file_atomically(folder.path() / "done.bin", "done");
  const pid_t child = fork();
  if (child == 0) {
    remove_unfinished_files();
    _exit(0);
  }
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK(files_in(folder.path()) == 3);
  remove_unfinished_files();
  CHECK(files_in(folder.path()) == 1);
  check_refused([&first] { first.commit(); }, {"first.bin", "No such file"});
  // A place is free again with each file that is done, and one file more than there are places is written all
  // the same.
  for (int round = 0; round < 2; ++round) {
    std::vector<std::unique_ptr<AtomicFile>> files;
    for (int i = 0; i < 65; ++i)
      files.push_back(std::make_unique<AtomicFile>(folder.path() / std::to_string(i)));
    remove_unfinished_files();
    CHECK(files_in(folder.path()) == 2);
  }
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("atomic file: an old file is replaced, an empty one is fine, two writers do not meet") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "model.bin";
  write_file_atomically(path, "a longer old content");
  const std::vector<std::uint8_t> bytes = {1, 0, 255};
  write_file_atomically(path, bytes);
  CHECK(read(path) == std::string("\x01\x00\xFF", 3));
  write_file_atomically(path, "");
  CHECK(read(path).empty());

  AtomicFile first(path);
  AtomicFile second(path);
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  CHECK(read(path) == "first");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("atomic file: a file left by a killed process of the same number is no obstacle") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "model.bin";
  {
    // Learns what the temporary files are called and puts stale ones where the next will be looked for.
    const AtomicFile file(path);
    const std::string name = fs::directory_iterator(folder.path())->path().string();
    const std::size_t dash = name.rfind('-');
    const unsigned long count = std::stoul(name.substr(dash + 1));
    for (unsigned long next = count + 1; next < count + 4; ++next) {
      std::ofstream(name.substr(0, dash + 1) + std::to_string(next) + ".tmp") << "stale";
    }
  }
  write_file_atomically(path, "new");
  CHECK(read(path) == "new");
}

TEST_CASE("atomic file: a new file is as readable as any, and a link stays a link") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "real.bin";
  std::ofstream(folder.path() / "ordinary") << "x";
  write_file_atomically(path, "1");
  CHECK(fs::status(path).permissions() == fs::status(folder.path() / "ordinary").permissions());
  const fs::path link = folder.path() / "link.bin";
  fs::create_symlink("real.bin", link);
  write_file_atomically(link, "2");
  CHECK(fs::is_symlink(link));
  CHECK(read(path) == "2");
}

TEST_CASE("atomic file: a path without a folder is in the current one") {
  const test::TempDir folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file_atomically("bare.bin", "x");
  fs::current_path(before);
  CHECK(read(folder.path() / "bare.bin") == "x");
}

TEST_CASE("atomic file: places that cannot be written to are refused by name, with a remedy") {
  const test::TempDir folder;
  const fs::path missing = folder.path() / "missing" / "model.bin";
  check_refused([&] { write_file_atomically(missing, "x"); },
                {missing.string(), "No such file or directory", "make the folder first"});

  std::ofstream(folder.path() / "file") << "x";
  const fs::path through = folder.path() / "file" / "model.bin";
  check_refused([&] { write_file_atomically(through, "x"); }, {through.string(), "Not a directory"});
  check_refused([&] { write_file_atomically(folder.path(), "x"); },
                {folder.path().string(), "Is a directory"});
  check_refused([&] { write_file_atomically("/dev/null", "x"); }, {"/dev/null", "device"});
  CHECK(fs::is_character_file("/dev/null"));

  if (geteuid() != 0) {  // root may write anywhere
    const fs::path locked = folder.path() / "locked";
    fs::create_directory(locked);
    fs::permissions(locked, fs::perms::owner_read | fs::perms::owner_exec);
    check_refused([&] { write_file_atomically(locked / "model.bin", "x"); },
                  {(locked / "model.bin").string(), "Permission denied", "may write to"});
  }
}

TEST_CASE("atomic file: a write that fails half way leaves the old file alone") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "model.bin";
  write_file_atomically(path, "old");
  const std::string large(kMebibyte + 4096, 'x');
  {
    const FileSizeLimit limit(kMebibyte);
    check_refused([&] { write_file_atomically(path, large); },
                  {path.string(), "File too large", "ulimit -f"});
  }
  CHECK(read(path) == "old");
  CHECK(files_in(folder.path()) == 1);
  write_file_atomically(path, large);
  CHECK(read(path) == large);
}

TEST_CASE("append file: lines are there at once, and a second opening goes on") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "metrics.jsonl";
  {
    AppendFile file(path);
    CHECK(file.was_empty());
    file.append("one\n");
    CHECK(read(path) == "one\n");
    file.append("two\n");
    file.sync();
  }
  AppendFile file(path);
  CHECK_FALSE(file.was_empty());
  file.append("three\n");
  CHECK(read(path) == "one\ntwo\nthree\n");
}

TEST_CASE("append file: a full disk is an error that names the file") {
  AppendFile file("/dev/full");
  check_refused([&] { file.append("line\n"); },
                {"'/dev/full'", "No space left on device", "free some space"});
}

TEST_CASE("append file: a line that does not fit leaves no half line") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "metrics.jsonl";
  AppendFile file(path);
  file.append("whole\n");
  const std::string large(kMebibyte, 'x');
  {
    const FileSizeLimit limit(kMebibyte);
    check_refused([&] { file.append(large); }, {path.string(), "File too large"});
  }
  CHECK(read(path) == "whole\n");
  file.append("again\n");
  CHECK(read(path) == "whole\nagain\n");
}

TEST_CASE("append file: a folder that is not there is an error that names the file") {
  const test::TempDir folder;
  const fs::path path = folder.path() / "missing" / "metrics.jsonl";
  check_refused([&] { AppendFile file(path); }, {path.string(), "make the folder first"});
}

}  // namespace vaecuda
