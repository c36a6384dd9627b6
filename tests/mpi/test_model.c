/* The model of what travels: messages, bytes and bytes between machines are foretold exactly, for reductions, rechunks, products and groups. The ranks believe to
 * be on two machines, dealt out in turn as some launchers do, so that they have to be put in order first.
 *
 * A message of the plan is what one chunk has for one other rank, in parcels of 64 KiB, or a partial or finished result. MPI may get fewer: what waits for the
 * same rank goes together. All that is said besides is counted apart and is little: places and ends of chunks, acts, counts, and signs of life.
 *
 * ranks: 1 2 3 4 5 6
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include <math.h>
#include <varve/varve.h>

static vv_session *session;
static vv_bytes moved, across; /* in all */

/* Contiguous, in chunks that are no divisors of anything, and the factors of a product. */
#define FIELD "virtual:t?shape=time:365,lat:37,lon:60&chunk=31,16,25&dtype=f32&hours=24"
#define PLAIN "virtual:t?shape=time:365,lat:37,lon:60&dtype=f32&hours=24"
#define LEFT  "virtual:a?shape=i:150,k:200&chunk=40,64&dtype=f64"
#define RIGHT "virtual:b?shape=k:200,j:90&chunk=50,40&dtype=f64"

typedef struct question {
    const char *name, *source, *expression;
} question;

static const question asked[] = {
    {"mean over time", FIELD, "t.mean(time)"},
    {"spread of contiguous data", PLAIN, "t.std(time)"},
    {"all of it", FIELD, "t.sum()"},
    {"several", FIELD, "t.mean(lat, lon) * t.max(lat, lon)"},
    {"groups", FIELD, "t.group(month).mean(time)"},
    {"anomalies", FIELD, "t.group(month) - t.group(month).mean(time)"},
    {"a window", FIELD, "rolling(t, time=9).mean()"},
    {"rechunked", FIELD, "rechunk(t, time=all, lat=5, lon=7)"},
    {"rechunked, small ones", FIELD, "rechunk(t, time=10, lat=all, lon=all)"},
    {"turned", PLAIN, "transpose(t, lon, lat, time)"},
};

static double number_of(const char *json, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(json, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

/* Explains, runs, compares. */
static void check(const char *name, vv_array *a, int ranks)
{
    char *json;
    vv_run_stats s;
    vv_index elements = 1;
    must(vv_array_status(a));
    for (int d = 0; d < vv_array_n_dims(a); d++) elements *= vv_array_length(a, d);
    vv_bytes bytes = elements * vv_dtype_size(vv_array_dtype(a));
    void *values = calloc((size_t)elements + 1, 16);
    must(vv_explain(a, &(vv_explain_options){.form = VV_EXPLAIN_JSON}, &json));
    must(vv_compute(a, values, bytes));
    vv_session_stats(session, &s);
    if (number_of(json, "messages") != (double)s.messages || number_of(json, "moved") != (double)s.moved ||
        number_of(json, "across") != (double)s.across)
        fail_msg("%s on %d ranks: foretold %.0f messages with %.0f bytes, %.0f of them between machines; there were "
                 "%lld with %lld, "
                 "%lld",
                 name, ranks, number_of(json, "messages"), number_of(json, "moved"), number_of(json, "across"),
                 (long long)s.messages, (long long)s.moved, (long long)s.across);
    assert_true(s.sends <= s.messages);
    assert_true(ranks > 1 || s.messages + s.control == 0);
    assert_true(ranks == 1 || s.messages > 0);
    assert_true(ranks != 2 || s.across == s.moved);
    moved += s.moved;
    across += s.across;
    free(json);
    free(values);
}

static void test_expressions(void **state)
{
    (void)state;
    int ranks = vv_session_ranks(session);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        vv_dataset *d = vv_dataset_open(session, asked[i].source);
        must(vv_dataset_status(d));
        vv_array *a = vv_expression(session, d, asked[i].expression);
        check(asked[i].name, a, ranks);
        vv_release(&a);
    }
}

static void test_products(void **state)
{
    (void)state;
    vv_array *a = vv_open(session, LEFT, "a"), *b = vv_open(session, RIGHT, "b");
    vv_array *wide = vv_matmul(a, b, "k"), *apart = vv_matmul(vv_rechunk(a, "i:all"), vv_rechunk(b, "k:7"), "k");
    check("a product", wide, vv_session_ranks(session));
    check("a product of other chunks", apart, vv_session_ranks(session));
    vv_release(&apart);
    vv_release(&wide);
    assert_true(vv_session_ranks(session) < 3 || across < moved); /* some of it stays on a machine */
}

/* Each rank is told of its chunks, of the acts, and of the end, and tells of these, of its counts, and of its being alive. */
static void test_all_else_is_little(void **state)
{
    (void)state;
    int ranks = vv_session_ranks(session);
    vv_run_stats s;
    vv_array *a = vv_mean(vv_open(session, FIELD, "t"), "time");
    double values[37 * 60];
    must(vv_compute(vv_astype(a, VV_F64), values, sizeof values));
    vv_session_stats(session, &s);
    double seconds = s.seconds + 1; /* signs of life: four a second at most */
    assert_true((double)s.control <= (ranks - 1) * (8 + 4 * seconds));
    vv_release(&a);
}

static int driver(vv_session *s, int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_all_else_is_little),
    };
    (void)argc;
    (void)argv;
    session = s;
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? VV_OK : VV_ERR_INTERNAL;
}

int main(int argc, char **argv)
{
    setenv("VARVE_NODES", "2", 1);
    return vv_run(argc, argv, driver);
}
