// Archives by libzip, read from mapped bytes and written to memory, so that files are opened and replaced in one way.
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/data/npy_format.h>
#include <oxbow/optim/npz.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/files/mapped_file.h>
#include <zip.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <unordered_set>

namespace oxbow {
using namespace internal;
using namespace optim::internal;

namespace {

constexpr std::string_view ending = ".npy";

struct Close {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* member) const { zip_fclose(member); }
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, Close>;
using Member = std::unique_ptr<zip_file_t, Close>;
using Source = std::unique_ptr<zip_source_t, Close>;

class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  zip_error_t* get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_;
};

std::string text_of(zip_error_t* error) { return zip_error_strerror(error); }

class NpzReader {
 public:
  explicit NpzReader(const std::string& path) : path_(path), file_(path) {}

  Npz read() {
    const std::string_view bytes = file_.text();
    if (!bytes.starts_with("PK")) fail("it does not begin with \"PK\"");
    ZipError error;
    Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get()));
    if (source) archive_.reset(zip_open_from_source(source.get(), ZIP_RDONLY, error.get()));
    if (!archive_) fail(error.text() + ". It was cut short or damaged: copy it again");
    source.release();  // the archive's now
    const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
    check(count);
    Npz all;
    for (zip_int64_t i = 0; i < count; ++i) all.arrays.push_back(array(static_cast<zip_uint64_t>(i)));
    return all;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(path_ + " is not a valid npz file: " + what); }

  zip_stat_t stat(zip_uint64_t i) const {
    zip_stat_t stat;
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(archive_.get(), i, 0, &stat) != 0 || (stat.valid & needed) != needed)
      fail("what it says of member " + std::to_string(i) + " is damaged. Copy it again");
    return stat;
  }

  // Names, and before anything is unpacked how large all of it is: a small file can unpack to more than a disk holds.
  void check(zip_int64_t count) const {
    std::unordered_set<std::string_view> names;
    std::uint64_t unpacked = 0;
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    for (zip_int64_t i = 0; i < count; ++i) {
      const zip_stat_t s = stat(static_cast<zip_uint64_t>(i));
      const std::string_view name = s.name;
      if (!name.ends_with(ending))
        fail("it holds " + in_quotes(name) + ", which is no array: their names end with \".npy\"");
      if (!names.insert(name).second) fail("it holds " + in_quotes(name) + " twice");
      if (s.encryption_method != ZIP_EM_NONE) fail("its member " + in_quotes(name) + " is encrypted");
      if (s.comp_method != ZIP_CM_STORE && s.comp_method != ZIP_CM_DEFLATE)
        fail("its member " + in_quotes(name) + " is packed by method " + std::to_string(s.comp_method) +
             ". NumPy's are stored or deflated");
      unpacked = s.size > most - unpacked ? most : unpacked + s.size;
    }
    const std::uint64_t size = file_.text().size();
    if (unpacked > limits::unpacked_bytes && unpacked / limits::unpacked_times > size)
      fail("it would unpack to " + std::to_string(unpacked) + " bytes, more than " +
           std::to_string(limits::unpacked_times) + " times its own " + std::to_string(size) +
           ". If that is meant, unpack it with unzip, and read each .npy file by itself");
  }

  std::pair<std::string, Tensor> array(zip_uint64_t i) const {
    const zip_stat_t s = stat(i);
    const std::string member = s.name, at = "its member " + in_quotes(member) + ": ";
    const Member in(zip_fopen_index(archive_.get(), i, 0));
    if (!in) fail(at + text_of(zip_get_error(archive_.get())));
    const auto some = [&](char* to, std::int64_t count) {
      const zip_int64_t got = zip_fread(in.get(), to, static_cast<zip_uint64_t>(count));
      if (got < 0) fail(at + text_of(zip_file_get_error(in.get())) + ". It was damaged: copy it again");
      return got;
    };
    const auto read = [&](void* to, std::int64_t count) {
      for (auto* next = static_cast<char*>(to); count > 0;) {
        const zip_int64_t got = some(next, count);
        if (got == 0) fail(at + "it is shorter than the archive says. Copy it again");
        next += got;
        count -= got;
      }
    };
    try {
      Tensor tensor = read_npy(static_cast<std::int64_t>(s.size), read);
      char more;
      if (some(&more, 1) > 0) fail(at + "it is longer than the archive says. Copy it again");  // and its checksum holds
      return {member.substr(0, member.size() - ending.size()), std::move(tensor)};
    } catch (const NotNpy& e) {
      fail(at + e.what());
    }
  }

  const std::string& path_;
  MappedFile file_;
  Archive archive_;
};

