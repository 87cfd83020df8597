#include "onnx/read/mapping.h"

#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/files/calls.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace oxbow::onnx {
using namespace internal;

Mapping::Mapping(const std::string& path) {
  struct stat found {};
  // Without waiting for the writer of a pipe, as InputFile does.
  const int file = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  const auto fail = [&](const std::string& reason) {
    if (file >= 0) ::close(file);
    throw Error("cannot read " + path + ": " + reason);
  };
  if (file < 0 || ::fstat(file, &found) != 0) fail(std::generic_category().message(errno));
  if (!S_ISREG(found.st_mode)) fail("it is not a regular file");
  size_ = static_cast<std::size_t>(found.st_size);
  if (size_ > 0) {  // nothing cannot be mapped
    bytes_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes_ == MAP_FAILED) fail(std::generic_category().message(errno));
  }
  ::close(file);
}

Mapping::~Mapping() {
  if (size_ > 0) ::munmap(bytes_, size_);
}

void Mapping::forget(std::string_view part) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (static_cast<std::size_t>(part.data() - text().data()) + page - 1) / page * page;
  const auto end = static_cast<std::size_t>(part.data() + part.size() - text().data()) / page * page;
  if (begin < end) ::madvise(static_cast<char*>(bytes_) + begin, end - begin, MADV_DONTNEED);
}

std::string external_path(const std::string& model, const std::string& location) {
  namespace fs = std::filesystem;
  const auto refuse = [&](const std::string& why) {
    throw Error("a tensor's elements lie in " + in_quotes(location) + ", which " + why +
                "\n  Put the file beside the model, or below its folder");
  };
  if (location.empty() || location.find('\0') != std::string::npos) refuse("is no name of a file");
  const fs::path asked(location);
  if (asked.is_absolute() || location.find('\\') != std::string::npos) refuse("is not relative to the model's folder");
  for (const fs::path& part : asked)
    if (part == "..") refuse("leads out of the model's folder");
  const fs::path folder = fs::path(model).parent_path();
  std::error_code wrong;
  const fs::path here = fs::canonical(folder.empty() ? fs::path(".") : folder, wrong);
  if (wrong) refuse("cannot be looked for: " + wrong.message());
  const fs::path there = fs::canonical(here / asked, wrong);
  if (wrong) refuse("cannot be read: " + wrong.message());
  if (std::mismatch(here.begin(), here.end(), there.begin(), there.end()).first != here.end())
    refuse("leads out of the model's folder by a link");
  return there.string();
}

}  // namespace oxbow::onnx
