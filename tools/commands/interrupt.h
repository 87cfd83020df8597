// Ctrl-C as a request to stop. Thread safety: made once, before any other thread of the program.
#pragma once

#include <stop_token>

namespace oxbow::tools {

class Interrupt {
 public:
  /// From here on SIGINT and SIGTERM ask for a stop, and a second one ends the program at once. Where the system
  /// refuses the thread that waits for them, the first one does.
  Interrupt();
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
};

}  // namespace oxbow::tools
