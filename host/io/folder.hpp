// A folder that is held open, files named relative to it, and what a folder holds.
#pragma once

#include <concepts>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace vaecuda {

/// Its members open, rename and remove entries of this folder, also after the folder was moved or another one
/// has its path. Errors are RuntimeErrors of throw_output_error, naming the folder by path().
class Folder {
 public:
  /// `shown`: the path in messages, if not `path`.
  explicit Folder(const std::filesystem::path& path, const std::filesystem::path& shown = {});
  /// A folder in `parent`; messages show the parent's path, because the contents are to be moved there. Links
  /// are not followed.
  Folder(const Folder& parent, const std::string& name);
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// The path at opening.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// The current path: path() if that leads here, else the one that the system reports.
  [[nodiscard]] std::filesystem::path path_now() const;

  /// Locks the folder for this process until it is closed; the system releases the lock when the process ends
  /// in any way. Creates no file. Does nothing if the file system does not support locks.
  /// \throws ConfigError if another process holds it
  void lock() const;

  /// All names in it except . and .., sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Whether it has an entry of this name: a file, a folder, or a link that leads nowhere.
  [[nodiscard]] bool holds(const std::string& name) const;
  /// Does nothing if there is no such file.
  void remove(const std::string& name) const;
  void make_folder(const std::string& name) const;
  /// Removes an empty folder.
  void remove_folder(const std::string& name) const;
  /// Renames an entry, here or into another folder of the same file system; an existing file is replaced.
  void rename(const std::string& name, const Folder& to, const std::string& new_name) const;
  /// Returns when its entries are on the disk.
  void sync() const;

 private:
  [[noreturn]] void fail(const char* attempt, const std::string& name, int error) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// The place of an existing or new file: a path, or a name in a folder that is held open.
class Place {
 public:
  template <typename Path>
  requires std::convertible_to<const Path&, std::filesystem::path> Place(const Path& path)
      : path_(path) {}  // NOLINT(*-explicit-*): a path is a place
  Place(std::shared_ptr<const Folder> folder, std::string name)
      : path_(folder->path() / name), folder_(std::move(folder)), name_(std::move(name)) {}
  Place(std::shared_ptr<const Folder> folder, std::string name, std::filesystem::path path)
      : path_(std::move(path)), folder_(std::move(folder)), name_(std::move(name)) {}

  /// The path in messages.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Null if the place is only a path.
  [[nodiscard]] const std::shared_ptr<const Folder>& folder() const { return folder_; }
  /// In folder().
  [[nodiscard]] const std::string& name() const { return name_; }
  /// open(2) or openat(2), close-on-exec, retried after an interruption; -1 and errno on failure.
  [[nodiscard]] int open(int flags) const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const Folder> folder_;
  std::string name_;
};

/// All names except . and .., sorted, so that nothing depends on the order of the file system. `error` is
/// set, and the names are incomplete, if the folder cannot be read. Used instead of std::filesystem's
/// iterators, which end the process if memory is short. \throws std::bad_alloc
[[nodiscard]] std::vector<std::string> list_folder(const std::filesystem::path& folder,
                                                   std::error_code& error);
/// The same for a folder that is open as `descriptor`, which is left unchanged.
[[nodiscard]] std::vector<std::string> list_folder(int descriptor, std::error_code& error);

/// \throws FileError naming an entry of the folder that is neither a file nor a folder (links are followed):
/// reading would wait for a pipe, and never end for a device.
void refuse_pipes(const std::filesystem::path& folder);

}  // namespace vaecuda
