// The site of tools/docs: it is made without a warning, holds every page, asks no network, and its search works from
// disk.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "support/command.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_site)

using namespace oxbow::test;

namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

Finished make(const std::string& folder, const std::string& pages = source("tools/docs")) {
  return command("OXBOW=" + program("oxbow") + " " + pages + "/site/build " + folder + " 2>&1");
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_page_is_there_and_can_be_searched_without_a_network) {
  const TemporaryFolder folder;
  const std::string site = folder / "site";
  const auto [code, output] = make(site);
  BOOST_REQUIRE_MESSAGE(code == 0, output);
  BOOST_TEST(output == site + "/index.html\n");

  for (const auto& page : std::filesystem::directory_iterator(source("tools/docs")))
    if (page.path().extension() == ".md") {
      const std::filesystem::path made = site + "/" + page.path().stem().string() + ".html";
      BOOST_TEST(std::filesystem::exists(made), made);
    }
  const std::regex fetched("<(script|link|img|iframe)[^>]*(src|href)=\"(https?:)?//");
  int pages = 0;
  for (const auto& page : std::filesystem::recursive_directory_iterator(site))
    if (page.path().extension() == ".html") {
      BOOST_TEST(!std::regex_search(contents(page.path()), fetched), page.path());
      ++pages;
    }
  BOOST_TEST(pages > 30);

  const auto search =
      command(browser() + " --headless --no-sandbox --disable-gpu --user-data-dir=" + folder / "profile" +
              " --virtual-time-budget=20000 --dump-dom 'file://" + site + "/search.html?q=memory+budget' 2>/dev/null");
  BOOST_TEST(search.code == 0);
  BOOST_TEST(search.output.find("href=\"howto.html") != std::string::npos, "the search for \"memory budget\" failed");
}

BOOST_AUTO_TEST_CASE(a_link_to_nowhere_is_an_error) {
  const TemporaryFolder folder;
  const std::string copy = folder / "tools/docs";
  std::filesystem::create_directories(folder / "tools");
  std::filesystem::copy(source("tools/docs"), copy, std::filesystem::copy_options::recursive);
  std::filesystem::copy(source("tools/examples"), folder / "tools/examples");
  std::filesystem::copy(source("CMakeLists.txt"), folder / "CMakeLists.txt");
  std::ofstream(copy + "/random.md", std::ios::app) << "\n[See](dtypes.md#no-such-heading)\n";
  const auto [code, output] = make(folder / "site", copy);
  BOOST_TEST(code != 0);
  BOOST_TEST(output.find("dtypes.md#no-such-heading") != std::string::npos, output);
}

BOOST_AUTO_TEST_SUITE_END()
