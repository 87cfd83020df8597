#include <oxbow/graph/support/library_errors.h>
#include <oxbow/optim/data/npy_format.h>
#include <oxbow/optim/npy.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/files/input_file.h>

namespace oxbow {
using namespace internal;
using namespace optim::internal;

Tensor load_npy(const std::string& path) {
  return with_own_errors("cannot read", path, [&] {
    const InputFile file(path);
    std::int64_t at = 0;
    try {
      return read_npy(file.size(), [&](void* to, std::int64_t count) {
        file.read(at, to, count);
        at += count;
      });
    } catch (const NotNpy& e) {
      throw Error(path + " is not a valid npy file: " + e.what());
    }
  });
}

void save_npy(const std::string& path, const Tensor& tensor) {
  with_own_errors("cannot save", path, [&] {
    std::string head;
    try {
      head = npy_head(tensor.type());
    } catch (const NotNpy& e) {
      throw Error("cannot save " + path + ": " + e.what());
    }
    AtomicFile file(path);
    file.write(head);
    file.write(tensor.bytes(), static_cast<std::size_t>(tensor.type().bytes()));
    file.commit();
  });
}

}  // namespace oxbow
