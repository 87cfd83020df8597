/* A server in C: a model's predictions for numbers from standard input. A line holds the numbers of one sample or of
 * several; for each sample a line is written, with its class where the model names classes. Argument: the model, for
 * instance flats.oxb, which the example `flats` writes. */
#include <oxbow/c_api.h>
#include <stdio.h>
#include <stdlib.h>

static int failed(void) {
  fprintf(stderr, "%s\n", oxbow_last_error());
  return 1;
}

/* The numbers of a line; so many there were. */
static int64_t numbers(const char* line, float* x, int64_t most) {
  int64_t n = 0;
  char* end;
  for (; n < most; line = end, ++n) {
    x[n] = strtof(line, &end);
    if (end == line) break;
  }
  return n;
}

static void print(const oxbow_model* model, const oxbow_result* y) {
  const int64_t rows = y->shape[0], width = rows > 0 ? y->count / rows : 0;
  for (int64_t row = 0; row < rows; ++row) {
    const float* p = (const float*)y->data + row * width;
    int64_t best = 0;
    for (int64_t c = 0; c < width; ++c) {
      printf("%s%.9g", c > 0 ? " " : "", p[c]);
      if (p[c] > p[best]) best = c;
    }
    if (oxbow_labels(model) == width) printf(" %s", oxbow_label(model, (int32_t)best));
    printf("\n");
  }
}

int main(int argc, char** argv) {
  static char line[1 << 16];
  static float x[1 << 13];
  oxbow_model* model;
  oxbow_session* session;
  oxbow_result y;
  if (oxbow_load_model(argc > 1 ? argv[1] : "flats.oxb", &(oxbow_load_options){.threads = 1}, &model)) return failed();
  if (oxbow_output(model, 0)->dtype != OXBOW_F32) return fprintf(stderr, "its predictions are not OXBOW_F32\n"), 1;
  if (oxbow_new_session(model, &session)) return failed();
  while (fgets(line, sizeof line, stdin)) {
    const int64_t n = numbers(line, x, sizeof x / sizeof *x);
    if (oxbow_feed(session, 0, OXBOW_F32, x, n) || oxbow_run(session) || oxbow_fetch(session, 0, &y))
      failed(); /* and on to the next line: the session is as good as before */
    else
      print(model, &y);
    fflush(stdout);
  }
  oxbow_free_session(session);
  oxbow_free_model(model);
  return 0;
}
