/* Reshaped arrays of several chunks: every element knows its place, so each result says where its elements come from.
 *
 * ranks: 1 3
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include "mpi/computed.h"

#include <math.h>
#include <unistd.h>
#include <varve/varve.h>

static vv_session *session;

/* Large enough for three chunks of the planner's size, with a prime side. */
enum { ROWS = 4999, COLUMNS = 1200, ALL = ROWS * COLUMNS };

static vv_array *counted(const char *dims)
{
    vv_array *flat = vv_arange(session, "x", 0, ALL, 1, VV_I32);
    return vv_reshape(flat, dims);
}

static void check_counts(vv_array *a)
{
    int32_t *v = computed(a, VV_I32, ALL);
    for (vv_index i = 0; i < ALL; i++)
        if (v[i] != i) fail_msg("element %lld is %d", (long long)i, v[i]);
    free(v);
}

static void split_and_merged(void **state)
{
    (void)state;
    check_counts(counted("y:4999,x:1200"));
    check_counts(vv_ravel(counted("y:4999,x:1200"), "all"));
    check_counts(vv_reshape(counted("y:4999,x:1200"), "a:1200,b:4999"));
    check_counts(vv_reshape(counted("a:40,y:4999,x:30"), "p:8,q:24995,r:-1"));
    check_counts(vv_reshape(vv_rechunk(counted("y:4999,x:1200"), "y:700,x:90"), "y:4999,a:3,b:400"));
}

static void of_a_transposed_one(void **state)
{
    (void)state;
    int32_t *v = computed(vv_ravel(vv_transpose(counted("y:4999,x:1200"), NULL), "all"), VV_I32, ALL);
    for (vv_index i = 0; i < ALL; i++)
        if (v[i] != i % ROWS * COLUMNS + i / ROWS) fail_msg("element %lld is %d", (long long)i, v[i]);
    free(v);
}

static void parts_of_it(void **state)
{
    (void)state;
    vv_array *a = vv_reshape(counted("y:4999,x:1200"), "y:4999,u:30,v:40");
    int32_t *v = computed(vv_at(vv_slice(a, "y", 100, 4000, 7), "u", 11), VV_I32, 558 * 40);
    for (vv_index i = 0; i < 558 * 40; i++) assert_int_equal(v[i], (100 + i / 40 * 7) * COLUMNS + 11 * 40 + i % 40);
    free(v);
    v = computed(vv_diagonal(counted("y:4999,x:1200"), "y", "x", 5, "d"), VV_I32, COLUMNS - 5);
    for (vv_index i = 0; i < COLUMNS - 5; i++) assert_int_equal(v[i], i * COLUMNS + i + 5);
    free(v);
    v = computed(vv_coarsen(counted("y:4999,x:1200"), "max", "y:7,x:400", true), VV_I32, 714 * 3);
    for (vv_index i = 0; i < 714 * 3; i++) assert_int_equal(v[i], (i / 3 * 7 + 6) * COLUMNS + i % 3 * 400 + 399);
    free(v);
}

static void through_a_file_and_the_ranks(void **state)
{
    (void)state;
    char path[256];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/reshape-%d.nc", folder ? folder : "/tmp", (int)getpid());
    vv_save_options how = VV_SAVE_OPTIONS_INIT;
    how.overwrite = true;
    how.chunks = "a:1000,b:512";
    how.deflate = 1;
    must(vv_save(vv_reshape(counted("y:4999,x:1200"), "a:9998,b:600"), path, &how));
    vv_array *stored = vv_open(session, path, "x");
    check_counts(vv_ravel(stored, "all"));
    vv_array *kept = vv_reshape(stored, "c:29994,d:200");
    must(vv_persist(kept));
    check_counts(kept);
    check_counts(vv_reshape(kept, "e:100,f:-1"));
    unlink(path);
}

/* Buffers of rank 0: handed out for every use, or kept with the ranks. */
static void given_in_a_buffer(void **state)
{
    (void)state;
    int32_t *all = malloc(sizeof *all * ALL);
    int8_t small[6] = {1, -2, 3, -4, 5, -6};
    for (vv_index i = 0; i < ALL; i++) all[i] = (int32_t)i;
    vv_array *a = vv_from_buffer(session, "y:4999,x:1200", "y:300,x:700", VV_I32, all);
    check_counts(a);
    check_counts(vv_transpose(vv_transpose(a, NULL), NULL));
    int32_t *v = computed(vv_max(vv_slice(a, "x", 0, 1200, 100), "x"), VV_I32, ROWS);
    for (vv_index i = 0; i < ROWS; i++) assert_int_equal(v[i], i * COLUMNS + 1100);
    free(v);
    must(vv_persist(a));
    memset(all, 0, sizeof *all * ALL);
    check_counts(a);
    vv_array *b = vv_from_buffer(session, "b:2,a:3", NULL, VV_I8, small);
    v = computed(vv_astype(vv_add(b, vv_from_buffer(session, "a:3,b:2", NULL, VV_I8, small)), VV_I32), VV_I32, 6);
    for (int i = 0; i < 6; i++) assert_int_equal(v[i], small[i] + small[i % 3 * 2 + i / 3]);
    free(v);
    must(vv_array_status(vv_from_buffer(session, "a:0", NULL, VV_F32, small)));
    assert_int_equal(vv_array_status(vv_from_buffer(session, "a:1", NULL, VV_NONE, small)), VV_ERR_TYPE);
    free(all);
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_and_merged),
        cmocka_unit_test(of_a_transposed_one),
        cmocka_unit_test(parts_of_it),
        cmocka_unit_test(given_in_a_buffer),
        cmocka_unit_test(through_a_file_and_the_ranks),
    };
    session = s;
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? VV_OK : VV_ERR_RUN;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
