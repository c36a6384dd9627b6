/* Random sources and views of them for tests of units: files in every layout, virtual and generated data, parts that permute, flip, skip, broadcast, look
 * up and leave holes. What an array holds is kept beside it, as doubles. */
#ifndef VV_TESTS_UNIT_RANDOM_PLAN_H
#define VV_TESTS_UNIT_RANDOM_PLAN_H

#include "plan/plan.h"

#include "kernels/codec/codec.h"
#include "scratch.h"

#include <fcntl.h>
#include <math.h>

/* --- random --- */

static uint64_t state;

static uint64_t next(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = state ^ state >> 32;
    return x * 0x9e3779b97f4a7c15u >> 20;
}

static vv_index below(vv_index n)
{
    return (vv_index)(next() % (uint64_t)n);
}

static inline bool chance(int percent)
{
    return below(100) < percent;
}

/* --- arrays: what a read or map step is said to hold --- */

enum { ARRAYS = 40 };

typedef struct array {
    vv_shape shape;
    double *value;
} array;

static array arrays[ARRAYS];         /* by step */
static vv_chunk_at *indexes[ARRAYS]; /* by source */
static vv_plan *plan;
static vv_grid work;      /* of the step to come */
static vv_input draft[4]; /* its inputs */
static int files;

static double *element(const array *a, const vv_index at[])
{
    vv_index i = 0;
    for (int d = 0; d < a->shape.nd; d++) {
        assert_in_range(at[d], 0, a->shape.n[d] - 1);
        i = i * a->shape.n[d] + at[d];
    }
    return &a->value[i];
}

/* Small whole numbers: sums are exact in any order. */
static void make_values(array *a, bool holes)
{
    vv_index n = vv_shape_elements(&a->shape);
    must(vv_new(&a->value, (size_t)n, sizeof *a->value));
    for (vv_index i = 0; i < n; i++) a->value[i] = holes && chance(10) ? (double)NAN : (double)below(100);
}

static void encode(vv_source *s, const double *value, vv_index n, void *to)
{
    vv_bytes size = vv_dtype_size(s->decode.stored);
    for (vv_index i = 0; i < n; i++) {
        char *at = (char *)to + i * size;
        vv_dtype_store(s->decode.stored, at, isnan(value[i]) ? (double)s->decode.missing[0].i : value[i]);
        if (isnan(value[i]) && vv_dtype_is_float(s->decode.stored)) vv_dtype_store(s->decode.stored, at, value[i]);
    }
    if (s->decode.swap) vv_byteswap(to, n, (int)size);
}

