/* Functions of the user's over ranks: every one of them is compared with the same thing done directly, element by element, whatever the chunks and the ranks.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include "mpi/computed.h"

#include <math.h>
#include <varve/varve.h>

static vv_session *session;

enum { Y = 13, X = 17, ALL = Y * X };

/* Values that tell their place, and buffers that live as long as the test. */
static double grid_f64[ALL];
static float grid_f32[ALL];
static int16_t column_i16[Y];
static uint8_t row_u8[X];

static void fill_buffers(void)
{
    for (int i = 0; i < ALL; i++) {
        grid_f64[i] = 0.5 * i + (i * 7 % 11) * 100;
        grid_f32[i] = (float)(i * i % 57) - 20;
    }
    for (int i = 0; i < Y; i++) column_i16[i] = (int16_t)(i * i - 50);
    for (int i = 0; i < X; i++) row_u8[i] = (uint8_t)(250 - i);
}

static vv_array *reals(const char *chunks)
{
    return vv_from_buffer(session, "y:13,x:17", chunks, VV_F64, grid_f64);
}

static void same_f64(vv_array *a, vv_index n, const double expected[])
{
    double *v = computed(a, VV_F64, n);
    for (vv_index i = 0; i < n; i++)
        if (memcmp(&v[i], &expected[i], sizeof v[i]) != 0)
            fail_msg("element %lld is %g, not %g", (long long)i, v[i], expected[i]);
    free(v);
}

static void said(vv_array *a, vv_status code, const char *words)
{
    vv_status status = vv_array_status(a);
    double v[ALL];
    if (status == VV_OK) status = vv_compute(a, v, ALL * vv_dtype_size(vv_array_dtype(a)));
    if (status != code || !strstr(vv_last_error(), words)) fail_msg("%s: %s", vv_status_name(status), vv_last_error());
}

/* --- chunks of different lengths --- */

/* Where the chunk lies, as digits: its number, first element, length, of how many chunks and elements; one for each, plus what is asked for. */
static int lies(const vv_block_task *t)
{
    const vv_chunk *c = t->in, *o = t->out;
    double sum = 0;
    for (vv_index i = 0; i < c->length[0] * c->length[1]; i++) sum += ((const double *)c->data)[i];
    if (o->first[0] != c->number[0] || o->shape[0] != 3 || o->number[0] != c->number[0] ||
        t->data_size != sizeof(double))
        return vv_error(VV_ERR_RUN, "the result lies elsewhere");
    for (vv_index i = 0; i < o->length[1]; i++)
        ((double *)t->result)[i] =
            sum + *(const double *)t->data +
            1e3 * (double)(c->first[0] + 100 * c->number[0] + 1000 * c->count[0] + 10000 * c->shape[0]);
    return 0;
}

static int same_place(const vv_block_task *t)
{
    const vv_chunk *c = t->in, *o = t->out;
    for (vv_index i = 0; i < c->length[0]; i++)
        for (vv_index k = 0; k < c->length[1]; k++)
            ((double *)t->result)[i * c->length[1] + k] =
                (double)(10000 * (c->first[0] + i) + 100 * (o->first[1] + k) + 10 * c->number[0] + o->number[1]);
    return 0;
}

static void chunks_of_any_lengths(void **state)
{
    (void)state;
    enum { N = 6, M = 3 };
    double x[N * M], more = 0.5, *v;
    char text[200];
    for (int i = 0; i < N * M; i++) x[i] = i;
    vv_array *a = vv_from_buffer(session, "t:6,k:3", "t:2", VV_F64, x), *cut = vv_rechunk(a, "t:1+3+2,k:-1");
    assert_non_null(strstr(vv_describe(cut, text, sizeof text), "chunks 1+3+2 x 3"));
    vv_array *sums = vv_map_blocks(
        session, lies, &cut, 1,
        &(vv_apply_options){.dims = "t:3,k:1", .results = "t:1", .data = &more, .data_size = sizeof more});
    v = computed(sums, VV_F64, 3);
    static const int first[] = {0, 1, 4}, end[] = {1, 4, 6};
    for (int p = 0; p < 3; p++) {
        double sum = more + 1e3 * (first[p] + 100 * p + 3000 + 60000);
        for (int i = first[p] * M; i < end[p] * M; i++) sum += i;
        assert_true(v[p] == sum);
    }
    free(v);
    v = computed(vv_map_blocks(session, same_place, &a, 1, &(vv_apply_options){.chunks = "t:4+2,k:1+2"}), VV_F64,
                 N * M);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < M; k++) assert_true(v[i * M + k] == 10000 * i + 100 * k + 10 * (i >= 4) + (k >= 1));
    free(v);
    v = computed(cut, VV_F64, N * M);
    assert_memory_equal(v, x, sizeof x);
    free(v);
    said(vv_rechunk(a, "t:1+3"), VV_ERR_SHAPE, "4 elements in all along 't', of which 'buffer' has 6");
    said(vv_rechunk(a, "t:1+x"), VV_ERR_USAGE, "no list of lengths");
    said(vv_map_blocks(session, same_place, &a, 1, &(vv_apply_options){.chunks = "t:1+3+3"}), VV_ERR_SHAPE,
         "7 elements in all");
    said(vv_map_blocks(session, same_place, &a, 1, &(vv_apply_options){.chunks = "t:2+4", .dims = "k"}), VV_ERR_USAGE,
         "no dimension 't'");
}

/* --- casts --- */

