#include <oxbow/oxbow.h>

#include <cstdio>

using namespace oxbow;

int main() {
  for (const double rate : {0.0005, 0.01, 0.1, 0.19, 0.21}) {
    Graph g;
    const Value a = parameter(g, "a", {f64, {}}, init::constant(-4.5));
    const Value b = parameter(g, "b", {f64, {}}, init::constant(1.6));
    const Value loss = 0.5 * (square(a) + 10.0 * square(b));

    const std::vector<Value> slopes = gradients(loss, {a, b});  // more nodes of the same graph
    const std::vector<Value> step = {loss, assign(a, a - rate * slopes[0]), assign(b, b - rate * slopes[1])};

    Session session(compile(step), Store(g));
    std::vector<double> losses;
    for (int i = 0; i < 60; ++i) {
      session.run();
      losses.push_back(session.fetch<double>(0)[0]);
    }
    const optim::Judgement verdict = optim::judge(losses);
    std::printf("rate %.4g: loss %.3g, %s\n", rate, losses.back(), std::string(name(verdict.verdict)).c_str());
  }
}
