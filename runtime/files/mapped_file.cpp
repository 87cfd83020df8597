#include <oxbow/graph/error.h>
#include <oxbow/runtime/files/input_file.h>
#include <oxbow/runtime/files/mapped_file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace oxbow::internal {

MappedFile::MappedFile(const std::string& path) {
  const InputFile file(path);
  if (file.size() == 0) return;  // nothing cannot be mapped
  const auto size = static_cast<std::size_t>(file.size());
  void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (bytes == MAP_FAILED) throw Error("cannot read " + path + ": " + std::generic_category().message(errno));
  bytes_ = bytes;
  size_ = size;
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(bytes_, size_);
}

void MappedFile::forget(std::string_view part) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (static_cast<std::size_t>(part.data() - text().data()) + page - 1) / page * page;
  const auto end = static_cast<std::size_t>(part.data() + part.size() - text().data()) / page * page;
  if (begin < end) ::madvise(static_cast<char*>(bytes_) + begin, end - begin, MADV_DONTNEED);
}

}  // namespace oxbow::internal
