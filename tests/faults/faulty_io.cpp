// An interposed library (LD_PRELOAD) that lets one system call of a program's output fail: which one, how,
// and for how long comes from the environment. Without FAULTY_IO it only counts.
//
//   FAULTY_IO_CALL=n    the n-th call, counted from 0, of those listed below
//   FAULTY_IO=enospc | eio | short | kill
//                       fails with that error; writes half and then fails; ends the process as kill -9 does
//   FAULTY_IO_FOR_GOOD  every later call fails as well
//   FAULTY_IO_UNDER=dir only calls on files in this folder count
//   FAULTY_IO_COUNT=file  where the number of calls is written when the program ends
//   FAULTY_IO_NAMED=file  gets a line for every name that a rename in the folder has given
//
// Calls: open for writing, write, fsync, close of a file that was written, ftruncate, mkdir, rename, unlink;
// by path or in a folder that is open.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::atomic<long> calls{0};
// By descriptor: opened for writing, or a folder to be synced; and a file that was since then written, cut or
// synced, for only then can a close lose something.
bool watched[4096] = {};
bool used[4096] = {};
bool folders[4096] = {};

const char* setting(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_under(const char* path) {
  const char* folder = setting("FAULTY_IO_UNDER");
  return *folder != '\0' && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

/// The path of what a call names in the folder that is open as `folder`.
std::string path_in(int folder, const char* path) {
  if (*path == '/' || folder == AT_FDCWD) return path;
  char above[4096] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(folder);
  const ssize_t length = ::readlink(link.c_str(), above, sizeof above - 1);
  return length < 0 ? path : std::string(above, static_cast<std::size_t>(length)) + "/" + path;
}

bool is_watched(int descriptor) {
  return descriptor >= 0 && descriptor < 4096 && watched[descriptor];
}

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

enum class Fate { pass, fail, half };

/// Counts the call and decides what becomes of it; sets errno where it fails.
Fate next_call(bool can_be_short) {
  const long number = calls.fetch_add(1);
  const char* kind = setting("FAULTY_IO");
  if (*kind == '\0') return Fate::pass;
  const long wanted = std::atol(setting("FAULTY_IO_CALL"));
  const bool for_good = *setting("FAULTY_IO_FOR_GOOD") != '\0';
  if (number != wanted && !(for_good && number > wanted)) return Fate::pass;
  if (std::strcmp(kind, "kill") == 0) raise(SIGKILL);
  errno = std::strcmp(kind, "eio") == 0 ? EIO : ENOSPC;
  return std::strcmp(kind, "short") == 0 && can_be_short ? Fate::half : Fate::fail;
}

void note_name(const char* path) {
  const char* list = setting("FAULTY_IO_NAMED");
  if (*list == '\0') return;
  if (std::FILE* file = std::fopen(list, "a")) {
    std::fprintf(file, "%s\n", path);
    std::fclose(file);
  }
}

__attribute__((destructor)) void report() {
  const char* path = setting("FAULTY_IO_COUNT");
  if (*path == '\0') return;
  if (std::FILE* file = std::fopen(path, "w")) {
    std::fprintf(file, "%ld\n", calls.load());
    std::fclose(file);
  }
}

int open_watched(int folder, const char* path, int flags, mode_t mode, const char* name) {
  const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY) != 0;
  const bool counts = writes && is_under(path_in(folder, path).c_str());
  if (counts && next_call(false) != Fate::pass) return -1;
  const int descriptor = real<int (*)(int, const char*, int, ...)>(name)(folder, path, flags, mode);
  if (descriptor >= 0 && descriptor < 4096) {
    watched[descriptor] = counts;
    folders[descriptor] = (flags & O_DIRECTORY) != 0;
  }
  return descriptor;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return open_watched(AT_FDCWD, path, flags, mode, "openat");
}

int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return open_watched(AT_FDCWD, path, flags, mode, "openat64");
}

int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return open_watched(folder, path, flags, mode, "openat");
}

int openat64(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return open_watched(folder, path, flags, mode, "openat64");
}

int mkdirat(int folder, const char* path, mode_t mode) {
  if (is_under(path_in(folder, path).c_str()) && next_call(false) != Fate::pass) return -1;
  return real<int (*)(int, const char*, mode_t)>("mkdirat")(folder, path, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  if (!is_watched(descriptor)) return next(descriptor, bytes, count);
  used[descriptor] = true;
  switch (next_call(count > 1)) {
    case Fate::pass:
      return next(descriptor, bytes, count);
    case Fate::half:
      return next(descriptor, bytes, count / 2);
    case Fate::fail:
      break;
  }
  return -1;
}

int fsync(int descriptor) {
  if (is_watched(descriptor)) used[descriptor] = !folders[descriptor];
  if (is_watched(descriptor) && next_call(false) != Fate::pass) return -1;
  return real<int (*)(int)>("fsync")(descriptor);
}

int ftruncate(int descriptor, off_t size) {
  if (is_watched(descriptor)) used[descriptor] = true;
  if (is_watched(descriptor) && next_call(false) != Fate::pass) return -1;
  return real<int (*)(int, off_t)>("ftruncate")(descriptor, size);
}

int close(int descriptor) {
  const bool counts = is_watched(descriptor) && used[descriptor];
  if (is_watched(descriptor)) watched[descriptor] = used[descriptor] = false;
  const bool fails = counts && next_call(false) != Fate::pass;
  const int error = errno;
  const int result = real<int (*)(int)>("close")(descriptor);  // also where it "fails", as Linux does
  if (!fails) return result;
  errno = error;
  return -1;
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  const auto next = real<int (*)(int, const char*, int, const char*)>("renameat");
  const std::string target = path_in(to_folder, to);
  if (!is_under(target.c_str())) return next(from_folder, from, to_folder, to);
  if (next_call(false) != Fate::pass) return -1;
  const int result = next(from_folder, from, to_folder, to);
  if (result == 0) note_name(target.c_str());
  return result;
}

int rename(const char* from, const char* to) {
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int folder, const char* path, int flags) {
  if (is_under(path_in(folder, path).c_str()) && next_call(false) != Fate::pass) return -1;
  return real<int (*)(int, const char*, int)>("unlinkat")(folder, path, flags);
}

int unlink(const char* path) {
  return unlinkat(AT_FDCWD, path, 0);
}

}  // extern "C"
