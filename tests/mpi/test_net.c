/* The transport: messages of all sizes between all pairs, agreement on failures, and phases that leave nothing behind.
 *
 * ranks: 1 2 3 4
 * cores: 1 */
#include "unit/scratch.h"

#include "exec/net/net.h"

enum { PIECE = 300000 }; /* messages above it travel in pieces */

static vv_net *net;

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

/* --- messages whose bytes follow from who sent them to whom --- */

typedef struct label {
    int64_t from, to, number, size, phase;
} label;

static void fill(char *data, vv_bytes size, uint64_t seed)
{
    for (vv_bytes i = 0; i + 8 <= size; i += 8) memcpy(data + i, &(uint64_t){mix(seed + (uint64_t)i)}, 8);
    for (vv_bytes i = size / 8 * 8; i < size; i++) data[i] = (char)mix(seed + (uint64_t)i);
}

static bool filled(const char *data, vv_bytes size, uint64_t seed)
{
    uint64_t word;
    for (vv_bytes i = 0; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        if (word != mix(seed + (uint64_t)i)) return false;
    }
    for (vv_bytes i = size / 8 * 8; i < size; i++)
        if (data[i] != (char)mix(seed + (uint64_t)i)) return false;
    return true;
}

static uint64_t seed_of(const label *l)
{
    return mix((uint64_t)(l->from * 1000 + l->to) * 1000003u + (uint64_t)l->number * 17u + (uint64_t)l->phase);
}

static void send_labelled(int to, vv_tag tag, int number, vv_bytes payload, int phase)
{
    label l = {net->rank, to, number, payload, phase};
    char *block;
    must(vv_mem_get(&block, (vv_bytes)sizeof l + payload, "a test message"));
    memcpy(block, &l, sizeof l);
    fill(block + sizeof l, payload, seed_of(&l));
    must(vv_net_send(net, to, tag, &block, (vv_bytes)sizeof l + payload));
    assert_null(block);
}

static label check_labelled(const vv_message *m)
{
    label l;
    assert_true(m->size >= (vv_bytes)sizeof l);
    memcpy(&l, m->data, sizeof l);
    assert_int_equal(l.from, m->from);
    assert_int_equal(l.to, net->rank);
    assert_int_equal(l.size, m->size - (vv_bytes)sizeof l);
    assert_true(filled((char *)m->data + sizeof l, l.size, seed_of(&l)));
    return l;
}

static void wait_for(vv_message *m)
{
    vv_backoff wait = {0};
    bool got = false;
    while (!got) {
        must(vv_net_receive(net, m, &got));
        if (!got) vv_backoff_wait(&wait);
    }
}

/* Ends a phase as the engine does; the number of messages that were thrown away. */
static int settle(vv_agreement *a)
{
    bool begun = false, done = false;
    vv_backoff wait = {0};
    int thrown = 0;
    net->discarding = true;
    while (!done) {
        vv_message m;
        bool got;
        must(vv_net_receive(net, &m, &got));
        if (got) {
            vv_mem_put(&m.data);
            thrown++;
        }
        if (!begun && net->sending == 0) {
            must(net->kind->agree_begin(net, a));
            begun = true;
        }
        if (begun) must(net->kind->agree_test(net, &done));
        if (!got && !done) vv_backoff_wait(&wait);
    }
    net->discarding = false;
    assert_int_equal(net->sending, 0);
    return thrown;
}

/* All is well on all ranks, and nothing is under way. */
static void finish_phase(void)
{
    vv_agreement a = {0};
    assert_int_equal(settle(&a), 0);
    assert_int_equal(a.failure.code, VV_OK);
    assert_int_equal(vv_mem_used(), 0);
}

