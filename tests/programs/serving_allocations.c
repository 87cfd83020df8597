/* Serves a model from four threads, with batch sizes 1 to 64 in turn, and counts what the warm calls allocate: those of
 * the library and of everything below it. Arguments: the model, which has one input f32[any, 8]; the threads of a run.
 * Prints the calls, the allocations, and the bits of all predictions in one number, which is the same for each thread.
 */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include <oxbow/c_api.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { threads = 4, sizes = 64, rounds = 32, features = 8 };

static long allocations;
static void count(void) { __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED); }

/* Definitions in the program come before those of the C library, for all that is linked. */
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t size) { return count(), __libc_malloc(size); }
void* calloc(size_t n, size_t size) { return count(), __libc_calloc(n, size); }
void* realloc(void* p, size_t size) { return count(), __libc_realloc(p, size); }
void* aligned_alloc(size_t alignment, size_t size) { return count(), __libc_memalign(alignment, size); }
int posix_memalign(void** p, size_t alignment, size_t size) {
  *p = aligned_alloc(alignment, size);
  return *p ? 0 : 12; /* ENOMEM */
}

static const oxbow_model* model;
static float x[sizes * features];
static pthread_barrier_t together;
static uint64_t sums[threads];

static void check(oxbow_status status) {
  if (status == OXBOW_OK) return;
  fprintf(stderr, "%s\n", oxbow_last_error());
  exit(1);
}

static uint64_t run(oxbow_session* session, int64_t rows, uint64_t sum) {
  oxbow_result y;
  check(oxbow_feed(session, 0, OXBOW_F32, x, rows * features));
  check(oxbow_run(session));
  check(oxbow_fetch(session, 0, &y));
  if (y.rank < 1 || y.shape[0] != rows) exit(2);
  for (int64_t i = 0; i < y.count; ++i) {
    uint32_t bits;
    memcpy(&bits, (const float*)y.data + i, sizeof bits);
    sum = sum * 31 + bits;
  }
  return sum;
}

static void* serve(void* number) {
  const int me = (int)(ptrdiff_t)number;
  oxbow_session* session;
  check(oxbow_new_session(model, &session));
  for (int64_t rows = 1; rows <= sizes; ++rows) run(session, rows, 0);
  pthread_barrier_wait(&together); /* all are warm */
  pthread_barrier_wait(&together); /* and counted from here */
  uint64_t sum = 0;
  for (int round = 0; round < rounds; ++round)
    for (int64_t rows = 1; rows <= sizes; ++rows) sum = run(session, rows, sum);
  pthread_barrier_wait(&together);
  pthread_barrier_wait(&together);
  sums[me] = sum;
  oxbow_free_session(session);
  return NULL;
}

int main(int argc, char** argv) {
  oxbow_model* loaded;
  pthread_t thread[threads];
  if (argc < 3) return 2;
  const oxbow_load_options options = {.threads = atoi(argv[2])};
  check(oxbow_load_model(argv[1], &options, &loaded));
  model = loaded;
  for (int i = 0; i < sizes * features; ++i) x[i] = (float)(i % 17) / 8 - 1;
  pthread_barrier_init(&together, NULL, threads + 1);
  for (ptrdiff_t i = 0; i < threads; ++i) pthread_create(&thread[i], NULL, serve, (void*)i);
  pthread_barrier_wait(&together);
  const long before = allocations;
  pthread_barrier_wait(&together);
  pthread_barrier_wait(&together);
  const long after = allocations;
  pthread_barrier_wait(&together);
  for (int i = 0; i < threads; ++i) pthread_join(thread[i], NULL);
  oxbow_free_model(loaded);
  for (int i = 1; i < threads; ++i)
    if (sums[i] != sums[0]) return 3;
  printf("%d calls, %ld allocations, predictions %llx\n", threads * rounds * sizes, after - before,
         (unsigned long long)sums[0]);
  return 0;
}
