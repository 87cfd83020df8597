// What only a process of its own shows: threads that the system refuses, and a process that ends during a run.
#include <boost/test/unit_test.hpp>

#include "support/command.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_processes)

using namespace oxbow::test;

// Whichever thread cannot be had is done without, whoever asked for it, and the bits are the same.
BOOST_AUTO_TEST_CASE(a_thread_that_the_system_refuses_is_done_without) {
  const std::string train = "timeout 60 " + program("thread_program") + " train ";
  const Finished expected = command(train + "1 -");
  BOOST_REQUIRE_EQUAL(expected.code, 0);
  for (const std::string threads : {"2", "4"})
    for (const std::string failing : {"-", "0", "1", "2", "3", "4", "5", "0,1", "0,1,2,3,4,5,6,7,8,9"}) {
      const Finished run = command(train + threads + " " + failing + " 2>&1");
      BOOST_TEST(run.code == 0, threads << " threads without " << failing << ": " << run.code);
      BOOST_TEST(run.output == expected.output, threads << " threads without " << failing << ": " << run.output);
    }
}

BOOST_AUTO_TEST_CASE(a_process_ends_while_other_threads_run_products) {
  for (const std::string threads : {"1", "2", "4"})
    for (int i = 0; i < 10; ++i)
      BOOST_REQUIRE_EQUAL(command("timeout 60 " + program("thread_program") + " exit " + threads).code, 0);
}

// From too little to load the program to enough: there is a message, or the right bits.
BOOST_AUTO_TEST_CASE(little_address_space_is_an_error_or_enough) {
  const std::string train = program("thread_program") + " train 1 -";
  const Finished expected = command(train);
  int trained = 0;
  for (int megabytes = 8; megabytes <= 160; megabytes += 4) {
    const Finished run = command("ulimit -v " + std::to_string(1024 * megabytes) + "; timeout 60 " + train + " 2>&1");
    BOOST_TEST((run.code == 0 || run.code == 1 || run.code == 127), megabytes << " MB: " << run.code << run.output);
    if (run.code == 0) BOOST_TEST(run.output == expected.output);
    trained += run.code == 0;
  }
  BOOST_TEST(trained > 0);
}

BOOST_AUTO_TEST_SUITE_END()
