// The one `main` of all test programs.
#define BOOST_TEST_MODULE oxbow
#include <boost/test/unit_test.hpp>