static void casts_with_range_checks(void **state)
{
    (void)state;
    static const double x[] = {255.9, -0.9, 3, 0};
    static const int64_t far[] = {INT64_MAX, -1};
    uint8_t byte[4];
    vv_array *a = vv_from_buffer(session, "x:4", "x:1", VV_F64, x),
             *big = vv_from_buffer(session, "x:2", NULL, VV_I64, far);
    assert_int_equal(vv_compute(vv_astype_checked(a, VV_U8), byte, sizeof byte), VV_OK);
    assert_memory_equal(byte, ((uint8_t[]){255, 0, 3, 0}), sizeof byte);
    said(vv_astype_checked(vv_add(a, vv_scalar(session, 0.2)), VV_U8), VV_ERR_TYPE, "value 256.1 is none of type u8");
    said(vv_astype_checked(vv_sqrt(vv_sub(a, vv_scalar(session, 1))), VV_I32), VV_ERR_TYPE, "nan is none of type i32");
    said(vv_astype_checked(vv_mul(a, vv_scalar(session, 1e300)), VV_F32), VV_ERR_TYPE, "is none of type f32");
    said(vv_astype_checked(big, VV_U64), VV_ERR_TYPE, "value -1 is none of type u64");
    said(vv_astype_checked(big, VV_I32), VV_ERR_TYPE, "none of type i32");
}

/* --- elements and positions --- */

static int mixed(vv_index n, const void *const in[], void *out, const void *data)
{
    const int16_t *a = in[0];
    const double *b = in[1];
    const uint8_t *c = in[2];
    int32_t *to = out;
    for (vv_index i = 0; i < n; i++) to[i] = a[i] * *(const int *)data + (int32_t)b[i] - c[i];
    return 0;
}

static void elements(void **state)
{
    (void)state;
    int factor = 3;
    vv_array *in[] = {vv_from_buffer(session, "y:13", "y:5", VV_I16, column_i16), reals("y:4,x:6"),
                      vv_from_buffer(session, "x:17", NULL, VV_U8, row_u8)};
    vv_array *a =
        vv_map(session, mixed, in, 3,
               &(vv_apply_options){.name = "mixed", .dtype = VV_I32, .data = &factor, .data_size = sizeof factor});
    factor = 1000; /* the array has its own copy */
    assert_string_equal(vv_array_name(a), "mixed");
    int32_t *v = computed(a, VV_I32, ALL);
    for (int i = 0; i < ALL; i++) assert_int_equal(v[i], column_i16[i / X] * 3 + (int32_t)grid_f64[i] - row_u8[i % X]);
    free(v);
    v = computed(vv_transpose(vv_slice(a, "y", 11, 2, -3), NULL), VV_I32, 3 * X);
    for (int i = 0; i < 3 * X; i++) {
        int y = 11 - 3 * (i % 3), x = i / 3;
        assert_int_equal(v[i], column_i16[y] * 3 + (int32_t)grid_f64[y * X + x] - row_u8[x]);
    }
    free(v);
    vv_array *bad[] = {reals(NULL), vv_from_buffer(session, "x:13", NULL, VV_I16, column_i16), in[2]};
    said(vv_map(session, mixed, bad, 3, NULL), VV_ERR_SHAPE, "do not line up along 'x'");
}

static int place(const vv_index at[], vv_index n, void *out, const void *data)
{
    (void)data;
    for (vv_index i = 0; i < n; i++) ((int64_t *)out)[i] = at[0] * 10000 + at[1] * 100 + at[2] + i;
    return 0;
}

static int alone(const vv_index at[], vv_index n, void *out, const void *data)
{
    (void)at;
    for (vv_index i = 0; i < n; i++) ((uint8_t *)out)[i] = *(const uint8_t *)data;
    return 0;
}

static void positions(void **state)
{
    (void)state;
    const char *chunks[] = {NULL, "a:2,b:5,c:3", "c:1"};
    for (int k = 0; k < 3; k++) {
        vv_array *a = vv_fromfunction(session, place, "a:7,b:11,c:13", chunks[k], VV_I64, NULL, 0);
        int64_t *v = computed(a, VV_I64, 7 * 11 * 13);
        for (int i = 0; i < 7 * 11 * 13; i++) assert_int_equal(v[i], i / 143 * 10000 + i / 13 % 11 * 100 + i % 13);
        free(v);
        v = computed(vv_at(vv_slice(a, "a", 3, 6, 1), "b", 7), VV_I64, 3 * 13);
        for (int i = 0; i < 3 * 13; i++) assert_int_equal(v[i], (3 + i / 13) * 10000 + 700 + i % 13);
        free(v);
    }
    free(computed(vv_fromfunction(session, place, "a:3,b:0,c:2", NULL, VV_I64, NULL, 0), VV_I64, 0));
    uint8_t *one = computed(vv_fromfunction(session, alone, "", NULL, VV_U8, "*", 1), VV_U8, 1);
    assert_int_equal(*one, '*');
    free(one);
}

/* --- chunks --- */

/* What a chunk says about itself is consistent, and every element comes to its place. */
static int doubled(const vv_block_task *t)
{
    const vv_chunk *in = &t->in[0], *out = t->out;
    const double *from = in->data;
    double *to = t->result, *room = t->scratch;
    vv_index n = 1;
    if (t->n_in != 1 || in->n_dims != 2 || out->n_dims != 2 || out->data != t->result || t->scratch_size < 8) return 11;
    for (int d = 0; d < 2; d++) {
        if (in->length[d] != out->length[d] || in->first[d] != out->first[d] || in->shape[d] != (d ? X : Y)) return 12;
        if (in->number[d] != out->number[d] || in->number[d] < 0 || in->number[d] >= in->count[d]) return 13;
        if (in->before[d] || in->after[d] || in->first[d] + in->length[d] > in->shape[d]) return 14;
        bool last = in->number[d] == in->count[d] - 1;
        if (last != (in->first[d] + in->length[d] == in->shape[d]) || (in->number[d] == 0) != (in->first[d] == 0))
            return 15;
        n *= in->length[d];
    }
    for (vv_index i = 0; i < n; i++) {
        if (to[i] != 0) return 16;
        if (from[i] != grid_f64[(in->first[0] + i / in->length[1]) * X + in->first[1] + i % in->length[1]] &&
            t->rank == 0)
            return 17;
        *room = from[i];
        to[i] = 2 * *room;
    }
    return 0;
}