static void test_sizes(void **state)
{
    (void)state;
    static const vv_bytes size[] = {
        0, 1, 4096, PIECE - (vv_bytes)sizeof(label), PIECE - (vv_bytes)sizeof(label) + 1, 1 << 20, 2 * PIECE};
    enum { SIZES = sizeof size / sizeof *size };
    vv_index data = 0, all = (vv_index)(net->size - 1) * SIZES;
    net->sends = net->control = 0;
    for (int to = 0; to < net->size; to++)
        for (int i = 0; i < SIZES; i++) {
            send_labelled(to, (vv_tag)(1 + (i + to) % VV_TAG_PROGRESS), i, size[i], 0);
            vv_tag tag = (vv_tag)(1 + (i + to) % VV_TAG_PROGRESS);
            data += to != net->rank && (tag == VV_TAG_STATE || tag == VV_TAG_RESULT || tag == VV_TAG_PIECES);
        }
    assert_int_equal(net->sends, data); /* what a rank sends itself moves nowhere */
    assert_int_equal(net->control, all - data);
    int seen[64][SIZES] = {{0}};
    for (int n = 0; n < net->size * SIZES; n++) {
        vv_message m;
        wait_for(&m);
        label l = check_labelled(&m);
        assert_int_equal(l.size, size[l.number]);
        assert_int_equal(m.tag, 1 + (l.number + l.to) % VV_TAG_PROGRESS);
        assert_int_equal(seen[l.from][l.number]++, 0);
        vv_mem_put(&m.data);
    }
    finish_phase();
}

/* Truly empty messages, and 70 MiB around a ring. */
static void test_extremes(void **state)
{
    (void)state;
    void *nothing;
    must(vv_mem_get(&nothing, 0, "nothing"));
    must(vv_net_send(net, (net->rank + 1) % net->size, VV_TAG_QUIT, &nothing, 0));
    must(vv_net_send_copy(net, (net->rank + 1) % net->size, VV_TAG_QUIT, NULL, 0));
    vv_message m;
    for (int i = 0; i < 2; i++) {
        wait_for(&m);
        assert_int_equal(m.size, 0);
        assert_int_equal(m.tag, VV_TAG_QUIT);
        vv_mem_put(&m.data);
    }
    finish_phase();
    send_labelled((net->rank + 1) % net->size, VV_TAG_STATE, 1, 70 << 20, 0);
    wait_for(&m);
    assert_int_equal(check_labelled(&m).size, 70 << 20);
    vv_mem_put(&m.data);
    finish_phase();
}

/* Many at once, sent before anything is received; those in pieces and those in one mix. */
static void test_crowd(void **state)
{
    (void)state;
    enum { EACH = 150 };
    for (int i = 0; i < EACH; i++)
        for (int to = 0; to < net->size; to++)
            send_labelled(to, VV_TAG_STATE, i, i % 30 == 7 ? PIECE + i * 1000 : (vv_bytes)(mix((uint64_t)i) % 3000), 0);
    char seen[64][EACH] = {{0}};
    for (int n = 0; n < EACH * net->size; n++) {
        vv_message m;
        wait_for(&m);
        label l = check_labelled(&m);
        assert_int_equal(seen[l.from][l.number]++, 0);
        vv_mem_put(&m.data);
    }
    finish_phase();
}

/* --- agreement --- */

/* The same text everywhere: checked by summing its hash over all ranks. */
static void check_same_text(const char *text)
{
    uint64_t hash = 0;
    for (const char *c = text; *c; c++) hash = mix(hash + (unsigned char)*c);
    vv_agreement a = {.sum = {(int64_t)(hash >> 20)}, .max = {(int64_t)(hash >> 20)}};
    assert_int_equal(settle(&a), 0);
    assert_int_equal(a.failure.code, VV_OK);
    assert_int_equal(a.max[0], (int64_t)(hash >> 20));
    assert_int_equal(a.sum[0], (int64_t)(hash >> 20) * net->size);
}

