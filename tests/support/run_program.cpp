#include "tests/support/run_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "tests/support/catch.hpp"

namespace vaecuda::test {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) fail("pipe");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int end(std::size_t which) const { return ends_[which]; }
  void close_end(std::size_t which) {
    if (ends_[which] >= 0) close(std::exchange(ends_[which], -1));
  }
  /// Appends what is there. False at the end of the stream.
  bool drain(std::string& text) {
    std::array<char, 4096> chunk;
    const ssize_t count = read(ends_[0], chunk.data(), chunk.size());
    if (count > 0) text.append(chunk.data(), static_cast<std::size_t>(count));
    if (count <= 0) close_end(0);
    return count > 0;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// Everything that the child needs is made before vfork: afterwards only async-signal-safe calls are allowed.
class ChildImage {
 public:
  ChildImage(const std::string& path, const std::vector<std::string>& arguments,
             const ProgramOptions& options)
      : options_(options) {
    words_.push_back(path);
    words_.insert(words_.end(), arguments.begin(), arguments.end());
    for (std::string& word : words_) argv_.push_back(word.data());
    argv_.push_back(nullptr);
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      if (options.environment.count(text.substr(0, text.find('='))) == 0) variables_.push_back(text);
    }
    for (const auto& [name, value] : options.environment) variables_.push_back(name + "=" + value);
    for (std::string& variable : variables_) envp_.push_back(variable.data());
    envp_.push_back(nullptr);
  }

  [[noreturn]] void exec(int out, int err) {
    if (!options_.working_directory.empty() && chdir(options_.working_directory.c_str()) != 0) _exit(127);
    const int in = open("/dev/null", O_RDONLY);
    if (!options_.stdout_path.empty()) out = open(options_.stdout_path.c_str(), O_WRONLY);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(127);
    execve(argv_[0], argv_.data(), envp_.data());
    _exit(127);
  }

 private:
  const ProgramOptions& options_;
  std::vector<std::string> words_;
  std::vector<std::string> variables_;
  std::vector<char*> argv_;
  std::vector<char*> envp_;
};

int wait_for(pid_t child, ProgramResult& result) {
  int status = 0;
  rusage used{};
  while (wait4(child, &status, 0, &used) < 0) {
    if (errno != EINTR) fail("wait4");
  }
  result.peak_kib = used.ru_maxrss;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Reads both streams until both end. False if the time ran out first.
bool collect(Pipe& out, Pipe& err, pid_t child, const ProgramOptions& options, ProgramResult& result) {
  const auto deadline = std::chrono::steady_clock::now() + options.timeout;
  bool signal_sent = options.signal == 0;
  while (out.end(0) >= 0 || err.end(0) >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> streams{{{out.end(0), POLLIN, 0}, {err.end(0), POLLIN, 0}}};
    if (poll(streams.data(), streams.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
      fail("poll");
    if (streams[0].revents != 0) out.drain(result.out);
    if (streams[1].revents != 0) err.drain(result.err);
    if (!signal_sent && result.err.find(options.signal_after) != std::string::npos) {
      kill(child, options.signal);
      signal_sent = true;
    }
  }
  return true;
}

}  // namespace

ProgramResult run_program(const std::string& path, const std::vector<std::string>& arguments,
                          const ProgramOptions& options) {
  Pipe out;
  Pipe err;
  ChildImage image(path, arguments, options);
  // Without a copy of this process's page tables, which under a sanitizer cost more than the program's start.
  const pid_t child = vfork();
  if (child < 0) fail("fork");
  if (child == 0) image.exec(out.end(1), err.end(1));
  out.close_end(1);
  err.close_end(1);
  ProgramResult result;
  const bool ended = collect(out, err, child, options, result);
  if (!ended) kill(child, SIGKILL);
  result.exit_code = wait_for(child, result);
  if (!ended) throw std::runtime_error(path + " ran past its time; stderr: " + result.err);
  return result;
}

void check_refuses(const std::string& path, const std::vector<std::string>& arguments, int exit_code,
                   std::string_view part) {
  const ProgramResult result = run_program(path, arguments);
  INFO(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK(result.out.empty());
  CHECK(result.err.find("error: ") != std::string::npos);
  CHECK(result.err.find(part) != std::string::npos);
}

}  // namespace vaecuda::test
