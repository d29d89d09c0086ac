#include "cli/exit_code.hpp"

#include <exception>
#include <new>

#include "cli/console.hpp"
#include "vaecuda/error.hpp"

namespace vaecuda::cli {

int run_program(const std::function<int()>& body) {
  try {
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
