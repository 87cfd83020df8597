// What `oxbow ops` lists: every op of the catalogue, with its formula, an example, dtypes and gradient.
#include <oxbow/graph/catalog.h>
#include <oxbow/ops/catalog.h>
#include <reference/ops.h>

#include <boost/test/unit_test.hpp>
#include <map>

BOOST_AUTO_TEST_SUITE(test_ops_reference)

using namespace oxbow;
using namespace oxbow::tools;

namespace {

std::map<std::string, OpReference> by_name(bool with_internal) {
  std::map<std::string, OpReference> all;
  for (const OpReference& op : op_references(with_internal)) all.emplace(op.name, op);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_op_has_signature_formula_example_dtypes_and_gradient) {
  const std::map<std::string, OpReference> ops = by_name(false);
  const OpReference& relu = ops.at("relu");
  BOOST_TEST(relu.signature == "relu(x)");
  BOOST_TEST(relu.formula == "max(x, 0)");
  BOOST_TEST(relu.dtypes == "f32, f64, f16, bf16, i8, i16, i32, i64, u8, u16, u32, u64");
  BOOST_TEST(relu.gradient == "yes");
  BOOST_TEST(ops.at("matmul").signature == "matmul(a, b)");
  BOOST_TEST(ops.at("matmul").example.find(" -> f64[") != std::string::npos);
  BOOST_TEST(ops.at("concat").signature == "concat(values...)");
  BOOST_TEST(ops.at("argmax").gradient == "integer result");
  BOOST_TEST(ops.at("less").gradient == "its result is bool");
  BOOST_TEST(ops.at("logical_not").dtypes == "bool");
  BOOST_TEST(ops.at("random_normal").dtypes == "of the result: f32, f64, f16, bf16");
  BOOST_TEST(ops.at("one_hot").dtypes == "of the result: all");
  BOOST_TEST(ops.at("random_normal").gradient ==
             "mean and deviation are numbers: of values, write mean + deviation * random_normal(...)");
}

BOOST_AUTO_TEST_CASE(what_no_user_builds_is_internal) {
  const std::map<std::string, OpReference> users = by_name(false), all = by_name(true);
  for (const char* name : {"product", "conv_forward", "sum_chunks", "fused", "relu_gradient", "conv2d_gradient_of_x"}) {
    BOOST_TEST(users.count(name) == 0U, name);
    BOOST_REQUIRE(all.count(name) == 1U);
    BOOST_TEST(all.at(name).internal, name);
  }
  for (const auto& [name, entry] : catalog().entries()) {
    BOOST_REQUIRE(all.count(name) == 1U);
    BOOST_TEST(!all.at(name).formula.empty(), name << " has no formula");
    BOOST_TEST(all.at(name).internal == (entry.made != Made::by_users));
  }
}

BOOST_AUTO_TEST_CASE(old_names_are_read) {
  const std::map<std::string, std::string> renamed = {{"select", "where"},
                                                      {"reduce_max", "max"},
                                                      {"reduce_min", "min"},
                                                      {"conv2d_input", "conv2d_gradient_of_x"},
                                                      {"conv2d_weights", "conv2d_gradient_of_weights"},
                                                      {"max_pool_pick", "max_pool_gradient_gradient"},
                                                      {"index_add", "gather_add"}};
  for (const auto& [old, now] : renamed) {
    const Catalog::Entry* entry = catalog().find(old);
    BOOST_REQUIRE(entry != nullptr);
    BOOST_TEST(entry->info->name == now);
  }
  BOOST_TEST(catalog().find("no_such_op") == nullptr);
}

// relu_gradient, conv2d_gradient_of_x, slice_add: of an op of the catalogue, and of an input of it.
BOOST_AUTO_TEST_CASE(what_gradients_make_is_called_after_its_op) {
  const auto inputs_of = [](const std::string& op) {
    const Catalog::Entry* entry = catalog().find(op);
    return entry ? &entry->info->inputs : nullptr;
  };
  for (const auto& [name, entry] : catalog().entries()) {
    if (entry.made != Made::by_gradients) continue;
    const std::size_t end = name.rfind(name.ends_with("_add") ? "_add" : "_gradient");
    BOOST_REQUIRE_MESSAGE(end != std::string::npos, name);
    const Names* inputs = inputs_of(name.substr(0, end));
    BOOST_REQUIRE_MESSAGE(inputs, name << " is called after no op");
    const std::string of = "_gradient_of_", rest = name.substr(end);
    if (!rest.starts_with(of)) continue;
    bool known = false;
    for (int i = 0; i < inputs->size(); ++i) known = known || inputs->of(i) == rest.substr(of.size());
    BOOST_TEST(known, name << " is called after no input");
  }
}

BOOST_AUTO_TEST_CASE(a_page_is_a_table_whose_cells_keep_their_bars) {
  const std::string page = as_markdown(op_references(false));
  BOOST_TEST(page.starts_with("# Ops\n\n| op | computes | example | dtypes | gradient |\n|---|---|---|---|---|\n"));
  BOOST_TEST(page.find("| `abs(x)` | \\|x\\| |") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
