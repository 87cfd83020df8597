// The C boundary as a program in C calls it: what a model is, runs of any size, and every mistake told by a status and
// a message. Labels: memory, threads.
#include <oxbow/c_api.h>
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <regex>
#include <thread>

#include "support/has.h"
#include "support/message.h"
#include "support/points.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_c_api)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// A model's file and what C has of it.
struct Served {
  TemporaryFolder folder;
  std::string path = folder / "net.oxb";
  SavedModel expected;
  oxbow_model* model = nullptr;
  oxbow_session* session = nullptr;
  explicit Served(const Model& trained) {
    trained.export_model(path);
    expected = load_model(path);
    BOOST_REQUIRE(oxbow_load_model(path.c_str(), nullptr, &model) == OXBOW_OK);
    BOOST_REQUIRE(oxbow_new_session(model, &session) == OXBOW_OK);
  }
  ~Served() {
    oxbow_free_model(model);  // before its session
    oxbow_free_session(session);
  }
};

// The call is refused with this text, and gives `status`.
void refused(oxbow_status given, std::string_view text, oxbow_status status = OXBOW_ERROR) {
  BOOST_TEST(given == status);
  BOOST_TEST(has(oxbow_last_error(), text), oxbow_last_error());
}

Tensor fetched(const Served& s) {
  oxbow_result y;
  BOOST_REQUIRE(oxbow_fetch(s.session, 0, &y) == OXBOW_OK);
  Tensor t(Type{static_cast<DType>(y.dtype), Shape(std::span(y.shape, static_cast<std::size_t>(y.rank)))});
  BOOST_REQUIRE(t.count() == y.count);
  std::memcpy(t.bytes(), y.data, static_cast<std::size_t>(t.type().bytes()));
  return t;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_model_is_described) {
  const Net net;
  const Served s(net.compiled());
  BOOST_TEST(std::regex_match(oxbow_version(), std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")), oxbow_version());
  BOOST_TEST(oxbow_c_api_version() == OXBOW_C_API_VERSION);
  BOOST_REQUIRE(oxbow_inputs(s.model) == 1);
  const oxbow_value x = *oxbow_input(s.model, 0), y = *oxbow_output(s.model, 0);
  BOOST_TEST(x.name == "x");
  BOOST_TEST(x.dtype == OXBOW_F32);
  BOOST_TEST((std::vector(x.shape, x.shape + x.rank) == std::vector<std::int64_t>{OXBOW_ANY, 2}));
  BOOST_TEST(oxbow_outputs(s.model) == 1);
  BOOST_TEST(y.name == "predictions");
  BOOST_TEST((std::vector(y.shape, y.shape + y.rank) == std::vector<std::int64_t>{OXBOW_ANY, 3}));
  BOOST_TEST(oxbow_labels(s.model) == 0);
  BOOST_TEST(oxbow_label(s.model, 0) == nullptr);
  for (const int i : {-1, 1}) {
    BOOST_TEST(oxbow_input(s.model, i) == nullptr);
    BOOST_TEST(oxbow_output(s.model, i) == nullptr);
  }
}

BOOST_AUTO_TEST_CASE(a_table_is_encoded_as_in_training) {
  const TemporaryFolder folder;
  const Table table = parse_csv("size,made,kind,floor\n1,here,a,2\n3,there,b,\n5,here,b,4\n");
  const TableEncoder encode(
      table, {.inputs = {"size", "made", "floor"}, .target = "kind", .codes = {"floor"}, .fill_missing = true});
  Graph g;
  const Value x = input(g, "x", f32, {any(4), encode.width()}), y = input(g, "y", i64, {any(4)});
  const Value floor = input(g, "floor", i64, {any(4)});
  const Value h = dense(concat({x, Embedding(4, 2)(floor)}, 1), 2);
  compile(cross_entropy(h, y), "sgd", {.predictions = h}).export_model(folder / "net.oxb", encode);
  oxbow_model* model;
  oxbow_session* session;
  BOOST_REQUIRE(oxbow_load_model((folder / "net.oxb").c_str(), nullptr, &model) == OXBOW_OK);
  BOOST_REQUIRE(oxbow_new_session(model, &session) == OXBOW_OK);
  BOOST_REQUIRE(oxbow_columns(model) == 3);
  BOOST_TEST(oxbow_column_name(model, 1) == "made");
  BOOST_TEST(oxbow_column_is_text(model, 0) == 0);
  BOOST_TEST(oxbow_column_is_text(model, 1) == 1);
  BOOST_TEST(oxbow_column_name(model, 3) == nullptr);

  const double sizes[] = {3, NAN, 7}, floors[] = {2, 4, 2};
  const char* const made[] = {"there", "here", nullptr};
  const char* const unread[] = {"x", "y", "z"};
  oxbow_table_column columns[] = {{"made", nullptr, made, {}},
                                  {"other", nullptr, unread, {}},
                                  {"floor", floors, nullptr, {}},
                                  {"size", sizes, nullptr, {}}};
  // What C++ says of the same rows.
  const Table asked = parse_csv("made,floor,size\nthere,2,3\nhere,4,\n,2,7\n");
  const Table known = asked.rows(0, 2);
  const Tensor expected = load_model(folder / "net.oxb").predict(known);
  BOOST_TEST(oxbow_feed_table(session, columns, 4, 2) == OXBOW_OK, oxbow_last_error());
  BOOST_REQUIRE(oxbow_run(session) == OXBOW_OK);
  oxbow_result result;
  BOOST_REQUIRE(oxbow_fetch(session, 0, &result) == OXBOW_OK);
  BOOST_TEST(result.count == 4);
  BOOST_TEST(std::memcmp(result.data, expected.bytes(), 4 * sizeof(float)) == 0);

  // What is wrong leaves the rows that were fed.
  refused(oxbow_feed_table(session, columns, 4, 3), "\"made\"");  // missing, and never so in training
  refused(oxbow_feed_table(session, columns, 3, 2), "no column \"size\"");
  columns[0].texts = unread;
  refused(oxbow_feed_table(session, columns, 4, 2), "\"x\"");
  columns[0].numbers = sizes;
  refused(oxbow_feed_table(session, columns, 4, 2), "the column \"made\" has numbers and texts");
  columns[0].texts = nullptr, columns[0].numbers = nullptr;
  refused(oxbow_feed_table(session, columns, 4, 2), "the column \"made\" has neither numbers nor texts");
  columns[0].texts = made, columns[0].reserved[1] = 1;
  refused(oxbow_feed_table(session, columns, 4, 2), "reserved");
  columns[0].reserved[1] = 0;
  refused(oxbow_feed_table(session, columns, 4, 0), "the number of rows is 0");
  refused(oxbow_feed_table(session, nullptr, 4, 2), "the columns is null");
  refused(oxbow_feed_table(nullptr, columns, 4, 2), "the session is null");
  BOOST_REQUIRE(oxbow_run(session) == OXBOW_OK);
  BOOST_REQUIRE(oxbow_fetch(session, 0, &result) == OXBOW_OK);
  BOOST_TEST(std::memcmp(result.data, expected.bytes(), 4 * sizeof(float)) == 0);
  oxbow_free_session(session);
  oxbow_free_model(model);
  const Net net;
  const Served without(net.compiled());
  BOOST_TEST(oxbow_columns(without.model) == 0);
  refused(oxbow_feed_table(without.session, columns, 4, 2), "does not say which columns of a table it reads");
}

BOOST_AUTO_TEST_CASE(axes_that_follow_from_what_is_fed_are_free) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), any(6), 3}), y = input(g, "y", f32, {any(4), 2});
  const Value h = dense(mean(x, {1}), 2), ahead = mean(square(h - y));
  for (const auto& [predictions, shape] :
       {std::pair{h, std::vector<std::int64_t>{OXBOW_ANY, 2}}, {x * 2.0, {OXBOW_ANY, OXBOW_ANY, 3}}}) {
    const Served s(compile(ahead, "sgd", {.predictions = predictions}));
    const oxbow_value* out = oxbow_output(s.model, 0);
    BOOST_TEST((std::vector(out->shape, out->shape + out->rank) == shape));
  }
}

