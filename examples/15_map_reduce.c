/* 15: a list in pieces: map, filter, fold, frequencies, the largest ones, groups by key.
 *
 *     mpirun -n 2 ./15_map_reduce
 *
 * Expected output:
 *
 *     readings: 200000, not missing: 194930, mean 14.28
 *     frequencies: 32891 32451 32633 32171 32297 32487
 *     the highest: 28.61 28.61 28.61
 *     medians by station: 5.54 9.08 12.58 16.05 19.49 23.07
 *
 * The list, readings of thermometers, is never in one place: each piece is the result of a task and stays on the rank that made it. What folds (counts, sums, the largest so far) is
 * worked out for each piece and joined in a tree. What does not fold, like a median, needs all values of a key together: each piece is asked for its values of each key,
 * and one task for each key gets those of all pieces. */
#include <stdio.h>
#include <stdlib.h>
#include <varve/varve.h>

enum { PIECES = 40, EACH = 5000, STATIONS = 6, TOP = 3, MISSING = -999 };

typedef struct reading {
    int32_t station;
    float value;
} reading;

typedef struct summary {
    int64_t all, of[STATIONS];
    double sum;
    float top[TOP]; /* the largest first */
} summary;

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        vv_status status_ = (call);                                                                                    \
        if (status_ != VV_OK) return status_;                                                                          \
    } while (0)

/* --- tasks --- */

/* A piece of the list: degrees Fahrenheit. */
static int read_piece(vv_task *t)
{
    uint64_t state = (uint64_t)vv_task_i64(t, 0) + 1;
    reading *out = vv_return_room(t, EACH * sizeof *out);
    for (int i = 0; out && i < EACH; i++) {
        double draw[3];
        for (int k = 0; k < 3; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            draw[k] = (double)(state >> 33) / 2147483648.0;
        }
        out[i] = (reading){(int)(draw[0] * STATIONS), (float)(40 + 20 * draw[1])};
        out[i].value += (float)(6.3 * out[i].station - 8);
        if (draw[2] < 0.025) out[i].value = MISSING;
    }
    return out ? VV_OK : VV_ERR_NOMEM;
}

/* Map and filter: degrees Celsius, and none that is missing. */
static int clean(vv_task *t)
{
    vv_bytes size, n = 0;
    const reading *in = vv_task_data(t, 0, &size);
    reading *out = malloc((size_t)size);
    for (vv_bytes i = 0; out && i < size / (vv_bytes)sizeof *in; i++)
        if (in[i].value != MISSING) out[n++] = (reading){in[i].station, (in[i].value - 32) / 1.8F};
    int status = out ? vv_return_bytes(t, out, n * (vv_bytes)sizeof *out) : VV_ERR_NOMEM;
    free(out);
    return status;
}

static void add_top(summary *s, float value)
{
    for (int k = 0; k < TOP; k++)
        if (value > s->top[k]) {
            float smaller = s->top[k];
            s->top[k] = value;
            value = smaller;
        }
}

static int describe(vv_task *t)
{
    vv_bytes size;
    const reading *in = vv_task_data(t, 0, &size);
    summary s = {.top = {-1e30F, -1e30F, -1e30F}};
    for (vv_bytes i = 0; i < size / (vv_bytes)sizeof *in; i++) {
        s.all++;
        s.of[in[i].station]++;
        s.sum += in[i].value;
        add_top(&s, in[i].value);
    }
    return vv_return_bytes(t, &s, sizeof s);
}

static int join(vv_task *t)
{
    summary s = *(const summary *)vv_task_data(t, 0, NULL);
    const summary *b = vv_task_data(t, 1, NULL);
    s.all += b->all;
    s.sum += b->sum;
    for (int k = 0; k < STATIONS; k++) s.of[k] += b->of[k];
    for (int k = 0; k < TOP; k++) add_top(&s, b->top[k]);
    return vv_return_bytes(t, &s, sizeof s);
}

