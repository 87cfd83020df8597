#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/data/idx_format.h>
#include <oxbow/optim/data/npy_format.h>
#include <oxbow/optim/mapped.h>
#include <oxbow/runtime/files/mapped_file.h>
#include <oxbow/runtime/files/safetensors_header.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace oxbow {
using namespace internal;
using namespace optim::internal;

namespace {

// Bytes [at, at + count) of a file; of an empty one, which is mapped nowhere, none.
void copy_bytes(std::string_view file, std::int64_t at, void* to, std::int64_t count) {
  file.copy(static_cast<char*>(to), static_cast<std::size_t>(count), static_cast<std::size_t>(at));
}

// Rows of a tensor of this type whose bytes begin at `at`. `file` names it in messages.
Rows mapped_rows(const std::shared_ptr<const MappedFile>& mapped, const std::string& file, const Type& type,
                 std::int64_t at, bool swapped) {
  if (type.shape.rank() == 0) throw Error(file + " holds a scalar, which has no rows");
  const Type row{type.dtype, type.shape.without(0)};
  const std::int64_t bytes = row.bytes(), size = size_of(type.dtype);
  return {row, type.shape[0], [=](std::int64_t number, std::int64_t, std::byte* to) {
            if (bytes == 0) return;
            copy_bytes(mapped->text(), at + number * bytes, to, bytes);
            for (std::int64_t i = 0; swapped && i < bytes; i += size) std::reverse(to + i, to + i + size);
            if (row.dtype == boolean && std::any_of(to, to + bytes, [](std::byte b) { return b > std::byte{1}; }))
              throw Error(file + ": row " + std::to_string(number) +
                          " is of bool, but has bytes other than 0 and 1. It was damaged: copy it again");
          }};
}

}  // namespace

Rows map_npy(const std::string& path) {
  return with_own_errors("cannot read", path, [&] {
    const auto file = std::make_shared<const MappedFile>(path);
    std::int64_t at = 0;
    try {
      const NpyHead head = read_npy_head(std::ssize(file->text()), [&](void* to, std::int64_t count) {
        copy_bytes(file->text(), at, to, count);
        at += count;
      });
      if (head.fortran && head.type.shape.rank() > 1)
        throw Error(path +
                    " has its first axis fastest, so that no row is in one place. Save numpy.ascontiguousarray(x)");
      return mapped_rows(file, path, head.type, head.bytes, head.swapped);
    } catch (const NotNpy& e) {
      throw Error(path + " is not a valid npy file: " + e.what());
    }
  });
}

Rows map_idx(const std::string& path) {
  return with_own_errors("cannot read", path, [&] {
    const auto file = std::make_shared<const MappedFile>(path);
    const std::string_view text = file->text();
    const auto fail = [&](const std::string& what) { throw Error(path + " is not a valid IDX file: " + what); };
    if (text.starts_with("\x1f\x8b"))
      throw Error(path + " is gzipped, so that no row has a place. Unpack it with gunzip");
    std::int64_t at = 0;
    IdxHead head;
    try {
      head = read_idx_head([&](std::byte* to, std::int64_t count) {
        const std::int64_t some = std::min(count, std::ssize(text) - at);
        copy_bytes(text, at, to, some);
        at += some;
        return some;
      });
    } catch (const NotIdx& e) {
      fail(e.what());
    }
    const std::int64_t expected = head.type.count() * head.element, there = std::ssize(text) - head.bytes;
    if (expected != there)
      fail("shape " + to_string(head.type.shape) + " takes " + std::to_string(expected) + " bytes, but " +
           std::to_string(there) + " follow");
    if (head.type.shape.rank() == 0) throw Error(path + " holds a scalar, which has no rows");
    const Type row{head.type.dtype, head.type.shape.without(0)};
    const std::int64_t count = row.count();
    return Rows(row, head.type.shape[0], [=](std::int64_t number, std::int64_t, std::byte* to) {
      std::vector<std::byte> raw(static_cast<std::size_t>(count * head.element));
      if (raw.empty()) return;
      copy_bytes(file->text(), head.bytes + number * std::ssize(raw), raw.data(), std::ssize(raw));
      convert_idx(head, raw.data(), count, to);
    });
  });
}

Dataset map_safetensors(const std::string& path) {
  return with_own_errors("cannot read", path, [&] {
    const auto [header, data] = read_header(InputFile(path));
    const auto file = std::make_shared<const MappedFile>(path);
    Dataset all;
    for (const SafetensorsHeader::Entry& e : header.entries)
      all.add(e.name, mapped_rows(file, path + ", tensor " + in_quotes(e.name), e.type, data + e.begin, false));
    return all;
  });
}

}  // namespace oxbow
