/* Plans built by hand, step by step: for tests that need no arrays and no files. */
#ifndef VV_TESTS_UNIT_HANDMADE_H
#define VV_TESTS_UNIT_HANDMADE_H

#include "scratch.h"

#include "plan/plan.h"

static uint64_t handmade_seed = 77;
static inline vv_index below(vv_index n)
{
    handmade_seed = handmade_seed * 6364136223846793005u + 1442695040888963407u;
    return (vv_index)((handmade_seed >> 20) % (uint64_t)n);
}

static inline vv_plan *hand_plan(int ranks)
{
    vv_plan *p;
    must(vv_plan_new(&p));
    p->ranks = ranks;
    p->threads = 1;
    p->store = VV_INDEX_MAX;
    must(vv_strdup(&p->output, "out.nc.part"));
    return p;
}

static inline vv_grid hand_grid(int nd, const vv_index n[], const vv_index chunk[])
{
    vv_grid g = {.shape.nd = nd};
    for (int d = 0; d < nd; d++) {
        g.shape.n[d] = n[d];
        g.chunk[d] = chunk[d];
    }
    return g;
}

/* A compressed f32 variable; the number of its read step. */
static inline int hand_read(vv_plan *p, const char *name, const vv_grid *g)
{
    vv_source *source;
    vv_step *s;
    must(vv_plan_add_source(p, &source));
    must(vv_strdup(&source->path, "data.nc"));
    must(vv_strdup(&source->variable, name));
    source->raw = source->chunked = source->compressed = true;
    source->n_filters = 1;
    source->filter[0] = VV_FILTER_DEFLATE;
    source->stored = *g;
    source->decode = (vv_decode){.stored = VV_F32, .out = VV_F32};
    source->total = vv_shape_elements(&g->shape) * 2;
    source->largest = 4;
    for (int d = 0; d < g->shape.nd; d++) source->largest *= g->chunk[d];
    source->address = -1;
    must(vv_plan_add_step(p, VV_STEP_READ, name, &s));
    s->source = p->n_sources - 1;
    s->grid = *g;
    return p->n_steps - 1;
}

/* A step over a work space, still without inputs. Its program gives back its first input. */
static inline int hand_step(vv_plan *p, vv_step_op op, const char *name, const vv_grid *work)
{
    vv_step *s;
    must(vv_plan_add_step(p, op, name, &s));
    s->work = *work;
    s->leaf = 1;
    s->n_results = 1;
    s->result[0].type = VV_F32;
    must(vv_strdup(&s->result[0].name, name));
    must(vv_new(&s->program, 1, sizeof *s->program));
    if (op == VV_STEP_REDUCE) s->result[0].red = (vv_red){vv_reduction_find("mean"), VV_F32, true, 0, 0, NULL, 0};
    return p->n_steps - 1;
}

/* An f32 input with one part, which is freed in any case. */
static inline void hand_input(vv_plan *p, int step, int from, vv_access access, vv_part *part)
{
    vv_input *in;
    int reg;
    part->from = from;
    must(vv_step_add_input(&p->step[step], &in));
    in->type = VV_F32;
    in->access = access;
    must(vv_input_add_part(in, part));
    must(vv_program_input(p->step[step].program, VV_F32, &reg));
    vv_program_set_output(p->step[step].program, 0);
}

/* The array of another step as it is. */
static inline void hand_same(vv_plan *p, int step, int from, vv_access access)
{
    vv_part part;
    vv_part_same(&p->step[step].work.shape, &part);
    hand_input(p, step, from, access, &part);
}

/* An array that lacks the dimensions of the work space whose bit is not set in `follows`. */
static inline void hand_broadcast(vv_plan *p, int step, int from, vv_access access, unsigned follows)
{
    vv_part part, all;
    vv_part_same(&p->step[step].work.shape, &all);
    part = all;
    part.nd = 0;
    for (int d = 0; d < all.nd; d++)
        if (follows & (1u << d)) {
            part.dim[part.nd] = d;
            part.start[part.nd] = 0;
            part.stride[part.nd++] = 1;
        }
    hand_input(p, step, from, access, &part);
}

static inline int hand_deliver(vv_plan *p, vv_step_op op, int from)
{
    vv_step *s;
    must(vv_plan_add_step(p, op, "out", &s));
    s->from = from;
    s->grid = p->step[from].grid;
    s->to.encode = (vv_encode){.in = VV_F32, .to = VV_F32};
    return p->n_steps - 1;
}

/* mean over the first dimension, and the differences from it: read -> reduce -> map -> write. leaf: chunks in one. */
static inline vv_plan *hand_anomaly(int ranks, const vv_grid *g, vv_index leaf)
{
    vv_plan *p = hand_plan(ranks);
    int x = hand_read(p, "t2m", g), mean = hand_step(p, VV_STEP_REDUCE, "mean", g);
    p->step[mean].reduced[0] = true;
    p->step[mean].leaf = leaf;
    hand_same(p, mean, x, VV_ACCESS_CHUNK);
    must(vv_step_complete(&p->step[mean]));
    int anomaly = hand_step(p, VV_STEP_MAP, "anomaly", g);
    hand_same(p, anomaly, x, VV_ACCESS_CHUNK);
    hand_broadcast(p, anomaly, mean, VV_ACCESS_PUSH, ~1u);
    must(vv_step_complete(&p->step[anomaly]));
    hand_deliver(p, VV_STEP_WRITE, anomaly);
    return p;
}

#endif
