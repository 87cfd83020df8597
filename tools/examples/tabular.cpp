// A table of numbers and categories: the rents of flats by size, age, floor and district, by a network that normalises
// the numbers and embeds the districts, and stops when it gets no better. The table is made up.
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

// Columns of one table: "numbers" [n, 3], "district" [n], "rent" [n, 1].
static Dataset flats(std::int64_t n) {
  const Tensor size = draw({n}, 20, 140, 1, f32), age = draw({n}, 0, 100, 2, f32), floor = draw({n}, 0, 9, 3, i32);
  const Tensor district = draw({n}, 0, 6, 4, i64), haggling = draw({n}, -60, 60, 5, f32);
  const float square_metre[] = {9, 11, 12, 14, 18, 25};
  Tensor numbers({f32, {n, 3}}), rent({f32, {n, 1}});
  for (std::int64_t i = 0; i < n; ++i) {
    float* row = numbers.data<float>() + 3 * i;
    row[0] = size.data<float>()[i], row[1] = age.data<float>()[i];
    row[2] = static_cast<float>(floor.data<std::int32_t>()[i]);
    const bool old_and_loved = row[1] > 80;
    rent.data<float>()[i] =
        row[0] * square_metre[district.data<std::int64_t>()[i]] * (old_and_loved ? 1.2f : 1 - row[1] / 400) +
        15 * row[2] + haggling.data<float>()[i];
  }
  return {{"numbers", numbers}, {"district", district}, {"rent", rent}};
}

static Model build(Graph& g) {
  const Value numbers = input(g, "numbers", f32, {any(64), 3}), district = input(g, "district", i64, {any(64)});
  const Value rent = input(g, "rent", f32, {any(64), 1});
  const Sequential net{Dense(64, {.activation = relu}), Dropout(0.05), Dense(64, {.activation = relu}), Dense(1)};
  const Value hundreds = net(concat({BatchNorm()(numbers), Embedding(6, 4)(district)}, 1)), guess = 100.0 * hundreds;
  const Value loss = mean_squared_error(hundreds, rent / 100.0), error = mean(abs(guess - rent));
  return compile(loss, optim::Adam{.learning_rate = 2e-3}, {.metrics = {{"error", error}}, .predictions = guess});
}

int main(int argc, char** argv) try {
  Graph g;
  Model model = build(g);
  const auto [train, test] = flats(6000).split(0.2, {.shuffle = false});  // made up without order
  const History history = model.fit(train, {.epochs = argc > 1 ? std::atoi(argv[1]) : 60,
                                            .batch_size = 64,
                                            .validation = test,
                                            .early_stopping = EarlyStopping{.patience = 8}});
  std::printf("best of %zu epochs: %d\n", history.epochs.size(), history.best_epoch);
  std::printf("off by %.1f, of flats that it has not seen\n", model.evaluate(test)["error"]);

  const Dataset some = test.rows(0, 5);
  const Tensor guessed = model.predict(some);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto row = some["numbers"].span<float>().subspan(3 * i, 3);
    std::printf("%3.0f square metres, %2.0f years old, floor %.0f, district %d: %5.0f, guessed %5.0f\n", row[0], row[1],
                row[2], static_cast<int>(some["district"].span<std::int64_t>()[i]), some["rent"].span<float>()[i],
                guessed.span<float>()[i]);
  }
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
