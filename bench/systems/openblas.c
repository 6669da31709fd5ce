/* Times cblas_sgemm as a C program calls it, and answers the benchmark's requests: see protocol.ts. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* As in cblas.h, which not every machine that has the library has. */
enum { row_major = 101, no_transpose = 111, transposed = 112 };
void cblas_sgemm(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
void openblas_set_num_threads(int);
char *openblas_get_config(void);
char *openblas_get_corename(void);

static double milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* The whole number after "name": in a line of JSON. */
static int number(const char *line, const char *name) {
  char key[32];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *found = strstr(line, key);
  return found ? atoi(found + strlen(key)) : 0;
}

static float *array(int size) {
  float *x = aligned_alloc(64, ((size_t)size * sizeof(float) + 63) / 64 * 64);
  if (!x) exit(1);
  for (int i = 0; i < size; i++) x[i] = (float)sin(i);
  return x;
}

/* A library older than the processor takes it for one of 2004; the best kernels it has are named by hand then. */
static void choose_kernels(char **argv) {
#if defined(__x86_64__) && defined(__linux__)
  if (getenv("OPENBLAS_CORETYPE") || strcmp(openblas_get_corename(), "Prescott") != 0) return;
  const char *core = __builtin_cpu_supports("avx512f") ? "SkylakeX" : __builtin_cpu_supports("avx2") ? "Haswell" : NULL;
  if (!core) return;
  setenv("OPENBLAS_CORETYPE", core, 1);
  execv("/proc/self/exe", argv);
#else
  (void)argv;
#endif
}

int main(int argc, char **argv) {
  (void)argc;
  choose_kernels(argv);
  const char *threads = getenv("BENCH_THREADS");
  openblas_set_num_threads(threads ? atoi(threads) : 1);
  char version[64] = "";
  sscanf(openblas_get_config(), "%*s %63s", version);
  printf("{\"ready\":true,\"versions\":{\"openblas\":\"%s\"},\"note\":\"%s kernels\"}\n", version, openblas_get_corename());
  fflush(stdout);
  static char line[4096];
  float *a = NULL, *b = NULL, *c = NULL;
  while (fgets(line, sizeof line, stdin)) {
    int m = number(line, "m"), n = number(line, "n"), k = number(line, "k");
    int at = number(line, "aT"), bt = number(line, "bT"), repeat = number(line, "repeat");
    int warm = number(line, "warm"), steps = number(line, "steps");
    free(a), free(b), free(c);
    a = array(m * k), b = array(k * n), c = array(m * n);
    printf("{\"ms\":[");
    for (int step = -warm - 1; step < (steps > 0 ? steps : 1); step++) {
      double start = milliseconds();
      for (int i = 0; i < repeat; i++)
        cblas_sgemm(row_major, at ? transposed : no_transpose, bt ? transposed : no_transpose, m, n, k, 1,
                    a, at ? m : k, b, bt ? k : n, 0, c, n);
      double each = (milliseconds() - start) / repeat;
      if (step >= 0) printf("%s%.6f", step > 0 ? "," : "", each);
    }
    printf("]}\n");
    fflush(stdout);
  }
  return 0;
}
