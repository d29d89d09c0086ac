// A folder that is held open, and files that are named in it.
#pragma once

#include <concepts>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vaecuda {

/// What is opened, renamed or removed by its members lies in this folder, also after the folder itself was
/// moved or another one took its path. Errors are RuntimeErrors of throw_output_error, naming the folder by
/// path().
class Folder {
 public:
  /// `shown`: what messages call it, where that is not `path`.
  explicit Folder(const std::filesystem::path& path, const std::filesystem::path& shown = {});
  /// A folder in `parent`, which messages call as its parent: what it holds is on its way there. Links are
  /// not followed.
  Folder(const Folder& parent, const std::string& name);
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// As it was named when it was opened.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// As it is named now: path() where that still leads here, else what the system knows it by.
  [[nodiscard]] std::filesystem::path path_now() const;

  /// For this process alone, until the folder is closed; the system gives it back when the process ends,
  /// however it ends. Leaves no file. Where the file system knows no locks it does nothing.
  /// \throws ConfigError if another process holds it
  void lock() const;

  /// All names in it but . and .., sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Whether it has an entry of this name: a file, a folder, or a link that leads nowhere.
  [[nodiscard]] bool holds(const std::string& name) const;
  /// Does nothing where there is no such file.
  void remove(const std::string& name) const;
  void make_folder(const std::string& name) const;
  /// An empty one.
  void remove_folder(const std::string& name) const;
  /// Gives an entry another name, here or in another folder of the same file system; a file there is
  /// replaced.
  void rename(const std::string& name, const Folder& to, const std::string& new_name) const;
  /// Returns when the names in it are on the disk.
  void sync() const;

 private:
  [[noreturn]] void fail(const char* attempt, const std::string& name, int error) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// Where a file is or is to be: at a path, or under a name in a folder that is held open.
class Place {
 public:
  template <typename Path>
  requires std::convertible_to<const Path&, std::filesystem::path> Place(const Path& path)
      : path_(path) {}  // NOLINT(*-explicit-*): a path is a place
  Place(std::shared_ptr<const Folder> folder, std::string name)
      : path_(folder->path() / name), folder_(std::move(folder)), name_(std::move(name)) {}
  Place(std::shared_ptr<const Folder> folder, std::string name, std::filesystem::path path)
      : path_(std::move(path)), folder_(std::move(folder)), name_(std::move(name)) {}

  /// What messages name.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Null where it is a path alone.
  [[nodiscard]] const std::shared_ptr<const Folder>& folder() const { return folder_; }
  /// In folder().
  [[nodiscard]] const std::string& name() const { return name_; }
  /// open(2) or openat(2), close-on-exec, again after an interruption; -1 and errno where it fails.
  [[nodiscard]] int open(int flags) const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const Folder> folder_;
  std::string name_;
};

}  // namespace vaecuda
