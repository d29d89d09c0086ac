// An interposed library (LD_PRELOAD) that holds a process at one system call on files of a folder, so that
// another can act there, ends it there, or leaves it few threads. What it does comes from the environment:
//
//   STOP_UNDER=dir    only calls on names in this folder count (relative names count if STOP_RELATIVE is set)
//   STOP_AT=n         the n-th call, counted from 0: writes its name to STOP_FILE.reached and waits for
//   STOP_FILE.go;
//                     with STOP_KILL the process ends there instead, as kill -9 does
//   STOP_COUNT=file   gets a line for every call: its name and the path
//   THREADS_LEFT=n    pthread_create fails with EAGAIN while n threads are there that it has started
//
// Calls: open and openat (for reading too), rename, renameat, renameat2, unlink, unlinkat, mkdir, flock,
// fcntl locks, ftruncate, fsync, and the first write to a descriptor.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
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
std::atomic<long> threads{0};
bool watched[4096] = {};
bool written[4096] = {};

const char* setting(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool is_under(const char* path) {
  const char* folder = setting("STOP_UNDER");
  if (*folder == '\0' || path == nullptr) return false;
  if (path[0] != '/') return *setting("STOP_RELATIVE") != '\0';
  return std::strncmp(path, folder, std::strlen(folder)) == 0;
}

void append(const std::string& file, const std::string& text) {
  const auto open_real = real<int (*)(const char*, int, ...)>("open");
  const int descriptor = open_real(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (descriptor < 0) return;
  [[maybe_unused]] const ssize_t done =
      real<ssize_t (*)(int, const void*, size_t)>("write")(descriptor, text.data(), text.size());
  real<int (*)(int)>("close")(descriptor);
}

void reach(const char* call, const char* path) {
  const int error = errno;
  const long number = calls.fetch_add(1);
  if (*setting("STOP_COUNT") != '\0') append(setting("STOP_COUNT"), std::string(call) + " " + path + "\n");
  const char* wanted = setting("STOP_AT");
  if (*wanted != '\0' && number == std::atol(wanted)) {
    if (*setting("STOP_KILL") != '\0') raise(SIGKILL);
    const std::string file = setting("STOP_FILE");
    append(file + ".reached", std::string(call) + " " + path + "\n");
    while (access((file + ".go").c_str(), F_OK) != 0) usleep(1000);
  }
  errno = error;
}

void reach_descriptor(const char* call, int descriptor) {
  if (descriptor >= 0 && descriptor < 4096 && watched[descriptor]) reach(call, "");
}

int opened(const char* path, int descriptor) {
  if (descriptor >= 0 && descriptor < 4096) {
    watched[descriptor] = is_under(path);
    written[descriptor] = false;
  }
  return descriptor;
}

struct Work {
  void* (*work)(void*);
  void* argument;
};

void* work_and_leave(void* given) {
  const Work work = *static_cast<Work*>(given);
  delete static_cast<Work*>(given);
  void* const result = work.work(work.argument);
  threads.fetch_sub(1);
  return result;
}

}  // namespace

extern "C" {

#define STOP_AT_OPEN(name)                                                                                 \
  int name(const char* path, int flags, ...) {                                                             \
    va_list list;                                                                                          \
    va_start(list, flags);                                                                                 \
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;                   \
    va_end(list);                                                                                          \
    if (is_under(path)) reach(#name, path);                                                                \
    return opened(path, real<int (*)(const char*, int, ...)>(#name)(path, flags, mode));                   \
  }                                                                                                        \
  int name##at(int folder, const char* path, int flags, ...) {                                             \
    va_list list;                                                                                          \
    va_start(list, flags);                                                                                 \
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;                   \
    va_end(list);                                                                                          \
    if (is_under(path)) reach(#name "at", path);                                                           \
    return opened(path, real<int (*)(int, const char*, int, ...)>(#name "at")(folder, path, flags, mode)); \
  }

STOP_AT_OPEN(open)

int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (is_under(path)) reach("open64", path);
  return opened(path, real<int (*)(const char*, int, ...)>("open64")(path, flags, mode));
}

int rename(const char* from, const char* to) {
  if (is_under(to)) reach("rename", to);
  return real<int (*)(const char*, const char*)>("rename")(from, to);
}

int renameat(int a, const char* from, int b, const char* to) {
  if (is_under(to)) reach("renameat", to);
  return real<int (*)(int, const char*, int, const char*)>("renameat")(a, from, b, to);
}

int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  if (is_under(to)) reach("renameat2", to);
  return real<int (*)(int, const char*, int, const char*, unsigned)>("renameat2")(a, from, b, to, flags);
}

int unlink(const char* path) {
  if (is_under(path)) reach("unlink", path);
  return real<int (*)(const char*)>("unlink")(path);
}

int unlinkat(int folder, const char* path, int flags) {
  if (is_under(path)) reach("unlinkat", path);
  return real<int (*)(int, const char*, int)>("unlinkat")(folder, path, flags);
}

int mkdir(const char* path, mode_t mode) {
  if (is_under(path)) reach("mkdir", path);
  return real<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}

int flock(int descriptor, int operation) {
  reach_descriptor("flock", descriptor);
  return real<int (*)(int, int)>("flock")(descriptor, operation);
}

int ftruncate(int descriptor, off_t size) {
  reach_descriptor("ftruncate", descriptor);
  return real<int (*)(int, off_t)>("ftruncate")(descriptor, size);
}

int fsync(int descriptor) {
  reach_descriptor("fsync", descriptor);
  return real<int (*)(int)>("fsync")(descriptor);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  if (descriptor >= 0 && descriptor < 4096 && watched[descriptor] && !written[descriptor]) {
    written[descriptor] = true;
    reach("write", "");
  }
  return real<ssize_t (*)(int, const void*, size_t)>("write")(descriptor, bytes, count);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*work)(void*),
                   void* argument) {
  const auto create =
      real<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  const char* left = setting("THREADS_LEFT");
  if (*left == '\0') return create(thread, attributes, work, argument);
  if (threads.fetch_add(1) >= std::atol(left)) {
    threads.fetch_sub(1);
    return EAGAIN;
  }
  return create(thread, attributes, work_and_leave, new Work{work, argument});
}

}  // extern "C"
