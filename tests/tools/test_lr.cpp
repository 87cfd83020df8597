// `oxbow lr` and `oxbow plot` as a shell user meets them: verdicts, pictures, messages.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/program.h"

BOOST_AUTO_TEST_SUITE(test_lr)

using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(a_loss_curve_is_judged_and_drawn) {
  const TemporaryFolder folder;
  std::string slow = "step,loss\n", bad = "0.5\n0.7\nnan\n", json = "{\"loss\": [";
  for (int i = 1; i <= 50; ++i) {
    slow += std::to_string(i) + "," + std::to_string(2 - 0.001 * i) + "\n";
    json += (i > 1 ? ", " : "") + std::to_string(std::exp(-0.1 * i));
  }
  const std::string a = folder.write("slow.csv", slow), b = folder.write("bad.csv", bad),
                    c = folder.write("good.json", json + "]}");
  const Finished verdict = oxbow_("lr judge " + a);
  BOOST_TEST(verdict.code == 0);
  BOOST_TEST(verdict.output.starts_with("too slow: the loss fell by only 2.2 % over 50 steps, from 1.998 to 1.954, and "
                                        "as fast at the end as at the start\nMultiply the learning rate by 10"),
             verdict.output);
  BOOST_TEST(has(oxbow_("lr judge " + b).output, "diverging: the loss of step 3 is not finite\n"));
  BOOST_TEST(has(oxbow_("lr judge " + c).output, "healthy: the loss fell from "));
  BOOST_TEST(has(oxbow_("lr judge " + a + " " + c).output, a + ": too slow: "));

  const std::string sharpness = oxbow_("lr sharpness xor").output;
  BOOST_TEST(sharpness.starts_with("xor: sharpness 0."), sharpness);
  BOOST_TEST(has(sharpness, "Plain descent is stable for rates below 2 / sharpness = "));
  BOOST_TEST(has(oxbow_("lr sharpness xor --products 1").output, "not converged: give more by --products"));

  const std::string picture = oxbow_("plot " + a + " " + c).output;
  BOOST_TEST(picture.starts_with("<svg "), picture.substr(0, 200));
  for (const char* run : {">slow</text>", ">good</text>"}) BOOST_TEST(has(picture, run));
  BOOST_TEST(oxbow_("plot " + a + " -o " + (folder / "page.html")).output == "");
  const std::string page = folder.read("page.html");
  BOOST_TEST(has(page, "<!doctype html>"));
  BOOST_TEST(has(page, "\"name\":\"slow\""));
  BOOST_TEST(!has(page, "src="));

  const std::pair<std::string, std::string> wrong[] = {
      {"lr judge /nowhere", "cannot read /nowhere: No such file or directory\n"},
      {"lr judge " + folder.write("few.csv", "1\n2\n"),
       (folder / "few.csv") + ": judge: 2 losses are too few to judge. Give at least 20: those of single steps, say\n"},
      {"lr judge " + folder.write("odd.csv", "step,loss\n1,2\n3\n"),
       (folder / "odd.csv") + ":3: expected 2 fields, found 1\n"},
      {"lr judge " + folder.write("word.csv", "step,loss\n1,two\n"),
       (folder / "word.csv") + ": column \"loss\" is not a column of numbers. " + (folder / "word.csv") +
           ":2: \"two\" is not a number\n"},
      {"lr judge --column x " + a, a + ": there is no column \"x\". There are: step, loss\n"},
      {"lr judge " + folder.write("none.csv", "a,b,c\n1,2,3\n"),
       (folder / "none.csv") + ": there is no column \"loss\". There are: a, b, c\n"},
      {"plot --column x " + a, a + ": there is no column \"x\". There are: step, loss\n"},
      {"plot " + folder.write("nan.csv", "step,loss\n1,nan\n2,inf\n"),
       (folder / "nan.csv") + ": column \"loss\" has no finite value to draw\n"},
      {"plot " + folder.write("low.csv", "step,loss\n1,-1\n2,0\n"),
       (folder / "low.csv") + ": column \"loss\" has no value above 0, and a logarithmic axis shows no others\n" +
           "  Draw it with --linear\n"},
  };
  for (const auto& [arguments, said] : wrong) {
    const Finished run = oxbow_(arguments);
    BOOST_TEST(run.code == 1, arguments);
    BOOST_TEST(run.output == "oxbow: " + said, arguments);
  }
}

// Beside others, a run with nothing to draw is named and does not stop them.
BOOST_AUTO_TEST_CASE(a_run_of_infinities_is_named_beside_others) {
  const TemporaryFolder folder;
  const std::string inf = folder.write("inf.csv", "step,loss\n1,inf\n2,nan\n"),
                    fine = folder.write("fine.csv", "step,loss\n1,2\n2,1\n");
  const Finished both = oxbow_("plot " + inf + " " + fine);
  BOOST_TEST(both.code == 0);
  BOOST_TEST(has(both.output, ">inf (nothing to draw)</text>"), both.output);
  BOOST_TEST(has(both.output, ">fine</text>"));
  BOOST_TEST(oxbow_("plot --linear " + folder.write("low.csv", "step,loss\n1,-1\n2,0\n")).code == 0);
}

BOOST_AUTO_TEST_CASE(a_descent_is_drawn_and_a_rate_found) {
  const TemporaryFolder folder;
  const std::string paths = oxbow_("lr path --rate 0.05 0.19 --steps 4").output;
  BOOST_TEST(paths.starts_with("<svg "), paths.substr(0, 200));
  BOOST_TEST(has(paths, "rate 0.19</text>"));
  BOOST_TEST(has(paths, "marker-end"));
  BOOST_TEST(oxbow_("lr path --steps 4 -o " + (folder / "path.html")).output == "");
  BOOST_TEST(folder.read("path.html").starts_with("<!doctype html>"));
  const Finished found =
      oxbow_("lr find --batch-size 16 --steps 40 -o " + (folder / "lr.svg") + small_mnist(folder, 64, 8));
  BOOST_TEST(found.code == 0);
  for (const char* rule : {"  valley ", "  steepest ", "  minimum/10 ", "  slide "})
    BOOST_TEST(has(found.output, rule));
  BOOST_TEST(has(folder.read("lr.svg"), ">steepest</text>"));

  // All of these rates are far too small to learn by.
  const Finished nothing = oxbow_("lr find --batch-size 16 --steps 40 --highest 1e-6 -o " + (folder / "none.svg") +
                                  small_mnist(folder, 64, 8));
  BOOST_TEST(nothing.code == 0);
  BOOST_TEST(has(nothing.output, "No rate made the loss fall by more than its noise and 1 %, so none is suggested."));
  for (const char* word : {"minimum/10", "Try one", "nan"}) BOOST_TEST(!has(nothing.output, word), nothing.output);
  BOOST_TEST(!has(folder.read("none.svg"), ">steepest</text>"));
  // A tenth of any of these is below the lowest.
  const Finished narrow = oxbow_("lr find --batch-size 16 --steps 40 --lowest 3e-3 --highest 1e-2 -o " +
                                 (folder / "narrow.svg") + small_mnist(folder, 64, 8));
  BOOST_TEST(has(narrow.output, "the first to try; below --lowest, so the test did not try it\n"), narrow.output);
}

BOOST_AUTO_TEST_SUITE_END()
