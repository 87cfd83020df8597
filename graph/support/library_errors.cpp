#include <oxbow/graph/error.h>
#include <oxbow/graph/support/library_errors.h>

#include <new>
#include <system_error>

namespace oxbow::internal {

void rethrow_as_error(std::string_view doing, std::string_view what) {
  const auto because = [&](const std::string& reason) {
    return Error(std::string(doing) + " " + std::string(what) + ": " + reason);
  };
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const InternalError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw because("out of memory");
  } catch (const std::length_error&) {  // what a container says to a size that no memory has
    throw because("out of memory");
  } catch (const std::system_error& e) {  // of a file system too: its own text repeats the path
    throw because(e.code().message());
  } catch (const std::exception& e) {
    throw because(e.what());
  }
}

}  // namespace oxbow::internal
