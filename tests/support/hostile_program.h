// What must hold for any program that builds a graph and runs it, bytes saying which (see hostile_calls.h): every
// refusal is an `Error`; the graph keeps all invariants; its text and its plan's are read back to the same; it can be
// differentiated; and on 1 and 2 threads it gives the bits of the plain interpreter, or fails. For the fuzzer and for
// the test that reads its corpus.
#pragma once

#include <string>
#include <string_view>

namespace oxbow::test {

/// "" when all holds, otherwise what does not.
std::string run_hostile_program(std::string_view bytes);

}  // namespace oxbow::test
