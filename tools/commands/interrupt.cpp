#include "commands/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <system_error>
#include <thread>

namespace oxbow::tools {

// On a thread of its own: what a signal handler may do is far too little.
Interrupt::Interrupt() {
  sigset_t signals, before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &before);  // before any other thread starts, so that all inherit it
  try {
    std::thread([signals, source = source_]() mutable {
      int which = 0;
      sigwait(&signals, &which);
      source.request_stop();
      pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
      pause();
    }).detach();
  } catch (const std::system_error&) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
}

}  // namespace oxbow::tools
