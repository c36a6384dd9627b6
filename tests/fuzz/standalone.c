/* Runs a fuzz target on seeded mutations of its seeds, without libFuzzer:
 *
 *     fuzz_NAME [-runs=N] [-seed=S] [-seconds=T] [-fork] [FILE ...]
 *
 * FILE replaces the target's own seeds; with -runs=0 the files themselves are run (what libFuzzer found, for one). Before each input a line with its number would
 * be too much: when the target dies, the input that it died of is in ./crash-NAME (written before by -fork, which runs every input in a child and goes on
 * after a crash; without it, from the signal handler of the sanitizer). Exit status 1 when any input crashed or took over 100 seconds. */
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 17, SEEDS = 256, PATIENCE = 100 };

static struct {
    uint8_t *data;
    size_t size;
} seed[SEEDS];
static int n_seeds;
static uint8_t input[ROOM];
static size_t input_size;
static uint64_t state;
static const char *name;

static uint64_t next(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = state ^ state >> 32;
    return x * 0x9e3779b97f4a7c15u >> 20;
}

static size_t below(size_t n)
{
    return n ? (size_t)(next() % n) : 0;
}

static void add_seed(const uint8_t *data, size_t size)
{
    if (n_seeds == SEEDS) return;
    seed[n_seeds].data = malloc(size + 1);
    vv_fuzz_demand(seed[n_seeds].data != NULL);
    memcpy(seed[n_seeds].data, data, size);
    seed[n_seeds++].size = size;
}

static void read_seed(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    add_seed(input, fread(input, 1, ROOM, f));
    fclose(f);
}

/* --- mutations --- */

static void number(size_t at)
{
    static const uint64_t telling[] = {0,          1,
                                       0x7f,       0x80,
                                       0xff,       0x7fff,
                                       0x7fffffff, 0x80000000,
                                       0xffffffff, 1000000000000000000,
                                       INT64_MAX,  (uint64_t)INT64_MIN,
                                       UINT64_MAX};
    size_t size = (size_t)1 << below(4);
    uint64_t v = telling[below(sizeof telling / sizeof *telling)];
    if (below(3) == 0) v = next() >> below(60);
    if (at + size <= input_size) memcpy(input + at, &v, size);
}

static void copy(const uint8_t *from, size_t n)
{
    size_t start = below(n), count = below(n - start < 64 ? n - start : 64) + 1, at = below(input_size);
    if (count > n - start) count = n - start;
    if (count > input_size - at) count = input_size - at;
    memmove(input + at, from + start, count);
}

static void insert(void)
{
    size_t n = below(16) + 1, at = below(input_size + 1);
    if (input_size + n > ROOM) return;
    memmove(input + at + n, input + at, input_size - at);
    for (size_t i = 0; i < n; i++) input[at + i] = (uint8_t)(below(2) ? next() : input[below(input_size + 1)]);
    input_size += n;
}

static void drop(void)
{
    size_t at = below(input_size), n = below(16) + 1;
    if (n > input_size - at) n = input_size - at;
    memmove(input + at, input + at + n, input_size - at - n);
    input_size -= n;
}

static void mutate(void)
{
    const int other = (int)below((size_t)n_seeds);
    if (input_size == 0) {
        insert();
        return;
    }
    switch (below(9)) {
    case 0: input_size = below(input_size); break;
    case 1: insert(); break;
    case 2: drop(); break;
    case 3: copy(seed[other].data, seed[other].size); break;
    case 4: copy(input, input_size); break;
    case 5:
    case 6: number(below(input_size)); break;
    case 7: input[below(input_size)] = (uint8_t)next(); break;
    default: input[below(input_size)] ^= (uint8_t)(1u << below(8)); break;
    }
}

static void make_input(uint64_t number_of_run, uint64_t base)
{
    state = (number_of_run + 1) * 0x9e3779b97f4a7c15u ^ base << 32;
    const int from = (int)below((size_t)n_seeds);
    input_size = seed[from].size;
    memcpy(input, seed[from].data, input_size);
    for (size_t i = 1 + below(4); i > 0; i--) mutate();
}

/* --- running --- */

static void keep_input(void)
{
    char path[256];
    snprintf(path, sizeof path, "crash-%s", name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0) return;
    if (write(fd, input, input_size) < 0) perror(path);
    close(fd);
}

static void too_long(int unused)
{
    (void)unused;
    static const char text[] = "an input takes too long\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
    keep_input();
    abort();
}

static void run_input(void)
{
    uint8_t *exact = malloc(input_size + !input_size); /* so that the sanitizer knows its end */
    vv_fuzz_demand(exact != NULL);
    if (input_size) memcpy(exact, input, input_size);
    alarm(PATIENCE);
    LLVMFuzzerTestOneInput(exact, input_size);
    alarm(0);
    free(exact);
}

static bool run_in_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        run_input();
        _exit(0);
    }
    int how = 0;
    if (child < 0 || waitpid(child, &how, 0) != child) exit(2);
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

#if defined(__SANITIZE_ADDRESS__)
void __asan_set_death_callback(void (*callback)(void));
#endif

static void dying(int sig)
{
    keep_input();
    signal(sig, SIG_DFL);
    raise(sig);
}

static bool option(const char *arg, const char *what, double *value)
{
    size_t n = strlen(what);
    if (strncmp(arg, what, n)) return false;
    *value = strtod(arg + n, NULL);
    return true;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    double runs = 1e18, base = 1, seconds = 5, begin = now();
    bool in_child = false;
    long bad = 0, done = 0;
    name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    for (int i = 1; i < argc; i++) {
        if (option(argv[i], "-runs=", &runs) || option(argv[i], "-seed=", &base) ||
            option(argv[i], "-seconds=", &seconds))
            continue;
        if (!strcmp(argv[i], "-fork"))
            in_child = true;
        else
            read_seed(argv[i]);
    }
    for (int i = 0; n_seeds == i && i < SEEDS; i++) {
        size_t n = vv_fuzz_seed(i, input, ROOM);
        if (n) add_seed(input, n);
    }
    if (n_seeds == 0) return 2;
    signal(SIGALRM, too_long);
#if defined(__SANITIZE_ADDRESS__)
    if (!in_child) __asan_set_death_callback(keep_input);
#endif
    if (!in_child) signal(SIGABRT, dying);
    for (int i = 0; i < n_seeds; i++) { /* unchanged first */
        input_size = seed[i].size;
        memcpy(input, seed[i].data, input_size);
        in_child ? bad += !run_in_child() : run_input();
    }
    for (; (double)done < runs && now() - begin < seconds; done++) {
        make_input((uint64_t)done, (uint64_t)base);
        if (!in_child)
            run_input();
        else if (!run_in_child()) {
            fprintf(stderr, "== input %ld of seed %.0f\n", done, base);
            bad++;
        }
    }
    printf("%s: %ld mutations of %d seeds in %.1f s, seed %.0f%s", name, done, n_seeds, now() - begin, base,
           in_child ? "" : "\n");
    if (in_child) printf(", %ld crashes\n", bad);
    return bad > 0;
}
