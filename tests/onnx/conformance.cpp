#include "conformance.h"

#include <oxbow/graph/op.h>
#include <oxbow/onnx.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "onnx/read/model_file.h"

namespace oxbow::test {

namespace {

namespace fs = std::filesystem;

// "" where they agree.
std::string difference(const Tensor& got, const Tensor& expected, double relative, double absolute) {
  if (got.type() != expected.type()) return "gives " + to_string(got.type()) + ", not " + to_string(expected.type());
  return dispatch(got.dtype(), [&]<class T>(std::type_identity<T>) -> std::string {
    for (std::int64_t i = 0; i < got.count(); ++i) {
      const T a = got.data<T>()[i], b = expected.data<T>()[i];
      bool same = a == b;
      if (is_float(got.dtype())) {
        const auto x = static_cast<double>(static_cast<float>(a)), y = static_cast<double>(static_cast<float>(b));
        same = same || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= absolute + relative * std::abs(y);
      }
      if (!same) return "gives other values";
    }
    return "";
  });
}

std::string reason_of(const std::string& message) {
  if (message.find("Oxbow lacks") != std::string::npos) {
    std::set<std::string> operators;
    const std::regex name("\\((\\w+)\\) of");
    for (std::sregex_iterator i(message.begin(), message.end(), name), end; i != end; ++i) operators.insert((*i)[1]);
    std::string list = "lacks";
    for (const std::string& o : operators) list += (list == "lacks" ? " " : ", ") + o;
    return list;
  }
  std::string line = message.substr(0, message.find('\n'));
  line = std::regex_replace(line, std::regex("(cannot import|cannot read) \\S+: "), "");
  line = std::regex_replace(line, std::regex(onnx_data() + "/\\S*/"), "");
  return std::regex_replace(line, std::regex("^(the )?node (of )?\"[^\"]*\" "), "");
}

// Files from before NumPy had bf16 hold its bits.
Tensor as(Tensor t, DType wanted) {
  if (t.dtype() != u16 || wanted != bf16) return t;
  const Tensor bits = t.clone();
  return Tensor({bf16, t.shape()},
                std::shared_ptr<std::byte>(std::make_shared<Tensor>(bits), const_cast<std::byte*>(bits.bytes())));
}

// The names of what is fed, in order.
std::vector<std::string> inputs_of(const std::string& model) {
  const onnx::ModelFile file(model);
  std::set<std::string> initialisers;
  for (const auto& t : file.model().graph().initializer()) initialisers.insert(t.name());
  std::vector<std::string> names;
  for (const auto& in : file.model().graph().input())
    if (!initialisers.contains(in.name())) names.push_back(in.name());
  return names;
}

// What is a constant, since shapes may depend on it: numbers and lists of whole numbers; all lists (scales); or all
// (what is not zero, what is different).
enum class Fixed { nothing, whole, lists, all };

std::string run(const std::string& folder, Fixed fixed) {
  const std::string model = folder + "/model.onnx", sets = folder + "/test_data_set_";
  const std::vector<std::string> names = inputs_of(model);
  double relative = 1e-3, absolute = 1e-7;
  std::ifstream(folder + "/tolerance") >> relative >> absolute;  // a test's own
  for (int set = 0; fs::exists(sets + std::to_string(set)); ++set) {
    const std::string data = sets + std::to_string(set) + "/";
    std::map<std::string, Tensor> given, feeds;
    OnnxImportOptions options;
    if (fixed == Fixed::nothing)
      import_onnx(*std::make_unique<Graph>(), model);  // what it lacks is told before its data are looked at
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Tensor& t = given[names[i]] = load_onnx_tensor(data + "input_" + std::to_string(i) + ".pb");
      const bool list = t.shape().rank() == 1 && (fixed == Fixed::lists || !is_float(t.dtype()));
      if (fixed == Fixed::all || (fixed != Fixed::nothing && (t.shape().rank() == 0 || list)))
        options.constants[names[i]] = t;
    }
    Graph g;
    const OnnxModel net = import_onnx(g, model, options);
    std::vector<Value> outputs;
    for (const auto& [name, value] : net.outputs) outputs.push_back(value);
    const Program program = compile(outputs, {.mode = Mode::inference});
    for (const auto& [name, value] : net.inputs) {
      const auto& in = *value.node().op().as<ops::Input>();
      for (const ops::Input& read : program.inputs())
        if (read.name == in.name) feeds[in.name] = as(given.at(name), in.type.dtype);
    }
    Store store = net.store;
    const std::vector<Tensor> results = program.run(store, feeds);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Tensor expected = load_onnx_tensor(data + "output_" + std::to_string(i) + ".pb");
      if (const std::string what = difference(results[i], as(expected, results[i].dtype()), relative, absolute);
          !what.empty())
        return what;
    }
  }
  return "";
}

}  // namespace

std::string onnx_data() {
  const char* other = std::getenv("OXBOW_ONNX_DATA");
  return other ? other : "/usr/share/libonnx-testdata/data";
}

OnnxTest run_onnx_test(const std::string& name) {
  std::string reason;
  for (const Fixed fixed : {Fixed::nothing, Fixed::whole, Fixed::lists, Fixed::all}) {
    try {
      const std::string wrong = run(onnx_data() + "/" + name, fixed);
      if (wrong.empty()) return {name, "", fixed != Fixed::nothing};
      reason = wrong;
    } catch (const Error& e) {
      const std::string why = reason_of(e.what());
      if (reason.empty() || reason.find("depends on") != std::string::npos) reason = why;
    }
  }
  return {name, reason};
}

std::vector<std::string> onnx_tests() {
  std::vector<std::string> names;
  for (const char* group : {"node", "pytorch-converted", "pytorch-operator", "simple"})
    if (fs::exists(onnx_data() + "/" + group))
      for (const auto& entry : fs::directory_iterator(onnx_data() + "/" + group))
        names.push_back(std::string(group) + "/" + entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace oxbow::test