static void test_agreement(void **state)
{
    (void)state;
    for (int failing = 0; failing < 1 << net->size; failing++) { /* every set of failing ranks */
        vv_agreement a = {0};
        int lowest = 0;
        while (lowest < net->size && !(failing >> lowest & 1)) lowest++;
        vv_error_clear();
        if (failing >> net->rank & 1) {
            (void)vv_fail(VV_ERR_READ + net->rank % 2, "rank %d of set %d cannot", net->rank, failing);
            vv_error_get(&a.failure);
        }
        for (int i = 0; i < VV_AGREE_SUMS; i++) a.sum[i] = (net->rank + 1) * (i + 1) + ((int64_t)1 << 40);
        for (int i = 0; i < VV_AGREE_MAXES; i++) a.max[i] = i ? -net->rank - 5 : net->rank;
        assert_int_equal(settle(&a), 0);
        assert_int_equal(a.failure.code, failing ? VV_ERR_READ + lowest % 2 : VV_OK);
        if (failing) {
            char expected[64];
            snprintf(expected, sizeof expected, "rank %d of set %d cannot", lowest, failing);
            assert_string_equal(a.failure.text, expected);
            assert_int_equal(a.failure.rank, lowest);
            /* Frames are addresses of one process. */
            assert_int_equal(a.failure.n_frames, lowest == net->rank);
            check_same_text(a.failure.text);
        }
        int64_t ranks = (int64_t)net->size * (net->size + 1) / 2;
        for (int i = 0; i < VV_AGREE_SUMS; i++)
            assert_int_equal(a.sum[i], ranks * (i + 1) + net->size * ((int64_t)1 << 40));
        assert_int_equal(a.max[0], net->size - 1);
        assert_int_equal(a.max[1], -5);
    }
}

/* --- putting back, throwing away --- */

static void test_put_back(void **state)
{
    (void)state;
    int next = (net->rank + 1) % net->size, seen = 0;
    for (int i = 0; i < 6; i++) send_labelled(next, VV_TAG_STATE, i, 100, 0);
    vv_message m[5], again;
    for (int i = 0; i < 5; i++) wait_for(&m[i]);
    for (int i = 0; i < 5; i++) must(vv_net_put_back(net, &m[i]));
    for (int i = 0; i < 6; i++) { /* in the order in which they were put back, then the one that was not */
        wait_for(&again);
        if (i < 5) assert_ptr_equal(again.data, m[i].data);
        seen |= 1 << check_labelled(&again).number;
        vv_mem_put(&again.data);
    }
    assert_int_equal(seen, 63);
    finish_phase();
}

/* A rank that throws messages away takes them whatever its budget, so that their senders can go on. */
static void test_discarding(void **state)
{
    (void)state;
    enum { EACH = 40, LAST = EACH - 1 };
    for (int i = 0; i < EACH; i++)
        for (int to = 0; to < net->size; to++) send_labelled(to, VV_TAG_STATE, i, i == LAST ? 3 * PIECE : 50000, 0);
    vv_mem_set_budget(vv_mem_used() + 1000, 0);
    vv_agreement a = {0};
    settle(&a);
    vv_mem_set_budget(0, 0);
    assert_int_equal(vv_mem_used(), 0);
    finish_phase();
}

/* A message that does not fit is an error for its receiver, and arrives all the same. */
static void test_over_budget(void **state)
{
    (void)state;
    if (net->size == 1) return;
    vv_agreement a = {0};
    if (net->rank == 0) send_labelled(1, VV_TAG_STATE, 0, 1 << 20, 0);
    if (net->rank == 0) send_labelled(1, VV_TAG_STATE, 1, 5000, 0);
    if (net->rank == 1) {
        vv_mem_set_budget(100000, 0);
        vv_backoff wait = {0};
        vv_status status = VV_OK;
        while (status == VV_OK) {
            vv_message m;
            bool got;
            status = vv_net_receive(net, &m, &got);
            if (status == VV_OK && got) vv_mem_put(&m.data);
            vv_backoff_wait(&wait);
        }
        assert_int_equal(status, VV_ERR_BUDGET);
        vv_error_get(&a.failure);
    }
    settle(&a);
    vv_mem_set_budget(0, 0);
    assert_int_equal(a.failure.code, VV_ERR_BUDGET);
    assert_int_equal(a.failure.rank, 1);
    check_same_text(a.failure.text);
    assert_int_equal(vv_mem_used(), 0);
}