BOOST_AUTO_TEST_CASE(any_batch_gives_the_bits_of_the_model) {
  const Net net;
  const Served s(net.compiled());
  for (const std::int64_t rows : {1, 64, 3, 64, 1, 0}) {
    const Tensor x = draw({rows, 2}, -1, 1, 5, f32);
    const std::int64_t shape[] = {rows, 2};
    Session own = s.expected.session();
    own.feed("x", x);
    own.run();
    BOOST_REQUIRE(oxbow_feed(s.session, 0, OXBOW_F32, x.bytes(), x.count()) == OXBOW_OK);
    BOOST_REQUIRE(oxbow_run(s.session) == OXBOW_OK);
    BOOST_TEST(same_bits(fetched(s), own.fetch_tensor(0)));
    BOOST_REQUIRE(oxbow_feed_shape(s.session, 0, OXBOW_F32, x.bytes(), shape, 2) == OXBOW_OK);
    std::vector<float> y(static_cast<std::size_t>(rows * 3) + 1);
    BOOST_REQUIRE(oxbow_fetch_into(s.session, 0, OXBOW_F32, y.data(), rows * 3) == OXBOW_OK);
    BOOST_REQUIRE(oxbow_run(s.session) == OXBOW_OK);
    BOOST_TEST(std::memcmp(y.data(), own.fetch<float>(0).data(), sizeof(float) * static_cast<std::size_t>(rows * 3)) ==
               0);
    BOOST_REQUIRE(oxbow_fetch_into(s.session, 0, OXBOW_F32, nullptr, 0) == OXBOW_OK);
  }
}