void check_names(const std::vector<std::pair<std::string, Tensor>>& arrays) {
  std::unordered_set<std::string_view> names;
  for (const auto& [name, tensor] : arrays) {
    if (!names.insert(name).second) throw Error("there are two arrays " + in_quotes(name));
    bool bad = name.empty() || name.size() > limits::npz_name_bytes;
    for (std::size_t i = 0; i < name.size() && !bad;) {
      const Utf8Character c = utf8_at(name, i);
      bad = !c.valid || c.point == 0;
      i += c.length;
    }
    if (bad)
      throw Error(in_quotes(name) + " cannot be an array's name. Give UTF-8 of 1 to " +
                  std::to_string(limits::npz_name_bytes) + " bytes, none of them 0");
  }
}

std::string archive_of(const std::vector<std::pair<std::string, Tensor>>& arrays, const NpzOptions& options) {
  if (arrays.empty()) return std::string("PK\5\6") + std::string(18, '\0');  // libzip writes no such archive
  ZipError error;
  Source whole(zip_source_buffer_create(nullptr, 0, 0, error.get()));
  if (!whole) throw Error(error.text());
  Archive archive(zip_open_from_source(whole.get(), ZIP_CREATE | ZIP_TRUNCATE, error.get()));
  if (!archive) throw Error(error.text());
  zip_source_keep(whole.get());  // one holder is the archive, the other `whole`
  const auto worked = [&](bool yes) {
    if (!yes) throw Error(text_of(zip_get_error(archive.get())));
  };
  std::deque<std::string> heads;  // which do not move
  for (const auto& [name, tensor] : arrays) {
    std::string& head = heads.emplace_back(npy_head(tensor.type()));
    auto* bytes = reinterpret_cast<zip_uint8_t*>(const_cast<std::byte*>(tensor.bytes()));
    const zip_buffer_fragment_t parts[] = {{reinterpret_cast<zip_uint8_t*>(head.data()), head.size()},
                                           {bytes, static_cast<zip_uint64_t>(tensor.type().bytes())}};
    Source source(zip_source_buffer_fragment_create(parts, tensor.type().bytes() > 0 ? 2 : 1, 0, error.get()));
    if (!source) throw Error(error.text());
    const zip_int64_t i =
        zip_file_add(archive.get(), (name + std::string(ending)).c_str(), source.get(), ZIP_FL_ENC_UTF_8);
    worked(i >= 0);
    source.release();
    const auto at = static_cast<zip_uint64_t>(i);
    worked(zip_set_file_compression(archive.get(), at, options.compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) == 0);
    worked(zip_file_set_dostime(archive.get(), at, 0, 1 << 5 | 1, 0) == 0);  // 1980-01-01, the first that there is
  }
  worked(zip_close(archive.get()) == 0);
  archive.release();
  zip_stat_t stat;
  if (zip_source_open(whole.get()) != 0 || zip_source_stat(whole.get(), &stat) != 0)
    throw Error(text_of(zip_source_error(whole.get())));
  std::string bytes(stat.size, '\0');
  if (zip_source_read(whole.get(), bytes.data(), bytes.size()) != std::ssize(bytes))
    throw Error(text_of(zip_source_error(whole.get())));
  zip_source_close(whole.get());
  return bytes;
}

}  // namespace

std::vector<std::string> Npz::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : arrays) names.push_back(name);
  return names;
}

const Tensor& Npz::operator[](std::string_view name) const {
  for (const auto& [own, tensor] : arrays)
    if (own == name) return tensor;
  throw Error(no_such("array", name, names()));
}

Dataset Npz::dataset() const {
  Dataset data;
  for (const auto& [name, tensor] : arrays) data.add(name, tensor);
  return data;
}

Npz load_npz(const std::string& path) {
  return with_own_errors("cannot read", path, [&] { return NpzReader(path).read(); });
}

void save_npz(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& arrays,
              const NpzOptions& options) {
  with_own_errors("cannot save", path, [&] {
    std::string bytes;
    try {
      check_names(arrays);
      bytes = archive_of(arrays, options);
    } catch (const Error& e) {
      throw Error("cannot save " + path + ": " + e.what());
    }
    write_file(path, bytes);
  });
}

}  // namespace oxbow