static char *file_for(vv_source *s, int *fd)
{
    char name[32];
    snprintf(name, sizeof name, "data%d", files++);
    must(vv_strdup(&s->path, scratch_path(name)));
    *fd = open(s->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(*fd >= 0);
    must(vv_strdup(&s->variable, "v"));
    return s->path;
}

static void append(int fd, const void *data, vv_bytes size)
{
    assert_int_equal(write(fd, data, (size_t)size), size);
}

static void store_contiguous(vv_source *s, const array *a)
{
    vv_index n = vv_shape_elements(&a->shape);
    int fd;
    file_for(s, &fd);
    char *bytes = malloc((size_t)n * 8 + 16);
    encode(s, a->value, n, bytes + 16);
    append(fd, bytes, 16 + n * vv_dtype_size(s->decode.stored));
    s->address = 16;
    free(bytes);
    close(fd);
}

/* Sums in front of shuffling, of compression, behind it, or two of these. */
static void choose_filters(vv_source *s)
{
    s->n_filters = 0;
    if (chance(20)) s->filter[s->n_filters++] = VV_FILTER_FLETCHER32;
    if (s->decode.shuffled) s->filter[s->n_filters++] = VV_FILTER_SHUFFLE;
    if (s->n_filters < 2 && chance(20)) s->filter[s->n_filters++] = VV_FILTER_FLETCHER32;
    if (s->compressed) s->filter[s->n_filters++] = VV_FILTER_DEFLATE;
    if (chance(20)) s->filter[s->n_filters++] = VV_FILTER_FLETCHER32;
}

/* A chunk's elements, padded, as they go through the filters; at: its entry. */
static void store_chunk(vv_source *s, const array *a, vv_index chunk, vv_codec *codec, int fd, vv_chunk_at *at)
{
    vv_index total = 1, i = 0, in[VV_MAX_DIMS] = {0}, coords[VV_MAX_DIMS];
    int nd = a->shape.nd, size = (int)vv_dtype_size(s->decode.stored);
    for (int d = 0; d < nd; d++) total *= s->stored.chunk[d];
    double *value = calloc((size_t)total, sizeof *value);
    vv_grid_coords(&s->stored, chunk, coords);
    do {
        vv_index where[VV_MAX_DIMS];
        bool inside = true;
        for (int d = 0; d < nd; d++) {
            where[d] = coords[d] * s->stored.chunk[d] + in[d];
            inside = inside && where[d] < a->shape.n[d];
        }
        value[i++] = inside ? *element(a, where) : 0;
    } while (vv_odometer(nd, s->stored.chunk, in));
    vv_bytes raw = total * size, bound = vv_deflate_bound(raw + 4), packed = raw;
    char *plain = malloc((size_t)raw), *out = malloc((size_t)bound + 4), *next = malloc((size_t)bound);
    encode(s, value, total, plain);
    memcpy(out, plain, (size_t)raw);
    *at = (vv_chunk_at){0};
    for (int i = 0; i < s->n_filters; i++) {
        if (chance(20)) {
            at->filter_mask |= 1u << i;
        } else if (s->filter[i] == VV_FILTER_SHUFFLE) {
            vv_shuffle(out, packed / size, size, next);
            memcpy(out, next, (size_t)(packed / size * size));
        } else if (s->filter[i] == VV_FILTER_DEFLATE) {
            must(vv_deflate(codec, 1, out, packed, next, bound, &packed));
            memcpy(out, next, (size_t)packed);
        } else {
            uint32_t sum = vv_fletcher32(out, packed);
            memcpy(out + packed, &sum, 4);
            packed += 4;
        }
    }
    at->address = lseek(fd, 0, SEEK_END);
    at->size = (uint32_t)packed;
    s->largest = vv_imax(s->largest, packed);
    append(fd, out, packed);
    free(value), free(plain), free(out), free(next);
}

/* Never-written chunks hold the fill value. */
static void clear_chunk(const vv_source *s, array *a, vv_index chunk, double fill)
{
    vv_box box;
    vv_index at[VV_MAX_DIMS] = {0}, where[VV_MAX_DIMS];
    vv_grid_box(&s->stored, chunk, &box);
    do {
        for (int d = 0; d < box.nd; d++) where[d] = box.lo[d] + at[d];
        *element(a, where) = fill;
    } while (vv_odometer(box.nd, box.n, at));
}

static void store_chunked(vv_source *s, array *a, int number)
{
    vv_codec *codec;
    vv_index n = vv_grid_chunks(&s->stored);
    int fd;
    file_for(s, &fd);
    must(vv_codec_new(&codec));
    must(vv_new(&indexes[number], (size_t)n, sizeof *indexes[number]));
    vv_dtype_store(s->decode.stored, s->fill, 7);
    for (vv_index c = 0; c < n; c++) {
        if (chance(15)) {
            indexes[number][c].address = -1;
            clear_chunk(s, a, c, 7);
        } else {
            store_chunk(s, a, c, codec, fd, &indexes[number][c]);
        }
    }
    vv_codec_free(&codec);
    close(fd);
}

static void make_virtual(vv_source *s, array *a)
{
    char path[512] = "virtual:v?value=index&dtype=";
    strcat(path, vv_dtype_name(s->decode.stored));
    strcat(path, "&shape=");
    for (int d = 0; d < a->shape.nd; d++)
        snprintf(path + strlen(path), 40, "%sd%d:%lld", d ? "," : "", d, (long long)a->shape.n[d]);
    must(vv_strdup(&s->path, path));
    must(vv_strdup(&s->variable, "v"));
    for (vv_index i = 0; i < vv_shape_elements(&a->shape); i++) {
        char stored[16];
        vv_dtype_store(s->decode.stored, stored, (double)i);
        a->value[i] = vv_dtype_load(s->decode.stored, stored);
    }
    s->decode.n_missing = 0;
    s->decode.swap = false;
}

static void make_generated(vv_source *s, array *a)
{
    static const vv_dtype types[] = {VV_F32, VV_F64, VV_I64};
    vv_dtype type = types[below(3)];
    s->generated = true;
    s->random = (vv_random){.kind = vv_random_find(type == VV_I64 ? "integers" : "uniform"), .seed = next(), .b = 50};
    if (s->random.kind < 0) s->random.kind = vv_random_find("uniform"), type = VV_F64;
    s->decode = (vv_decode){.stored = type, .out = type};
    must(vv_strdup(&s->path, ""));
    must(vv_strdup(&s->variable, "v"));
    for (vv_index i = 0; i < vv_shape_elements(&a->shape); i++) {
        char stored[16];
        vv_random_fill(&s->random, type, i, 1, stored);
        a->value[i] = vv_dtype_load(type, stored);
    }
}

enum { CONTIGUOUS = 1, CHUNKED = 2, VIRTUAL = 4, GENERATED = 8 };

/* A read step over a new source of this shape. chunk: as it must be stored, or NULL. */
static int make_source(const vv_shape *shape, int kinds, const vv_index chunk[])
{
    static const vv_dtype types[] = {VV_F32, VV_F64, VV_I16, VV_U8, VV_I64};
    vv_source *s;
    vv_step *step;
    int kind, number = plan->n_sources, index = plan->n_steps;
    must(vv_plan_add_source(plan, &s));
    do kind = 1 << below(4);
    while (!(kind & kinds));
    array *a = &arrays[index];
    a->shape = *shape;
    s->stored.shape = *shape;
    s->raw = kind == CONTIGUOUS || kind == CHUNKED;
    s->chunked = kind == CHUNKED || (kind == VIRTUAL && chance(50));
    for (int d = 0; d < shape->nd; d++) s->stored.chunk[d] = chunk ? chunk[d] : 1 + below(shape->n[d] + 1);
    s->address = -1;
    vv_dtype type = types[below(5)];
    bool holes = (type == VV_I16 || vv_dtype_is_float(type)) && chance(50) && kind != GENERATED;
    s->decode = (vv_decode){.stored = type, .out = holes && type == VV_I16 ? VV_F32 : vv_working_type(type)};
    s->decode.swap = chance(30);
    if (holes && type == VV_I16) {
        s->decode.n_missing = 1;
        s->decode.missing[0].i = -999;
    }
    make_values(a, holes && s->raw);
    if (kind == CHUNKED) {
        s->compressed = chance(70);
        s->decode.shuffled = chance(70);
        choose_filters(s);
        store_chunked(s, a, number);
    } else if (kind == CONTIGUOUS) {
        store_contiguous(s, a);
    } else if (kind == VIRTUAL) {
        make_virtual(s, a);
    } else {
        make_generated(s, a);
    }
    must(vv_plan_add_step(plan, VV_STEP_READ, "read", &step));
    step->source = number;
    step->grid = plan->source[number].stored;
    return index;
}

/* A map step whose result is pushed to who wants it: only its grid and type matter. */
static int make_producer(const vv_shape *shape)
{
    vv_step *step;
    int from = make_source(shape, CONTIGUOUS, NULL), index = plan->n_steps;
    const vv_dtype type = plan->source[plan->step[from].source].decode.out;
    vv_input *in;
    must(vv_plan_add_step(plan, VV_STEP_MAP, "producer", &step));
    step->work.shape = *shape;
    for (int d = 0; d < shape->nd; d++) step->work.chunk[d] = 1 + below(shape->n[d]);
    must(vv_step_add_input(step, &in));
    vv_part part;
    vv_part_same(shape, &part);
    part.from = from;
    in->type = type;
    in->access = VV_ACCESS_BOX;
    must(vv_input_add_part(in, &part));
    must(vv_new(&step->program, 1, sizeof *step->program));
    int reg;
    must(vv_program_input(step->program, type, &reg));
    step->n_results = 1;
    step->result[0].type = type;
    must(vv_strdup(&step->result[0].name, "r"));
    must(vv_step_complete(step));
    arrays[index].shape = *shape;
    must(vv_new(&arrays[index].value, (size_t)vv_shape_elements(shape), sizeof(double)));
    memcpy(arrays[index].value, arrays[from].value, (size_t)vv_shape_elements(shape) * sizeof(double));
    return index;
}

static vv_dtype type_of(int step)
{
    const vv_step *s = &plan->step[step];
    return s->op == VV_STEP_READ ? plan->source[s->source].decode.out : s->result[0].type;
}

/* --- views --- */

/* A part with this box whose source dimensions follow some of the target's. */
static void make_part(const vv_box *box, bool plain, bool table, vv_part *p, vv_shape *source)
{
    int order[VV_MAX_DIMS];
    *p = (vv_part){.box = *box, .table_dim = -1};
    for (int d = 0; d < box->nd; d++) order[d] = d;
    for (int d = box->nd - 1; d > 0 && !plain && chance(40); d--) {
        int other = (int)below(d + 1), t = order[d];
        order[d] = order[other];
        order[other] = t;
    }
    for (int k = 0; k < box->nd; k++) {
        if (!plain && chance(20)) continue; /* broadcast */
        int d = p->nd++, w = order[k];
        p->dim[d] = w;
        p->stride[d] = plain || chance(60) ? 1 : (vv_index[]){-1, 2, -3, 5}[below(4)];
        vv_index reach = p->stride[d] * (box->n[w] - 1);
        p->start[d] = below(3) + (reach < 0 ? -reach : 0);
        source->n[d] = vv_imax(p->start[d], p->start[d] + reach) + 1 + below(3);
    }
    if (!plain && chance(20)) {
        p->dim[p->nd] = -1;
        p->start[p->nd] = below(4);
        p->stride[p->nd] = 1;
        source->n[p->nd++] = 4;
    }
    source->nd = p->nd;
    if (!table || p->nd == 0) return;
    int d = (int)below(p->nd);
    if (p->dim[d] < 0) return;
    p->table_dim = d;
    must(vv_table_new(source->n[d], &p->table));
    source->n[d] = 1 + below(9);
    for (vv_index i = 0; i < p->table->n; i++) {
        bool go_on = i > 0 && chance(60);
        vv_index on = go_on ? (p->table->at[i - 1] + 1) % source->n[d] : below(source->n[d]);
        p->table->at[i] = i > 0 && chance(30) ? p->table->at[i - 1] : chance(8) ? -1 : on;
    }
}

static void add_part(vv_input *in, vv_part *p, int from)
{
    p->from = from;
    must(vv_input_add_part(in, p));
}

static void whole(vv_box *out)
{
    *out = (vv_box){.nd = work.shape.nd};
    memcpy(out->n, work.shape.n, sizeof out->n);
}

/* Every work chunk lies in one stored chunk, which may hold several of them. */
static void align(vv_part *p, vv_shape *source, vv_index chunk[])
{
    for (int d = 0; d < p->nd; d++) {
        int w = p->dim[d];
        bool cut = w >= 0 && vv_grid_count(&work, w) > 1;
        p->stride[d] = 1;
        if (cut) p->start[d] = work.shift[w] + work.chunk[w] * below(2);
        source->n[d] = p->start[d] + (w < 0 ? 1 : p->box.n[w]) + below(3);
        chunk[d] = cut ? work.chunk[w] * (1 + below(3)) : source->n[d] + below(2);
    }
}

static void direct_input(int k, vv_access access, bool plain)
{
    vv_part p;
    vv_shape shape;
    vv_box box;
    vv_index chunk[VV_MAX_DIMS] = {0};
    whole(&box);
    make_part(&box, plain, false, &p, &shape);
    if (access == VV_ACCESS_CHUNK) align(&p, &shape, chunk);
    int from = access == VV_ACCESS_CHUNK ? make_source(&shape, CHUNKED, chunk) : make_source(&shape, CONTIGUOUS, NULL);
    vv_input *in = &draft[k];
    in->access = access;
    in->type = type_of(from);
    add_part(in, &p, from);
}

/* Boxes that cover the work space with holes: stretches along one dimension. */
static void boxed_input(int k, bool pushed)
{
    vv_box all, box;
    whole(&all);
    bool lookup = chance(30);
    int parts = lookup ? 1 : 1 + (int)below(2), along = (int)below(all.nd), from[2];
    vv_part part[2];
    vv_index at = 0;
    for (int j = 0; j < parts; j++) {
        vv_shape shape;
        box = all;
        box.lo[along] = at + (lookup ? 0 : below(2));
        box.n[along] = lookup ? all.n[along] : 1 + below(all.n[along]);
        if (box.lo[along] >= all.n[along]) box.lo[along] = all.n[along] - 1;
        box.n[along] = vv_imin(box.n[along], all.n[along] - box.lo[along]);
        if (j && box.lo[along] < at) {
            parts = j;
            break;
        }
        at = box.lo[along] + box.n[along];
        make_part(&box, false, lookup || chance(30), &part[j], &shape);
        from[j] =
            pushed ? make_producer(&shape) : make_source(&shape, CONTIGUOUS | CHUNKED | VIRTUAL | GENERATED, NULL);
        if (j && type_of(from[j]) != type_of(from[0])) {
            vv_part_free(&part[j]);
            parts = j;
            break;
        }
    }
    vv_input *in = &draft[k];
    in->access = pushed ? VV_ACCESS_PUSH : VV_ACCESS_BOX;
    in->type = type_of(from[0]);
    in->fill = vv_dtype_is_float(vv_working_type(in->type)) && chance(50) ? (double)NAN : 3;
    in->lookup = lookup && part[0].table_dim >= 0;
    for (int j = 0; j < parts; j++) add_part(in, &part[j], from[j]);
}

/* Element of an input at a place of the work space, as the views say. */
static double at_work(const vv_input *in, const vv_index w[])
{
    for (int j = 0; j < in->n_parts; j++) {
        const vv_part *p = &in->part[j];
        vv_index at[VV_MAX_DIMS];
        bool inside = true, none = false;
        for (int d = 0; d < p->box.nd; d++)
            inside = inside && w[d] >= p->box.lo[d] && w[d] < p->box.lo[d] + p->box.n[d];
        if (!inside) continue;
        for (int d = 0; d < p->nd; d++) {
            at[d] = p->dim[d] < 0 ? p->start[d] : p->start[d] + p->stride[d] * (w[p->dim[d]] - p->box.lo[p->dim[d]]);
            if (d == p->table_dim) at[d] = p->table->at[at[d]];
            none = none || at[d] < 0;
        }
        return none ? in->fill : *element(&arrays[p->from], at);
    }
    return in->fill;
}

#endif
