#include <oxbow/oxbow.h>

#include <cstdio>

using namespace oxbow;

// Yogi (Zaheer et al. 2018): Adam whose second moment moves by steps of the gradient's square, whatever its own size.
//   v = v - (1 - beta_2) * sign(v - g^2) * g^2
struct Yogi {
  static constexpr optim::OptimizerInfo info{.name = "yogi"};
  static constexpr optim::SlotName m{"m"}, v{"v"};
  static constexpr optim::SharedName corrected_rate{"corrected_rate"};
  optim::Rate learning_rate = 0.01;
  double beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-3;
  static void attributes(auto&& visit) {
    visit("learning_rate", &Yogi::learning_rate);
    visit("beta_1", &Yogi::beta_1);
    visit("beta_2", &Yogi::beta_2);
    visit("epsilon", &Yogi::epsilon);
  }
  bool operator==(const Yogi&) const = default;

  // What makes no sense is refused when the model is compiled, with the user's line.
  void check() const {
    optim::check_fraction(info.name, "beta_1", beta_1);
    optim::check_fraction(info.name, "beta_2", beta_2);
    optim::check_epsilon(info.name, "epsilon", epsilon);
  }
  // State: variables beside each parameter, saved and loaded with the model's.
  std::vector<optim::Slot> slots(const ops::Variable& p) const { return {{m, p.type}, {v, p.type}}; }
  // Scalars that every parameter needs, computed once a step in double: `count` is 1 in the first step.
  std::vector<optim::SharedValue> shared(Value rate, Value count) const {
    const Value correction = sqrt(optim::bias_correction(beta_2, count)) / optim::bias_correction(beta_1, count);
    return {{corrected_rate, rate * correction}};
  }
  // The new parameter and the new slots, from those before.
  optim::Updated update(const optim::Step& s) const {
    const Value square_g = square(s.gradient);
    const Value new_m = beta_1 * s[m] + (1 - beta_1) * s.gradient;
    const Value new_v = s[v] - (1 - beta_2) * sign(s[v] - square_g) * square_g;
    return {s.parameter - s[corrected_rate] * new_m / (sqrt(new_v) + epsilon), {{m, new_m}, {v, new_v}}};
  }
};

int main() {
  Graph g;
  const Value w = parameter(g, "w", {f32, {2}}, init::constant(1));
  const Value loss = mean(square(w - 3.0));
  Model model = compile(loss, Yogi{.learning_rate = 0.1});
  Session session(compile(model.fetches()), model.store());
  for (int step = 0; step < 200; ++step) session.run();
  std::printf("%s\nw is %.3f after %d steps\n", to_string(optim::Optimizer(Yogi{})).c_str(),
              static_cast<double>(model.store().get("w").data<float>()[0]), static_cast<int>(model.steps()));
}