/* The values of one key in a piece. */
static int pick(vv_task *t)
{
    vv_bytes size, n = 0;
    const reading *in = vv_task_data(t, 0, &size);
    float *out = malloc((size_t)size);
    for (vv_bytes i = 0; out && i < size / (vv_bytes)sizeof *in; i++)
        if (in[i].station == vv_task_i64(t, 1)) out[n++] = in[i].value;
    int status = out ? vv_return_bytes(t, out, n * (vv_bytes)sizeof *out) : VV_ERR_NOMEM;
    free(out);
    return status;
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Of a list of values from all pieces. */
static int median(vv_task *t)
{
    size_t n = 0;
    float *all = malloc(sizeof *all * PIECES * EACH);
    if (!all) return VV_ERR_NOMEM;
    for (vv_index p = 0; p < vv_task_length(t, 0); p++) {
        vv_arg part = vv_task_element(t, 0, p);
        for (vv_bytes i = 0; i < part.size / (vv_bytes)sizeof *all; i++) all[n++] = ((const float *)part.data)[i];
    }
    qsort(all, n, sizeof *all, ascending);
    double middle = n % 2 ? all[n / 2] : 0.5 * ((double)all[n / 2 - 1] + all[n / 2]);
    free(all);
    return vv_return_f64(t, middle);
}

/* --- the driver --- */

static vv_status fold(vv_session *s, const vv_future piece[], summary *out)
{
    vv_future f[PIECES];
    for (int i = 0; i < PIECES; i++) TRY(vv_submit(s, describe, VV_ARGS(vv_of(piece[i])), NULL, &f[i]));
    for (int n = PIECES; n > 1; n = (n + 1) / 2)
        for (int i = 0; i < n / 2; i++) {
            vv_future both[2] = {f[i], f[n - 1 - i]};
            TRY(vv_submit(s, join, VV_ARGS(vv_of(both[0]), vv_of(both[1])), NULL, &f[i]));
            vv_future_release(s, both, 2);
        }
    TRY(vv_gather(s, f[0], out, sizeof *out, NULL));
    vv_future_release(s, f, 1);
    return VV_OK;
}

static vv_status group_by_key(vv_session *s, const vv_future piece[], double out[STATIONS])
{
    vv_future part[PIECES], group[STATIONS];
    vv_arg all[PIECES];
    for (int k = 0; k < STATIONS; k++) {
        for (int i = 0; i < PIECES; i++) {
            TRY(vv_submit(s, pick, VV_ARGS(vv_of(piece[i]), vv_i64(k)), NULL, &part[i]));
            all[i] = vv_of(part[i]);
        }
        TRY(vv_submit(s, median, VV_ARGS(vv_list(all, PIECES)), NULL, &group[k]));
        vv_future_release(s, part, PIECES); /* the group has them */
    }
    TRY(vv_gather_all(s, group, STATIONS, out, sizeof *out));
    vv_future_release(s, group, STATIONS);
    return VV_OK;
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    vv_future raw, piece[PIECES];
    summary all;
    double middle[STATIONS];
    for (int i = 0; i < PIECES; i++) {
        TRY(vv_submit(s, read_piece, VV_ARGS(vv_i64(i)), NULL, &raw));
        TRY(vv_submit(s, clean, VV_ARGS(vv_of(raw)), NULL, &piece[i]));
        vv_future_release(s, &raw, 1);
    }
    TRY(fold(s, piece, &all));
    TRY(group_by_key(s, piece, middle));
    printf("readings: %d, not missing: %lld, mean %.2f\n", PIECES * EACH, (long long)all.all,
           all.sum / (double)all.all);
    printf("frequencies:");
    for (int k = 0; k < STATIONS; k++) printf(" %lld", (long long)all.of[k]);
    printf("\nthe highest:");
    for (int k = 0; k < TOP; k++) printf(" %.2f", (double)all.top[k]);
    printf("\nmedians by station:");
    for (int k = 0; k < STATIONS; k++) printf(" %.2f", middle[k]);
    puts("");
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