/* One element for each chunk: its sum. */
static int chunk_sum(const vv_block_task *t)
{
    double sum = 0;
    for (vv_index i = 0; i < t->in[0].length[0] * t->in[0].length[1]; i++) sum += ((const double *)t->in[0].data)[i];
    if (t->out->length[0] * t->out->length[1] != 1) return 1;
    *(double *)t->result = sum;
    return 0;
}

/* (y, x) to (k, y): x comes whole. */
static int powers(const vv_block_task *t)
{
    const float *from = t->in[0].data;
    double *to = t->result;
    vv_index rows = t->out->length[1], n = t->in[0].length[1];
    for (vv_index k = 0; k < t->out->length[0]; k++)
        for (vv_index y = 0; y < rows; y++)
            for (vv_index x = 0; x < n; x++) to[k * rows + y] += pow(from[y * n + x], (double)k);
    return t->in[0].length[1] == X ? 0 : 1;
}

static int numbered(const vv_block_task *t)
{
    for (vv_index i = 0; i < t->out->length[0]; i++)
        ((int32_t *)t->result)[i] = (int32_t)(1000 * t->out->number[0] + i);
    return t->n_in;
}

static void chunks(void **state)
{
    (void)state;
    double twice[ALL], part[3 * 5];
    for (int i = 0; i < ALL; i++) twice[i] = 2 * grid_f64[i];
    vv_array *a =
        vv_map_blocks(session, doubled, (vv_array *[]){reals("y:5,x:4")}, 1, &(vv_apply_options){.scratch = 8});
    same_f64(a, ALL, twice);
    for (int i = 0; i < 15; i++) part[i] = twice[(6 + i / 5) * X + 7 + i % 5];
    same_f64(vv_slice(vv_slice(a, "y", 6, 9, 1), "x", 7, 12, 1), 15, part);
    same_f64(vv_map_blocks(session, doubled, (vv_array *[]){reals(NULL)}, 1,
                           &(vv_apply_options){.scratch = 8, .chunks = "y:-1,x:3"}),
             ALL, twice);

    double sums[3 * 5] = {0};
    for (int i = 0; i < ALL; i++) sums[i / X / 5 * 5 + i % X / 4] += grid_f64[i];
    same_f64(vv_map_blocks(session, chunk_sum, (vv_array *[]){reals("y:2,x:3")}, 1,
                           &(vv_apply_options){.dims = "y:3,x:5", .chunks = "y:5,x:4", .results = "y:1,x:1"}),
             15, sums);

    double expected[3 * Y] = {0};
    for (int i = 0; i < ALL; i++)
        for (int k = 0; k < 3; k++) expected[k * Y + i / X] += pow(grid_f32[i], k);
    vv_array *f = vv_from_buffer(session, "y:13,x:17", "y:4,x:4", VV_F32, grid_f32);
    same_f64(vv_map_blocks(session, powers, &f, 1, &(vv_apply_options){.dims = "k:3,y", .dtype = VV_F64}), 3 * Y,
             expected);

    int32_t *v = computed(vv_map_blocks(session, numbered, NULL, 0,
                                        &(vv_apply_options){.dims = "i:10", .chunks = "i:4", .dtype = VV_I32}),
                          VV_I32, 10);
    for (int i = 0; i < 10; i++) assert_int_equal(v[i], i / 4 * 1000 + i % 4);
    free(v);
}

static int mine;

static int gives(const vv_block_task *t)
{
    if (t->out->number[0] != t->rank || t->out->length[0] != 1) return 1;
    for (vv_index i = 0; i < t->out->length[1]; i++) ((int64_t *)t->result)[i] = 100 * mine + i;
    return 0;
}

/* Every rank has set `mine` before the session began. */
static void of_the_ranks(void **state)
{
    (void)state;
    int ranks = vv_session_ranks(session);
    const char *placements[] = {"outputs", "leaves", "cyclic", "auto"};
    for (int k = 0; k < 4; k++) {
        must(vv_session_set_placement(session, placements[k]));
        vv_array *a = vv_from_ranks(session, gives, "cell:5", VV_I64, NULL, 0);
        int64_t *v = computed(a, VV_I64, 5 * ranks);
        for (int i = 0; i < 5 * ranks; i++) assert_int_equal(v[i], 100 * (i / 5 + 7) + i % 5);
        free(v);
        v = computed(vv_at(a, "rank", ranks - 1), VV_I64, 5);
        for (int i = 0; i < 5; i++) assert_int_equal(v[i], 100 * (ranks + 6) + i);
        free(v);
        must(vv_persist(a));
        v = computed(vv_slice(vv_reshape(a, "all:-1"), "all", 2, 5 * ranks - 2, 1), VV_I64, 5 * ranks - 4);
        for (int i = 0; i < 5 * ranks - 4; i++) assert_int_equal(v[i], 100 * ((i + 2) / 5 + 7) + (i + 2) % 5);
        free(v);
    }
}

