#include "conformance.h"

#include <oxbow/graph/op.h>
#include <oxbow/onnx.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <regex>
#include <set>

namespace oxbow::test {

namespace {

namespace fs = std::filesystem;

// "" where they agree.
std::string difference(const Tensor& got, const Tensor& expected) {
  if (got.type() != expected.type()) return "gives " + to_string(got.type()) + ", not " + to_string(expected.type());
  return dispatch(got.dtype(), [&]<class T>(std::type_identity<T>) -> std::string {
    for (std::int64_t i = 0; i < got.count(); ++i) {
      const T a = got.data<T>()[i], b = expected.data<T>()[i];
      bool same = a == b;
      if (is_float(got.dtype())) {
        const auto x = static_cast<double>(static_cast<float>(a)), y = static_cast<double>(static_cast<float>(b));
        same = same || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= 1e-7 + 1e-3 * std::abs(y);
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
  line = std::regex_replace(line, std::regex(onnx_data + "/\\S*/"), "");
  return std::regex_replace(line, std::regex("^(the )?node (of )?\"[^\"]*\" "), "");
}

std::string run(const std::string& folder) {
  Graph g;
  const OnnxModel net = import_onnx(g, folder + "/model.onnx");
  std::vector<Value> outputs;
  for (const auto& [name, value] : net.outputs) outputs.push_back(value);
  const Program program = compile(outputs, {.mode = Mode::inference});
  for (int set = 0; fs::exists(folder + "/test_data_set_" + std::to_string(set)); ++set) {
    const std::string data = folder + "/test_data_set_" + std::to_string(set) + "/";
    std::map<std::string, Tensor> feeds;
    for (int i = 0; i < net.inputs.size(); ++i)
      feeds[net.inputs[i].node().op().as<ops::Input>()->name] =
          load_onnx_tensor(data + "input_" + std::to_string(i) + ".pb");
    std::erase_if(feeds, [&](const auto& feed) {
      return std::none_of(program.inputs().begin(), program.inputs().end(),
                          [&](const auto& in) { return in.name == feed.first; });
    });
    Store store = net.store;
    const std::vector<Tensor> results = program.run(store, feeds);
    for (std::size_t i = 0; i < results.size(); ++i)
      if (const std::string what =
              difference(results[i], load_onnx_tensor(data + "output_" + std::to_string(i) + ".pb"));
          !what.empty())
        return what;
  }
  return "";
}

}  // namespace

OnnxTest run_onnx_test(const std::string& name) {
  try {
    return {name, run(onnx_data + "/" + name)};
  } catch (const Error& e) {
    return {name, reason_of(e.what())};
  }
}

std::vector<std::string> onnx_tests() {
  std::vector<std::string> names;
  for (const char* group : {"node", "pytorch-converted", "pytorch-operator", "simple"})
    for (const auto& entry : fs::directory_iterator(onnx_data + "/" + group))
      names.push_back(std::string(group) + "/" + entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace oxbow::test