BOOST_AUTO_TEST_CASE(labels_are_those_of_the_model) {
  const TemporaryFolder folder;
  const Table table = parse_csv("a,kind\n1,no\n2,yes\n");
  const TableEncoder encode(table, {.inputs = {"a"}, .target = "kind"});
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 1}), y = input(g, "y", i64, {any(2)}), h = dense(x, 2);
  compile(cross_entropy(h, y), "sgd", {.predictions = h}).export_model(folder / "net.oxb", encode);
  oxbow_model* model = nullptr;
  BOOST_REQUIRE(oxbow_load_model((folder / "net.oxb").c_str(), nullptr, &model) == OXBOW_OK);
  BOOST_TEST(oxbow_labels(model) == 2);
  BOOST_TEST(oxbow_label(model, 0) == "no");
  BOOST_TEST(oxbow_label(model, 1) == "yes");
  BOOST_TEST(oxbow_label(model, 2) == nullptr);
  oxbow_free_model(model);
}

BOOST_AUTO_TEST_CASE(every_mistake_is_told_and_the_session_goes_on) {
  const Net net;
  const Served s(net.compiled());
  const float x[6] = {};
  const std::int64_t wrong[] = {3, 3}, right[] = {3, 2}, vast[] = {std::int64_t{1} << 62, 2};
  oxbow_result y;
  refused(oxbow_run(s.session), "input \"x\" (f32[8, 2]) was not fed");
  refused(oxbow_fetch(s.session, 0, &y), "fetch 0: there is no finished run");
  refused(oxbow_feed(s.session, 1, OXBOW_F32, x, 6), "oxbow_feed: there is no input 1\n  The model's are \"x\"");
  refused(oxbow_feed(s.session, -1, OXBOW_F32, x, 6), "there is no input -1");
  refused(oxbow_feed(s.session, 0, OXBOW_F64, x, 6), "input \"x\" takes f32 and was fed f64");
  refused(oxbow_feed(s.session, 0, 13, x, 6), "there is no dtype 13");
  refused(oxbow_feed(s.session, 0, -1, x, 6), "there is no dtype -1");
  refused(oxbow_feed(s.session, 0, OXBOW_F32, x, 5), "input \"x\": 5 elements do not fill [any(8), 2]");
  refused(oxbow_feed(s.session, 0, OXBOW_F32, x, -2), "the number of elements is -2");
  refused(oxbow_feed(s.session, 0, OXBOW_F32, nullptr, 6), "oxbow_feed: the data is null");
  refused(oxbow_feed_shape(s.session, 0, OXBOW_F32, x, wrong, 2), "was fed [3, 3]");
  refused(oxbow_feed_shape(s.session, 0, OXBOW_F32, x, right, 9), "the rank is 9");
  refused(oxbow_feed_shape(s.session, 0, OXBOW_F32, x, nullptr, 2), "the shape is null");
  refused(oxbow_feed_shape(s.session, 0, OXBOW_F32, nullptr, right, 2), "the data is null");
  refused(oxbow_feed_shape(s.session, 0, OXBOW_F32, x, vast, 2), "");
  refused(oxbow_fetch_into(s.session, 1, OXBOW_F32, &y, 1), "fetch 1: the program fetches 1 values");
  refused(oxbow_fetch_into(s.session, 0, OXBOW_I64, &y, 1), "is f32, not i64");
  BOOST_TEST(oxbow_feed(s.session, 0, OXBOW_F32, x, 6) == OXBOW_OK);
  BOOST_TEST(oxbow_run(s.session) == OXBOW_OK);
  refused(oxbow_fetch(s.session, 7, &y), "fetch 7");
  refused(oxbow_fetch(s.session, 0, nullptr), "where to write the result is null");
  BOOST_TEST(oxbow_fetch(s.session, 0, &y) == OXBOW_OK);
  BOOST_TEST(y.count == 9);
}