static void wrong_chunks(void **state)
{
    (void)state;
    vv_array *a = reals("y:5,x:4");
    said(vv_map_blocks(session, chunk_sum, &a, 1,
                       &(vv_apply_options){.dims = "y:4,x:5", .chunks = "y:5,x:4", .results = "y:1"}),
         VV_ERR_SHAPE, "3 chunks, as many as");
    said(vv_map_blocks(session, chunk_sum, &a, 1, &(vv_apply_options){.dims = "y,z"}), VV_ERR_USAGE,
         "no array has the dimension 'z'");
    said(vv_map_blocks(session, chunk_sum, &a, 1, &(vv_apply_options){.dims = "y,y"}), VV_ERR_USAGE, "named twice");
    said(vv_map_blocks(session, chunk_sum, &a, 1, &(vv_apply_options){.chunks = "z:4"}), VV_ERR_USAGE, "chunks of 'z'");
    said(vv_map_blocks(session, chunk_sum, NULL, 0, NULL), VV_ERR_USAGE, "options.dims");
    said(vv_map_blocks(session, NULL, &a, 1, NULL), VV_ERR_USAGE, "NULL");
}

/* --- letters --- */

static int times_of(const vv_chunk *a, const vv_chunk *b, bool transposed, double *to)
{
    vv_index rows = a->length[0], n = a->length[1], columns = b->length[transposed ? 0 : 1];
    if (b->length[transposed ? 1 : 0] != n) return 1;
    for (vv_index i = 0; i < rows; i++)
        for (vv_index j = 0; j < n; j++)
            for (vv_index k = 0; k < columns; k++)
                to[i * columns + k] += ((const double *)a->data)[i * n + j] *
                                       ((const double *)b->data)[transposed ? k * n + j : j * columns + k];
    return 0;
}

static int times(const vv_block_task *t)
{
    return times_of(&t->in[0], &t->in[1], false, t->result);
}

static int times_transposed(const vv_block_task *t)
{
    return times_of(&t->in[0], &t->in[1], true, t->result);
}

static int times_lists(const vv_block_task *t)
{
    if (t->in[0].n_parts != t->in[1].n_parts || t->in[0].n_parts != 5 || t->in[0].data) return 1;
    for (int i = 0; i < t->in[0].n_parts; i++) {
        const vv_chunk *a = &t->in[0].part[i], *b = &t->in[1].part[i];
        if (a->number[1] != i || a->count[1] != 5 || a->first[1] != 4 * i || b->first[0] != 4 * i) return 2;
        if (times_of(a, b, false, t->result)) return 3;
    }
    return 0;
}

static int spread_out(const vv_block_task *t)
{
    const double *a = t->in[0].data, *b = t->in[1].data;
    vv_index n = t->out->length[0], m = t->out->length[2];
    if (t->in[1].length[1] != 1 || t->out->length[1] != 2) return 1;
    for (vv_index i = 0; i < n; i++)
        for (vv_index z = 0; z < 2; z++)
            for (vv_index j = 0; j < m; j++)
                ((double *)t->result)[(i * 2 + z) * m + j] = a[i * m + j] + (double)(z + 1) * b[i];
    return 0;
}

static void letters(void **state)
{
    (void)state;
    double product[Y * Y] = {0}, spread[Y * 2 * X], rows[Y];
    for (int i = 0; i < Y; i++)
        for (int j = 0; j < X; j++)
            for (int k = 0; k < Y; k++) product[i * Y + k] += grid_f64[i * X + j] * grid_f64[k * X + j];
    vv_array *a = reals("y:5,x:4"), *b = vv_rename(reals("y:3,x:7"), "y", "z"), *turned = vv_transpose(b, NULL);
    vv_array *out = vv_blockwise(session, times, "ij,jk->ik", (vv_array *[]){a, turned}, 2, NULL);
    assert_string_equal(vv_array_dim(out, 1), "z");
    same_f64(out, Y * Y, product);
    same_f64(vv_blockwise(session, times_transposed, "ij,kj->ik", (vv_array *[]){a, b}, 2,
                          &(vv_apply_options){.chunks = "i:2,k:13"}),
             Y * Y, product);
    same_f64(vv_blockwise(session, times_lists, "ij,jk->ik", (vv_array *[]){a, turned}, 2,
                          &(vv_apply_options){.lists = true}),
             Y * Y, product);
    same_f64(vv_blockwise(session, times_lists, "ij,jk->ik", (vv_array *[]){reals(NULL), turned}, 2,
                          &(vv_apply_options){.lists = true, .chunks = "j:4,i:3"}),
             Y * Y, product);
    for (int i = 0; i < Y; i++) rows[i] = column_i16[i];
    for (int i = 0; i < Y * 2 * X; i++)
        spread[i] = grid_f64[i / (2 * X) * X + i % X] + (1 + i / X % 2) * rows[i / (2 * X)];
    vv_array *narrow = vv_from_buffer(session, "y:13,one:1", NULL, VV_F64, rows);
    same_f64(vv_blockwise(session, spread_out, "ij,ij->izj", (vv_array *[]){a, narrow}, 2,
                          &(vv_apply_options){.dims = "z:2"}),
             Y * 2 * X, spread);
    said(vv_blockwise(session, times, "ij,jk->ik", (vv_array *[]){a, b}, 2, NULL), VV_ERR_SHAPE,
         "do not line up along 'x'");
    said(vv_blockwise(session, times, "ij,j->i", (vv_array *[]){a, turned}, 2, NULL), VV_ERR_SHAPE, "has 2 dimensions");
    said(vv_blockwise(session, times, "ij,jk", (vv_array *[]){a, turned}, 2, NULL), VV_ERR_USAGE, "no ->");
    said(vv_blockwise(session, times, "ij,jk->il", (vv_array *[]){a, turned}, 2, NULL), VV_ERR_USAGE,
         "no array has 'l'");
    said(vv_blockwise(session, times, "ij,jk->ik", (vv_array *[]){a, vv_transpose(a, NULL)}, 2, NULL), VV_ERR_SHAPE,
         "two dimensions of the result are called 'y'");
}

