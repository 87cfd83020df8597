// A wrong call has to say what is wrong.
#pragma once

#include <boost/test/unit_test.hpp>

#include "support/has.h"
#include "support/message.h"

namespace oxbow::test {

/// The message of the `Error` that `f` throws has this text; nothing thrown is a failure as well.
template <class F>
void says(const F& f, std::string_view text) {
  const std::string said = message(f);
  BOOST_TEST(has(said, text), said);
}

}  // namespace oxbow::test