/* --- phases --- */

/* How many messages a rank sends another in a phase: known to both. */
static int traffic(int phase, int from, int to)
{
    return (int)(mix((uint64_t)(phase * 64 + from) * 64u + (uint64_t)to) % 6);
}

static bool fails(int phase, int rank)
{
    return phase % 3 == 1 && mix((uint64_t)(phase * 7 + rank)) % 3 == 0;
}

/* Sends, then receives until all is here or somebody cancels; a failing rank stops in the middle. */
static void work(int phase, vv_agreement *a)
{
    int due = 0, cancelled = 0;
    for (int to = 0; to < net->size; to++)
        for (int i = 0; i < traffic(phase, net->rank, to); i++)
            send_labelled(to, VV_TAG_STATE, i, (vv_bytes)(mix((uint64_t)(phase + i)) % 2000) + (i == 5 ? PIECE : 0),
                          phase);
    for (int from = 0; from < net->size; from++) due += traffic(phase, from, net->rank);
    if (fails(phase, net->rank)) {
        due /= 2;
        (void)vv_fail(VV_ERR_CORRUPT, "phase %d, rank %d", phase, net->rank);
        vv_error_get(&a->failure);
        for (int to = 0; to < net->size; to++)
            if (to != net->rank) send_labelled(to, VV_TAG_CANCEL, 0, 0, phase);
    }
    while (due > 0 && !cancelled) {
        vv_message m;
        wait_for(&m);
        assert_int_equal(check_labelled(&m).phase, phase); /* never one of another phase */
        if (m.tag == VV_TAG_CANCEL)
            cancelled = 1;
        else
            due--;
        vv_mem_put(&m.data);
    }
}

static void test_phases(void **state)
{
    (void)state;
    for (int phase = 0; phase < 200; phase++) {
        vv_agreement a = {.sum = {1}};
        work(phase, &a);
        int thrown = settle(&a), lowest = 0;
        while (lowest < net->size && !fails(phase, lowest)) lowest++;
        if (lowest == net->size) {
            assert_int_equal(a.failure.code, VV_OK);
            assert_int_equal(thrown, 0);
        } else {
            char expected[64];
            snprintf(expected, sizeof expected, "phase %d, rank %d", phase, lowest);
            assert_string_equal(a.failure.text, expected);
        }
        assert_int_equal(a.sum[0], net->size);
        assert_int_equal(vv_mem_used(), 0);
    }
}

static int run(void)
{
    vv_set_rank(net->rank, net->size);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_extremes), cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_agreement),   cmocka_unit_test(test_put_back), cmocka_unit_test(test_discarding),
        cmocka_unit_test(test_over_budget), cmocka_unit_test(test_phases),
    };
    int failed = cmocka_run_group_tests_name(net->kind->name, tests, NULL, NULL);
    vv_net_close(&net);
    return failed;
}

int main(int argc, char **argv)
{
    char piece[32];
    snprintf(piece, sizeof piece, "%d", PIECE);
    setenv("VV_MPI_PIECE", piece, 1);
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* a rank that fails ends the job: the others wait for its messages */
    if (vv_net_open(&argc, &argv, &net) != VV_OK) return 1;
    bool alone = net->size == 1;
    int failed = run();
    if (!alone) return failed;
    if (vv_net_mpi_open(&argc, &argv, &net) != VV_OK) return 1; /* a single rank with MPI */
    return failed + run();
}