/* --- surroundings --- */

/* A sum with a weight for every place, so that nothing can change places unseen. */
typedef struct depths {
    vv_index before[2], after[2];
} depths;

static int weighted(const vv_block_task *t)
{
    const depths *d = t->data;
    const vv_chunk *in = &t->in[0];
    const double *from = in->data;
    for (vv_index y = 0; y < t->out->length[0]; y++)
        for (vv_index x = 0; x < t->out->length[1]; x++) {
            double sum = 0;
            for (vv_index i = -d->before[0]; i <= d->after[0]; i++)
                for (vv_index k = -d->before[1]; k <= d->after[1]; k++) {
                    vv_index at[2] = {y + i + in->before[0], x + k + in->before[1]};
                    if (at[0] < 0 || at[1] < 0 || at[0] >= in->length[0] || at[1] >= in->length[1]) continue;
                    sum += (double)((i + 50) * 100 + k + 50) * from[at[0] * in->length[1] + at[1]];
                }
            ((double *)t->result)[y * t->out->length[1] + x] = sum;
        }
    return in->first[0] + in->before[0] == t->out->first[0] ? 0 : 1;
}

enum { NONE, PERIODIC, REFLECT, MIRROR, NEAREST, NUMBER, MODES };
static const char *const mode_name[MODES] = {"none", "periodic", "reflect", "mirror", "nearest", "-7.5"};

/* Where an index outside of 0 .. n - 1 is found: -1 nowhere, -2 it is the number. */
static vv_index outside(int mode, vv_index i, vv_index n)
{
    if (i >= 0 && i < n) return i;
    switch (mode) {
    case PERIODIC: return (i % n + n) % n;
    case REFLECT: i = (i % (2 * n) + 2 * n) % (2 * n); return i < n ? i : 2 * n - 1 - i;
    case MIRROR: i = (i % (2 * n - 2) + 2 * n - 2) % (2 * n - 2); return i < n ? i : 2 * n - 2 - i;
    case NEAREST: return i < 0 ? 0 : n - 1;
    case NUMBER: return -2;
    default: return -1;
    }
}

static void direct(const depths *d, const int mode[2], const double from[ALL], double out[ALL])
{
    for (vv_index y = 0; y < Y; y++)
        for (vv_index x = 0; x < X; x++) {
            out[y * X + x] = 0;
            for (vv_index i = -d->before[0]; i <= d->after[0]; i++)
                for (vv_index k = -d->before[1]; k <= d->after[1]; k++) {
                    vv_index a = outside(mode[0], y + i, Y), b = outside(mode[1], x + k, X);
                    if (a == -1 || b == -1) continue;
                    double value = a == -2 || b == -2 ? -7.5 : from[a * X + b];
                    out[y * X + x] += (double)((i + 50) * 100 + k + 50) * value;
                }
        }
}

static void surroundings(void **state)
{
    (void)state;
    static const depths some[] = {{{1, 1}, {1, 1}}, {{0, 3}, {2, 0}}, {{6, 2}, {5, 9}}, {{0, 20}, {30, 1}}};
    static const char *const cut[] = {"y:5,x:4", "y:1,x:17", NULL, "y:3,x:2"};
    double expected[ALL];
    char depth[64], boundary[64];
    for (int i = 0; i < 4 * MODES; i++) {
        const depths *d = &some[i % 4];
        const int mode[2] = {i / 4, (i / 4 + i) % MODES};
        snprintf(depth, sizeof depth, "y:%lld:%lld, x:%lld:%lld", (long long)d->before[0], (long long)d->after[0],
                 (long long)d->before[1], (long long)d->after[1]);
        snprintf(boundary, sizeof boundary, "y:%s,x:%s", mode_name[mode[0]], mode_name[mode[1]]);
        direct(d, mode, grid_f64, expected);
        vv_array *in = reals(cut[i / 4 % 4]);
        vv_array *a =
            vv_map_overlap(session, weighted, &in, 1, depth, boundary,
                           &(vv_apply_options){.data = d, .data_size = sizeof *d, .chunks = i % 3 ? NULL : "y:6"});
        same_f64(a, ALL, expected);
        same_f64(vv_at(vv_slice(a, "x", 3, 9, 1), "y", 5), 6, expected + 5 * X + 3);
    }
    /* Of something that is computed, sliced and turned around; one word for all; another element type; */
    direct(&some[0], (int[]){PERIODIC, PERIODIC}, grid_f64, expected);
    vv_array *in = vv_transpose(
        vv_flip(vv_add(vv_transpose(vv_flip(reals("x:5"), "y"), NULL), vv_scalar(session, 0)), "y"), "y,x");
    same_f64(vv_map_overlap(session, weighted, &in, 1, "y:1,x:1", "periodic",
                            &(vv_apply_options){.data = &some[0], .data_size = sizeof some[0]}),
             ALL, expected);
    /* Rows in another order. */
    double mixed_up[ALL];
    vv_index rows[Y];
    for (int i = 0; i < Y; i++) rows[i] = i * 5 % Y;
    for (int i = 0; i < ALL; i++) mixed_up[i] = grid_f64[rows[i / X] * X + i % X];
    vv_array *taken = vv_take(reals("y:5,x:4"), "y", rows, Y);
    for (int i = 0; i < 2 * MODES; i++) {
        const depths *d = &some[i % 2];
        const int mode[2] = {i / 2, (i / 2 + 1) % MODES};
        snprintf(depth, sizeof depth, "y:%lld:%lld, x:%lld:%lld", (long long)d->before[0], (long long)d->after[0],
                 (long long)d->before[1], (long long)d->after[1]);
        snprintf(boundary, sizeof boundary, "y:%s,x:%s", mode_name[mode[0]], mode_name[mode[1]]);
        direct(d, mode, mixed_up, expected);
        same_f64(vv_map_overlap(session, weighted, &taken, 1, depth, boundary,
                                &(vv_apply_options){.data = d, .data_size = sizeof *d, .chunks = "y:4,x:5"}),
                 ALL, expected);
    }
    said(vv_map_overlap(session, weighted, &in, 1, "z:1", NULL, NULL), VV_ERR_NOT_FOUND, "'z'");
    said(vv_map_overlap(session, weighted, &in, 1, "y:1", "y:periodc", NULL), VV_ERR_USAGE, "did you mean 'periodic'?");
    said(vv_map_overlap(session, weighted, &in, 1, "y:1:2:3", NULL, NULL), VV_ERR_USAGE, "no depth");
    said(vv_map_overlap(session, weighted, &in, 1, "y:-1", NULL, NULL), VV_ERR_USAGE, "no depth");
    said(vv_map_overlap(session, weighted, &in, 1, "y:1", NULL, &(vv_apply_options){.dims = "x"}), VV_ERR_USAGE,
         "keeps its length");
    vv_array *integers = vv_from_buffer(session, "x:17", NULL, VV_U8, row_u8);
    said(vv_map_overlap(session, weighted, &integers, 1, "x:1", "0.5", NULL), VV_ERR_TYPE, "no u8");
}

