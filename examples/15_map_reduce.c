/* 15: a list that is worked on in pieces: map, filter, fold, frequencies, the most frequent, by groups; a grid search; and a stencil by futures.
 *
 *     mpirun -n 2 ./15_map_reduce
 *
 * Expected output:
 *
 *     words: 200000, longer than 4 letters: 66277
 *     the most frequent: of 22448
 *     by first letter: a 44524, b 22181, f 22338, m 22280, o 44355, s 44322
 *     grid search: the best of 400 is (1.00, 1.00)
 *     heat after 200 steps: 1.0000 in all, 0.0399 in the middle
 *
 * A piece of the list is an argument; each task gives the counts of its piece, and tasks that join two counts make a tree of them. Counts are a plain C struct, results as bytes. */
#include <stdio.h>
#include <string.h>
#include <varve/varve.h>

enum { WORDS = 200000, PIECES = 40, KINDS = 9, SIDE = 20, CELLS = 8, LENGTH = 64, STEPS = 200 };
static const char *const word[KINDS] = {"apple", "and", "bear", "of", "ocean", "small", "sea", "fish", "moon"};

typedef struct counts {
    int64_t all, longer, of[KINDS];
} counts;

static uint64_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* --- map, filter and fold of one piece; two counts become one --- */

static int count(vv_task *t)
{
    counts c = {0};
    uint64_t state = (uint64_t)vv_task_i64(t, 0) + 1; /* the piece makes its words itself */
    for (int i = 0; i < WORDS / PIECES; i++) {
        int kind = (int)(draw(&state) % KINDS);
        c.all++;
        c.of[kind]++;
        c.longer += strlen(word[kind]) > 4;
    }
    return vv_return_bytes(t, &c, sizeof c);
}

static int join(vv_task *t)
{
    counts a = *(const counts *)vv_task_data(t, 0, NULL);
    const counts *b = vv_task_data(t, 1, NULL);
    a.all += b->all;
    a.longer += b->longer;
    for (int k = 0; k < KINDS; k++) a.of[k] += b->of[k];
    return vv_return_bytes(t, &a, sizeof a);
}

static vv_status words(vv_session *s)
{
    vv_future f[PIECES];
    counts c;
    int most = 0;
    int64_t by_letter[26] = {0};
    for (int i = 0; i < PIECES; i++) {
        vv_status status = vv_submit(s, count, VV_ARGS(vv_i64(i)), NULL, &f[i]);
        if (status != VV_OK) return status;
    }
    for (int n = PIECES; n > 1; n = (n + 1) / 2)
        for (int i = 0; i < n / 2; i++) {
            vv_future both[2] = {f[i], f[n - 1 - i]};
            vv_status status = vv_submit(s, join, VV_ARGS(vv_of(both[0]), vv_of(both[1])), NULL, &f[i]);
            if (status != VV_OK) return status;
            vv_future_release(s, both, 2);
        }
    vv_status status = vv_gather(s, f[0], &c, sizeof c, NULL);
    if (status != VV_OK) return status;
    for (int k = 0; k < KINDS; k++) {
        if (c.of[k] > c.of[most]) most = k;
        by_letter[word[k][0] - 'a'] += c.of[k];
    }
    printf("words: %lld, longer than 4 letters: %lld\n", (long long)c.all, (long long)c.longer);
    printf("the most frequent: %s %lld\nby first letter:", word[most], (long long)c.of[most]);
    for (int l = 0, first = 1; l < 26; l++)
        if (by_letter[l]) printf("%s %c %lld", first ? "" : ",", 'a' + l, (long long)by_letter[l]), first = 0;
    puts("");
    return VV_OK;
}

/* --- a grid search --- */

typedef struct setting {
    double x, y;
} setting;

static int cost(vv_task *t)
{
    const setting *p = vv_task_data(t, 0, NULL);
    return vv_return_f64(t, (1 - p->x) * (1 - p->x) + 100 * (p->y - p->x * p->x) * (p->y - p->x * p->x));
}

static vv_status grid_search(vv_session *s)
{
    static setting p[SIDE * SIDE];
    static vv_future f[SIDE * SIDE];
    static double value[SIDE * SIDE];
    int best = 0;
    for (int i = 0; i < SIDE * SIDE; i++) p[i] = (setting){0.1 * (i % SIDE + 1), 0.1 * (i / SIDE + 1)};
    vv_status status = vv_submit_map(s, cost, p, sizeof *p, SIDE * SIDE, NULL, 0, NULL, f);
    if (status == VV_OK) status = vv_gather_all(s, f, SIDE * SIDE, value, sizeof *value);
    if (status != VV_OK) return status;
    for (int i = 0; i < SIDE * SIDE; i++)
        if (value[i] < value[best]) best = i;
    printf("grid search: the best of %d is (%.2f, %.2f)\n", SIDE * SIDE, p[best].x, p[best].y);
    vv_future_release(s, f, SIDE * SIDE);
    return VV_OK;
}

/* --- a stencil: heat in a ring of cells, each of which needs its neighbours' last state --- */

static int step(vv_task *t)
{
    const double *left = vv_task_data(t, 0, NULL), *here = vv_task_data(t, 1, NULL), *right = vv_task_data(t, 2, NULL);
    double *out = vv_return_room(t, LENGTH * sizeof *out);
    if (!out) return VV_ERR_NOMEM;
    for (int i = 0; i < LENGTH; i++) {
        double before = i > 0 ? here[i - 1] : left[LENGTH - 1], after = i < LENGTH - 1 ? here[i + 1] : right[0];
        out[i] = here[i] + 0.25 * (before - 2 * here[i] + after);
    }
    return 0;
}

static vv_status heat(vv_session *s)
{
    double start[CELLS][LENGTH] = {0}, end[CELLS][LENGTH], sum = 0;
    vv_future now[CELLS], next[CELLS];
    vv_status status = VV_OK;
    start[CELLS / 2][LENGTH / 2] = 1;
    for (int c = 0; c < CELLS && status == VV_OK; c++)
        status = vv_scatter(s, start[c], sizeof start[c], VV_ANYWHERE, &now[c]);
    for (int k = 0; k < STEPS && status == VV_OK; k++) {
        for (int c = 0; c < CELLS && status == VV_OK; c++)
            status = vv_submit(s, step,
                               VV_ARGS(vv_of(now[(c + CELLS - 1) % CELLS]), vv_of(now[c]), vv_of(now[(c + 1) % CELLS])),
                               NULL, &next[c]);
        if (status == VV_OK) vv_future_release(s, now, CELLS); /* steps that are submitted hold what they need */
        memcpy(now, next, sizeof now);
    }
    if (status == VV_OK) status = vv_gather_all(s, now, CELLS, end, sizeof end[0]);
    if (status != VV_OK) return status;
    for (int c = 0; c < CELLS; c++)
        for (int i = 0; i < LENGTH; i++) sum += end[c][i];
    printf("heat after %d steps: %.4f in all, %.4f in the middle\n", STEPS, sum, end[CELLS / 2][LENGTH / 2]);
    return VV_OK;
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    vv_status status = words(s);
    if (status == VV_OK) status = grid_search(s);
    return status == VV_OK ? heat(s) : status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
