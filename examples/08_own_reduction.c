/* 08: a reduction of your own: the longest warm spell everywhere.
 *
 *     mpirun -n 2 ./08_own_reduction t2m.nc t2m
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     spells (lat: 91, lon: 180, what: 2) i64, ...
 *     longest spell above 30 C: ... days, most warm days: ...
 *     warm days between 30 and 35 C: ..., above: ...
 *
 * A reduction is four functions: `init` makes a state of no days, `fold` takes a run of days in, `combine` joins the state of earlier days with that of later ones, and
 * `finish` makes results of a state: here two. Ranks and threads fold different days; because days come in order and states are joined in an order that only
 * the chunks of the file decide, the result has the same bits everywhere.
 *
 * To count in classes, vv_histogram() is there. */
#include <stdio.h>
#include <varve/varve.h>

/* What has to be known about some days in a row, to say what they and those behind them are together. */
typedef struct spells {
    int64_t days, warm; /* how many there are, and how many of them are warm */
    int64_t begin, end; /* warm days in a row from the first day on, and up to the last one */
    int64_t longest;
} spells;

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int init(void *state, const void *data)
{
    (void)data;
    *(spells *)state = (spells){0};
    return 0;
}

static int fold(void *state, vv_index n, const void *const in[], const void *data)
{
    spells *s = state;
    const float *t = in[0], above = *(const float *)data;
    for (vv_index i = 0; i < n; i++) {
        bool warm = t[i] > above; /* a missing value (NaN) is not */
        if (warm && s->begin == s->days) s->begin++;
        s->end = warm ? s->end + 1 : 0;
        s->warm += warm;
        s->days++;
        s->longest = larger(s->longest, s->end);
    }
    return 0;
}

static int combine(void *state, const void *later, const void *data)
{
    spells *s = state;
    const spells *l = later;
    (void)data;
    s->longest = larger(larger(s->longest, l->longest), s->end + l->begin);
    if (s->begin == s->days) s->begin += l->begin;
    s->end = l->end == l->days ? s->end + l->days : l->end;
    s->days += l->days;
    s->warm += l->warm;
    return 0;
}

static int finish(const void *state, void *out, const void *data)
{
    const spells *s = state;
    int64_t *to = out;
    (void)data;
    to[0] = s->longest;
    to[1] = s->warm;
    return 0;
}

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc != 3) return vv_error(VV_ERR_USAGE, "usage: %s FILE VARIABLE", argv[0]);
    const float above = 303.15f;
    const vv_own_reduction how = {.name = "spells",
                                  .state = sizeof(spells),
                                  .in = VV_F32,
                                  .out = VV_I64,
                                  .length = 2,
                                  .init = init,
                                  .fold = fold,
                                  .combine = combine,
                                  .finish = finish,
                                  .data = &above,
                                  .data_size = sizeof above};
    char text[200];
    int64_t most[2], counts[2];
    vv_array *t = vv_open(s, argv[1], argv[2]);
    vv_array *found = vv_reduce_own(&t, 1, &how, "time", "what");
    printf("%s\n", vv_describe(found, text, sizeof text));

    vv_status status = vv_compute(vv_max(found, "lat,lon"), most, sizeof most);
    if (status != VV_OK) return status;
    printf("longest spell above 30 C: %lld days, most warm days: %lld\n", (long long)most[0], (long long)most[1]);

    const double edges[] = {303.15, 308.15, 400};
    status = vv_compute(vv_histogram(t, &(vv_bins){.n = 2, .edges = edges}, NULL, NULL, false), counts, sizeof counts);
    if (status != VV_OK) return status;
    printf("warm days between 30 and 35 C: %lld, above: %lld\n", (long long)counts[0], (long long)counts[1]);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