/* --- along dimensions --- */

static int last_of(const void *in, vv_index n, void *out, vv_index n_out, const void *data)
{
    (void)data;
    *(float *)out = 10 * ((const float *)in)[n - 1] + (float)n;
    return n_out == 1 ? 0 : 1;
}

static int backwards(const void *in, vv_index n, void *out, vv_index n_out, const void *data)
{
    (void)data;
    for (vv_index i = 0; i < n_out; i++) ((float *)out)[i] = ((const float *)in)[n - 1 - i];
    return 0;
}

static void along_axes(void **state)
{
    (void)state;
    vv_array *f = vv_from_buffer(session, "y:13,x:17", "y:4,x:5", VV_F32, grid_f32);
    float *v = computed(vv_apply_along_axis(last_of, f, "y", NULL), VV_F32, X);
    for (int i = 0; i < X; i++) assert_true(v[i] == 10 * grid_f32[(Y - 1) * X + i] + Y);
    free(v);
    v = computed(vv_apply_along_axis(last_of, f, "x", NULL), VV_F32, Y);
    for (int i = 0; i < Y; i++) assert_true(v[i] == 10 * grid_f32[i * X + X - 1] + X);
    free(v);
    vv_array *a = vv_apply_along_axis(backwards, f, "y", &(vv_apply_options){.dims = "k:4"});
    assert_string_equal(vv_array_dim(a, 0), "k");
    v = computed(a, VV_F32, 4 * X);
    for (int i = 0; i < 4 * X; i++) assert_true(v[i] == grid_f32[(Y - 1 - i / X) * X + i % X]);
    free(v);
    v = computed(vv_apply_along_axis(backwards, vv_at(f, "y", 3), "x", &(vv_apply_options){.dims = "x:17"}), VV_F32, X);
    for (int i = 0; i < X; i++) assert_true(v[i] == grid_f32[3 * X + X - 1 - i]);
    free(v);
    said(vv_apply_along_axis(last_of, f, "z", NULL), VV_ERR_NOT_FOUND, "'z'");
}

static int dot(const void *const in[], void *out, const vv_index size[], const void *data)
{
    (void)data;
    for (vv_index i = 0; i < size[0]; i++) *(double *)out += ((const double *)in[0])[i] * ((const double *)in[1])[i];
    return 0;
}

static int matrix(const void *const in[], void *out, const vv_index size[], const void *data)
{
    vv_index m = size[0], n = size[1], p = size[2];
    (void)data;
    for (vv_index i = 0; i < m; i++)
        for (vv_index k = 0; k < p; k++)
            for (vv_index j = 0; j < n; j++)
                ((double *)out)[i * p + k] += ((const double *)in[0])[i * n + j] * ((const double *)in[1])[j * p + k];
    return 0;
}

static int head_and_size(const void *const in[], void *out, const vv_index size[], const void *data)
{
    (void)data;
    for (vv_index k = 0; k < size[1]; k++) ((int64_t *)out)[k] = ((const int16_t *)in[0])[k] + 1000 * size[0];
    return 0;
}

