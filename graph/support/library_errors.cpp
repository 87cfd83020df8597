#include <oxbow/graph/error.h>
#include <oxbow/graph/support/library_errors.h>

#include <new>
#include <system_error>

namespace oxbow {

void rethrow_as_error(const std::string& doing) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const InternalError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error(doing + ": out of memory");
  } catch (const std::length_error&) {  // what a container says to a size that no memory has
    throw Error(doing + ": out of memory");
  } catch (const std::system_error& e) {  // of a file system too: its own text repeats the path
    throw Error(doing + ": " + e.code().message());
  } catch (const std::exception& e) {
    throw Error(doing + ": " + e.what());
  }
}

}  // namespace oxbow