BOOST_AUTO_TEST_CASE(what_is_no_model_and_what_is_null_are_refused) {
  const TemporaryFolder folder;
  oxbow_model* model = reinterpret_cast<oxbow_model*>(1);
  oxbow_session* session = reinterpret_cast<oxbow_session*>(1);
  const std::string nowhere = folder / "nowhere.oxb", text = folder.write("text.oxb", "no model at all");
  refused(oxbow_load_model(nowhere.c_str(), nullptr, &model), nowhere);
  BOOST_TEST(model == nullptr);
  refused(oxbow_load_model(text.c_str(), nullptr, &model), text);
  refused(oxbow_load_model(nullptr, nullptr, &model), "oxbow_load_model: the path is null");
  refused(oxbow_load_model("x", nullptr, nullptr), "where to write the model is null");
  const Net net;
  const Served s(net.compiled());
  oxbow_load_options options{};
  options.threads = -3;
  refused(oxbow_load_model(s.path.c_str(), &options, &model), "-3");
  options = {};
  options.cached_shapes = -1;
  refused(oxbow_load_model(s.path.c_str(), &options, &model), "cached_shapes is -1");
  options = {};
  options.reserved[6] = 1;
  refused(oxbow_load_model(s.path.c_str(), &options, &model), "a reserved field of the options is not 0");
  refused(oxbow_new_session(nullptr, &session), "oxbow_new_session: the model is null");
  refused(oxbow_new_session(s.model, nullptr), "where to write the session is null");
  refused(oxbow_feed(nullptr, 0, OXBOW_F32, nullptr, 0), "oxbow_feed: the session is null");
  refused(oxbow_feed_shape(nullptr, 0, OXBOW_F32, nullptr, nullptr, 0), "oxbow_feed_shape: the session is null");
  refused(oxbow_fetch_into(nullptr, 0, OXBOW_F32, nullptr, 0), "oxbow_fetch_into: the session is null");
  refused(oxbow_run(nullptr), "oxbow_run: the session is null");
  refused(oxbow_fetch(nullptr, 0, nullptr), "oxbow_fetch: the session is null");
  BOOST_TEST(oxbow_inputs(nullptr) + oxbow_outputs(nullptr) + oxbow_labels(nullptr) == 0);
  BOOST_TEST(oxbow_input(nullptr, 0) == nullptr);
  BOOST_TEST(oxbow_output(nullptr, 0) == nullptr);
  BOOST_TEST(oxbow_label(nullptr, 0) == nullptr);
  oxbow_free_model(nullptr);
  oxbow_free_session(nullptr);
}

BOOST_AUTO_TEST_CASE(threads_have_their_sessions_and_their_messages) {
  const Net net;
  const Served s(net.compiled());
  const Dataset data = points(64, 3);
  const Tensor expected = s.expected.predict(data["x"], 64);
  refused(oxbow_run(nullptr), "oxbow_run");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      oxbow_session* own = nullptr;
      wrong += std::strlen(oxbow_last_error()) != 0 || oxbow_new_session(s.model, &own) != OXBOW_OK;
      for (int i = 0; i < 40; ++i) {
        const std::int64_t rows = 1 + (i * 7 + t) % 64;
        oxbow_result y{};
        wrong += oxbow_feed(own, 0, OXBOW_F32, data["x"].bytes(), rows * 2) || oxbow_run(own) ||
                 oxbow_fetch(own, 0, &y) ||
                 std::memcmp(y.data, expected.bytes(), static_cast<std::size_t>(y.count) * sizeof(float)) != 0;
      }
      oxbow_free_session(own);
    });
  for (std::thread& t : threads) t.join();
  BOOST_TEST(wrong == 0);
  BOOST_TEST(has(oxbow_last_error(), "oxbow_run"));
}

BOOST_AUTO_TEST_SUITE_END()