static void core_dimensions(void **state)
{
    (void)state;
    double expected[ALL] = {0}, weights[X], many[4 * 3 * 5], other[3 * 2 * 5], made[4 * 2 * 5] = {0};
    for (int i = 0; i < X; i++) weights[i] = 1.0 / (i + 1);
    vv_array *w = vv_from_buffer(session, "x:17", NULL, VV_F64, weights), *a = reals("y:5,x:4");
    for (int i = 0; i < ALL; i++) expected[i / X] += grid_f64[i] * weights[i % X];
    same_f64(vv_apply_gufunc(session, dot, "(i),(i)->()", (vv_array *[]){a, w}, 2, NULL), Y, expected);
    same_f64(vv_apply_gufunc(session, dot, "(x),(x)->()", (vv_array *[]){vv_transpose(a, NULL), w}, 2, NULL), Y,
             expected);
    /* Loops of both are met by name: (y) and (z) make (y, z). */
    vv_array *b = vv_rename(a, "y", "z");
    for (int i = 0; i < Y * Y; i++) {
        expected[i] = 0;
        for (int j = 0; j < X; j++) expected[i] += grid_f64[i / Y * X + j] * grid_f64[i % Y * X + j];
    }
    same_f64(vv_apply_gufunc(session, dot, "(i),(i)->()", (vv_array *[]){a, b}, 2, NULL), Y * Y, expected);
    for (int i = 0; i < 60; i++) many[i] = i % 7 - 3;
    for (int i = 0; i < 30; i++) other[i] = i % 5 + 0.25;
    /* (m: 4, n: 3, t: 5) times (n: 3, p: 2, t: 5), for every t */
    vv_array *left = vv_from_buffer(session, "m:4,n:3,t:5", "t:2,n:1", VV_F64, many),
             *right = vv_from_buffer(session, "n:3,p:2,t:5", NULL, VV_F64, other);
    for (int t = 0; t < 5; t++)
        for (int m = 0; m < 4; m++)
            for (int p = 0; p < 2; p++)
                for (int n = 0; n < 3; n++)
                    made[(t * 4 + m) * 2 + p] += many[(m * 3 + n) * 5 + t] * other[(n * 2 + p) * 5 + t];
    vv_array *out = vv_apply_gufunc(session, matrix, "(m,n),(n,p)->(m,p)", (vv_array *[]){left, right}, 2, NULL);
    assert_string_equal(vv_array_dim(out, 0), "t");
    same_f64(out, 40, made);
    vv_array *c = vv_from_buffer(session, "y:13", NULL, VV_I16, column_i16);
    int64_t *v = computed(
        vv_apply_gufunc(session, head_and_size, "(i)->(k)", &c, 1, &(vv_apply_options){.dims = "k:3", .dtype = VV_I64}),
        VV_I64, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(v[i], column_i16[i] + 13000);
    free(v);
    said(vv_apply_gufunc(session, dot, "(i),(i)", (vv_array *[]){a, w}, 2, NULL), VV_ERR_USAGE, "no signature");
    said(vv_apply_gufunc(session, dot, "(i),(i->()", (vv_array *[]){a, w}, 2, NULL), VV_ERR_USAGE, "no signature");
    said(vv_apply_gufunc(session, dot, "(i),(i)->(k)", (vv_array *[]){a, w}, 2, NULL), VV_ERR_USAGE, "'k'");
    said(vv_apply_gufunc(session, dot, "(i),(j,i)->()", (vv_array *[]){a, w}, 2, NULL), VV_ERR_SHAPE, "wants 2");
    said(vv_apply_gufunc(session, dot, "(i),(i)->()", (vv_array *[]){a, c}, 2, NULL), VV_ERR_SHAPE,
         "do not line up along 'x'");
}

/* The sum as f64, distances from the mean as f32, the greatest and the least one's places as i16. */
static int about(const void *const in[], void *const out[], const vv_index size[], const void *data)
{
    const double *x = in[0];
    int16_t *place = out[2];
    vv_index n = size[0];
    double sum = 0;
    (void)data;
    if (size[1] != 2 || n == 0) return -1;
    for (vv_index i = 0; i < n; i++) {
        sum += x[i];
        if (x[i] > x[place[0]]) place[0] = (int16_t)i;
        if (x[i] < x[place[1]]) place[1] = (int16_t)i;
    }
    *(double *)out[0] = sum;
    for (vv_index i = 0; i < n; i++) ((float *)out[1])[i] = (float)(x[i] - sum / (double)n);
    return 0;
}

static void several_results(void **state)
{
    static const vv_dtype types[] = {VV_F64, VV_F32, VV_I16};
    (void)state;
    vv_array *a = reals("y:5,x:4"), *r[3];
    double sum[Y];
    float apart[ALL];
    int16_t place[2 * Y];
    vv_apply_options o = {.dims = "end:2", .name = "total,apart"};
    vv_apply_gufuncs(session, about, "(x)->(),(x),(end)", &a, 1, types, r, 3, &o);
    must(vv_compute_all(r, (void *[]){sum, apart, place}, (vv_bytes[]){sizeof sum, sizeof apart, sizeof place}, 3));
    for (int y = 0; y < Y; y++) {
        const double *row = &grid_f64[y * X];
        int most = 0, least = 0;
        double total = 0;
        for (int x = 0; x < X; x++) {
            total += row[x];
            most = row[x] > row[most] ? x : most;
            least = row[x] < row[least] ? x : least;
        }
        assert_true(total == sum[y] && place[2 * y] == most && place[2 * y + 1] == least);
        for (int x = 0; x < X; x++) assert_true(apart[y * X + x] == (float)(row[x] - total / X));
    }
    assert_string_equal(vv_array_name(r[0]), "total");
    assert_string_equal(vv_array_name(r[1]), "apart");
    assert_string_equal(vv_array_dim(r[1], 1), "x");
    assert_int_equal(vv_array_dtype(r[2]), VV_I16);
    assert_string_equal(vv_array_dim(r[2], 1), "end");
    /* One alone; and what is made of it. */
    double most = -HUGE_VAL;
    for (int y = 0; y < Y; y++) most = fmax(most, sum[y]);
    same_f64(vv_max(r[0], NULL), 1, &most);
    static const struct {
        const char *signature, *said;
        int n;
    } bad[] = {{"(x)->(),(x)", "3 results, but", 3},
               {"(x)->(),(x),(end),()", "more than 3", 3},
               {"(x)->(),(x),(k)", "'k'", 3},
               {"(x)->(),(x),(end", "no signature", 3},
               {"(x)->(),(x),(end)x", "no signature", 3},
               {"(x)->()", "17 results", 17}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vv_array *none[17];
        vv_dtype all[17] = {VV_F64, VV_F32, VV_I16};
        vv_apply_gufuncs(session, about, bad[i].signature, &a, 1, all, none, bad[i].n, &o);
        for (int k = 0; k < bad[i].n; k++) said(none[k], VV_ERR_USAGE, bad[i].said);
    }
    vv_array *both = vv_rename(a, "y", "end");
    vv_apply_gufuncs(session, about, "(x)->(),(x),(end)", &both, 1, types, r, 3, &o);
    said(r[2], VV_ERR_SHAPE, "called 'end'");
}

/* --- failures --- */

static int fails(const vv_block_task *t)
{
    bool here = t->out->number[0] == 2 && t->out->number[1] == 1;
    return here ? *(const int *)t->data : 0;
}

static int fails_with_words(const vv_block_task *t)
{
    if (t->out->number[0] != 1) return 0;
    return vv_error(VV_ERR_SHAPE, "no convergence at %g", 2.5);
}

static int element_fails(vv_index n, const void *const in[], void *out, const void *data)
{
    (void)in, (void)out, (void)data;
    return n > 0 ? -3 : 0;
}

static void failures(void **state)
{
    (void)state;
    int code = 7;
    vv_array *a = reals("y:5,x:4");
    vv_array *bad = vv_map_blocks(session, fails, &a, 1,
                                  &(vv_apply_options){.name = "broken", .data = &code, .data_size = sizeof code});
    said(bad, VV_ERR_RUN, "array 'broken', chunk [2, 1], rank ");
    said(bad, VV_ERR_RUN, "returned 7");
    said(vv_sum(bad, NULL), VV_ERR_RUN, "returned 7");
    said(vv_map_blocks(session, fails_with_words, &a, 1, NULL), VV_ERR_SHAPE, "no convergence at 2.5");
    said(vv_map(session, element_fails, &a, 1, NULL), VV_ERR_RUN, "returned -3");
    double twice[ALL]; /* the session goes on */
    for (int i = 0; i < ALL; i++) twice[i] = 2 * grid_f64[i];
    same_f64(vv_map_blocks(session, doubled, &a, 1, &(vv_apply_options){.scratch = 8}), ALL, twice);
    vv_bytes memory = vv_session_memory(session);
    vv_array *greedy = vv_map_blocks(session, doubled, &a, 1, &(vv_apply_options){.scratch = 2 * memory});
    said(greedy, VV_ERR_BUDGET, "");
}

/* --- together with all else --- */

static void in_expressions(void **state)
{
    (void)state;
    double expected[X] = {0}, one[1];
    vv_array *a = reals("y:5,x:4");
    vv_array *b = vv_map_blocks(session, doubled, &a, 1, &(vv_apply_options){.scratch = 8});
    vv_array *anomaly = vv_subtract(vv_rechunk(b, "y:2,x:17"), a); /* a itself */
    for (int i = 0; i < ALL; i++) expected[i % X] = fmax(i < X ? -HUGE_VAL : expected[i % X], grid_f64[i]);
    same_f64(vv_max(anomaly, "y"), X, expected);
    must(vv_persist(b));
    same_f64(vv_max(anomaly, "y"), X, expected);
    /* Equal calls are one. */
    vv_array *again = vv_map_blocks(session, doubled, &a, 1, &(vv_apply_options){.scratch = 8});
    one[0] = 0;
    same_f64(vv_max(vv_absolute(vv_subtract(b, again)), NULL), 1, one);
    vv_unpersist(b);
}

static bool file_has(const char *path, const char *words)
{
    char text[65536];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return strstr(text, words) != NULL;
}

static void pictures(void **state)
{
    (void)state;
    char path[300];
    const char *folder = getenv("TMPDIR");
    vv_array *a = reals("y:5,x:4");
    vv_array *b = vv_map_blocks(session, doubled, &a, 1, &(vv_apply_options){.scratch = 8});
    snprintf(path, sizeof path, "%s/varve-picture-%d.svg", folder ? folder : "/tmp", (int)getpid());
    must(vv_visualise(&b, 1, path, false));
    assert_true(file_has(path, "<svg"));
    must(vv_visualise(&b, 1, path, true));
    assert_true(file_has(path, ">2,4</text>")); /* a chunk */
    unlink(path);
    strcpy(strrchr(path, '.'), ".dot");
    must(vv_visualise(&b, 1, path, false));
    assert_true(file_has(path, "digraph"));
    must(vv_visualise(&b, 1, path, true));
    assert_true(file_has(path, "label=\"2,4\""));
    unlink(path);
    assert_int_equal(vv_visualise(&b, 1, "plan.png", false), VV_ERR_USAGE);
    assert_int_equal(vv_visualise(&b, 1, "/nowhere/plan.svg", false), VV_ERR_WRITE);
}

static int go(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    const struct CMUnitTest tests[] = {cmocka_unit_test(elements),
                                       cmocka_unit_test(positions),
                                       cmocka_unit_test(chunks),
                                       cmocka_unit_test(wrong_chunks),
                                       cmocka_unit_test(letters),
                                       cmocka_unit_test(surroundings),
                                       cmocka_unit_test(along_axes),
                                       cmocka_unit_test(core_dimensions),
                                       cmocka_unit_test(several_results),
                                       cmocka_unit_test(of_the_ranks),
                                       cmocka_unit_test(casts_with_range_checks),
                                       cmocka_unit_test(chunks_of_any_lengths),
                                       cmocka_unit_test(failures),
                                       cmocka_unit_test(in_expressions),
                                       cmocka_unit_test(pictures)};
    session = s;
    return cmocka_run_group_tests_name("apply", tests, NULL, NULL) ? VV_ERR_RUN : VV_OK;
}

int main(int argc, char **argv)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!rank) rank = getenv("PMI_RANK");
    mine = 7 + (rank ? atoi(rank) : 0);
    fill_buffers();
    return vv_run(argc, argv, go);
}
