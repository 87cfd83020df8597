// oxbow predict, evaluate and info: an exported model on files of data.
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>

#include "support/has.h"
#include "support/program.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_predict)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// A model of two columns: of what kind a thing is, or how long; not trained.
void write_model(const std::string& path, bool classes, bool columns) {
  const Table table = parse_csv("size,made,kind,length\n1,here,a,10\n3,there,b,30\n");
  const TableEncoder encode(table, {.inputs = {"size", "made"}, .target = classes ? "kind" : "length"});
  Graph g;
  const Value x = input(g, "x", f32, {any(4), encode.width()}), h = dense(x, classes ? 2 : 1);
  const Value y = classes ? input(g, "y", i64, {any(4)}) : input(g, "y", f32, {any(4), 1});
  const Model model = compile(classes ? cross_entropy(h, y) : mean_squared_error(h, y), "sgd", {.predictions = h});
  if (columns)
    model.export_model(path, encode);
  else
    model.export_model(path);
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_of_a_table_are_predicted) {
  const TemporaryFolder folder;
  const std::string data = folder.write("new.csv", "made,size,other\nhere,2,x\nthere,4,y\nhere,5,z\n");
  for (const bool classes : {false, true}) {
    write_model(folder / "net.oxb", classes, true);
    const Finished run =
        oxbow_("predict " + (folder / "net.oxb") + " --data " + data + " --threads 1 -o " + (folder / "out.csv"));
    BOOST_TEST(run.code == 0, run.output);
    const Table out = read_csv(folder / "out.csv");
    const Tensor expected = load_model(folder / "net.oxb").predict(read_csv(data));
    BOOST_TEST(out.size() == 3);
    const std::vector<std::string> names =
        classes ? std::vector<std::string>{"kind", "kind=a", "kind=b"} : std::vector<std::string>{"length"};
    BOOST_TEST(out.names() == names, boost::test_tools::per_element());
    for (std::int64_t row = 0; row < 3; ++row) {
      const float* p = expected.data<float>() + row * (classes ? 2 : 1);
      if (classes) BOOST_TEST(out["kind"].text(row) == (p[1] > p[0] ? "b" : "a"));
      BOOST_TEST(static_cast<float>(out[names.back()].number(row)) == p[classes ? 1 : 0]);
    }
    const Finished info = oxbow_("info " + (folder / "net.oxb"));
    BOOST_TEST(info.code == 0, info.output);
    BOOST_TEST(has(info.output, "input       x  f32[any(4), 3]"), info.output);
    BOOST_TEST(has(info.output, classes ? "prediction  f32[any(4), 2]" : "prediction  f32[any(4), 1]"), info.output);
    BOOST_TEST(has(info.output, "columns     \"size\", \"made\""), info.output);
    BOOST_TEST(has(info.output, "labels      \"a\", \"b\"") == classes, info.output);
  }
}

BOOST_AUTO_TEST_CASE(a_model_is_evaluated_by_its_kind) {
  const TemporaryFolder folder;
  const std::string model = folder / "net.oxb";
  const std::string data =
      folder.write("test.csv", "made,kind,size,length\nhere,b,2,10\nthere,a,4,20\nhere,a,5,21.5\n");
  for (const bool classes : {false, true}) {
    write_model(model, classes, true);
    const Finished run = oxbow_("evaluate " + model + " --data " + data + " -o " + (folder / "picture.svg"));
    BOOST_TEST(run.code == 0, run.output);
    const SavedModel served = load_model(model);
    const Dataset test = (*served.columns())(read_csv(data));
    const Tensor predictions = served.predict(test);
    const std::string report = classes
                                   ? to_string(classification_report(predictions, test["y"], {.labels = {"a", "b"}}))
                                   : to_string(regression_report(predictions, test["y"]));
    BOOST_TEST(run.output == report);
    const std::string picture = folder.read("picture.svg");
    BOOST_TEST(has(picture, "net.oxb on test.csv"), picture);
    BOOST_TEST(has(picture, classes ? "that are a were taken for" : "perfect"), picture);
  }
  // Arrays, of a model without columns.
  write_model(model, true, false);
  const Tensor x = draw({5, 3}, 0, 1, 1, f32), truth = Tensor::of<std::int64_t>({5}, {0, 1, 1, 0, 1});
  save_npz(folder / "test.npz", {{"x", x}, {"kind", truth}});
  const Finished run = oxbow_("evaluate " + model + " --data " + (folder / "test.npz"));
  BOOST_TEST(run.output == to_string(classification_report(load_model(model).predict(x), truth)));
  const auto fails = [&](const std::string& options, const std::string& said) {
    const Finished failed = oxbow_("evaluate " + model + " --data " + options);
    BOOST_TEST(failed.code == 1);
    BOOST_TEST(has(failed.output, said), failed.output);
  };
  fails(data,
        "input \"x\", f32[any(4), 3], takes 3 columns of numbers, but there are 4 that no other input takes: made, "
        "kind, size, length");
  save_npz(folder / "more.npz", {{"x", x}, {"a", truth}, {"b", truth}});
  fails(folder / "more.npz",
        "has several columns that are no inputs: \"a\", \"b\". Say which is the truth: --truth NAME");
  BOOST_TEST(oxbow_("evaluate " + model + " --truth b --data " + (folder / "more.npz")).code == 0);
  fails((folder / "more.npz") + " --truth c", "the data have no column \"c\"");
  save_npz(folder / "less.npz", {{"x", x}});
  fails(folder / "less.npz", "has no column beside the model's inputs to compare predictions with");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_predicted_is_told) {
  const TemporaryFolder folder;
  const std::string model = folder / "net.oxb";
  const auto fails = [&](const std::string& data, const std::string& said) {
    const Finished run = oxbow_("predict " + model + " --data " + data);
    BOOST_TEST(run.code == 1);
    BOOST_TEST(has(run.output, said), run.output);
  };
  write_model(model, false, false);
  const std::string table = folder.write("new.csv", "made,size\nhere,two\n");
  fails(table, "takes 3 columns of numbers, but there are 2 that no other input takes: made, size");
  save_safetensors(folder / "x.safetensors", {{{"x", draw({2, 3}, 0, 1, 1, f32)}}, {}});
  BOOST_TEST(oxbow_("predict " + model + " --data " + (folder / "x.safetensors")).code == 0);
  write_model(model, false, true);
  fails(table, "new.csv:2:6: column \"size\": \"two\" is no number, but these were asked for");
  fails(folder.write("less.csv", "made\nhere\n"), "there is no column \"size\"");
  fails(folder.write("other.csv", "made,size\nthre,1\n"), "Did you mean \"there\"");
  folder.write("net.oxb", "");
  fails(table, "is not a valid safetensors file");
}

BOOST_AUTO_TEST_SUITE_END()
