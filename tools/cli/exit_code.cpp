#include "cli/exit_code.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <exception>
#include <new>

#include "cli/console.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cli {
namespace {

/// Opens /dev/null for each closed descriptor of 0, 1 and 2: otherwise the next opened file, which gets the
/// lowest free descriptor, could be a file of the run, and printed text would go into it. It is opened so
/// that writing to stdout still fails. \throws RuntimeError if it cannot be opened
void take_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) != -1) continue;
    // All lower descriptors are open, so open() returns this one.
    if (::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) != descriptor) {
      throw RuntimeError(fmt::format(
          "descriptor {} is closed, and /dev/null cannot take its place; start the program with it open",
          descriptor));
    }
  }
}

/// With a smaller stack the system would kill the program during its work. The stacks of its threads have the
/// same size.
void require_stack() {
  constexpr rlim_t kLeast = rlim_t{256} << 10;
  rlimit limit{};
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= kLeast) return;
  throw OutOfMemoryError(
      fmt::format("the stack is limited to {} KiB, and {} KiB are needed; raise the limit (ulimit -s)",
                  limit.rlim_cur >> 10, kLeast >> 10));
}

}  // namespace

int run_program(const std::function<int()>& body) {
  // Then a file that exceeds a limit (ulimit -f) is a failed write, with its message.
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
  try {
    take_standard_descriptors();
    require_stack();
    return body();
  } catch (const Error& error) {
    print_error(error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
    return kExitOutOfMemory;
  } catch (const std::exception& error) {
    print_error(error.what());
  } catch (...) {
    print_error("unknown error");
  }
  return kExitRuntime;
}

}  // namespace vaecuda::cli
