/* A plan as bytes, and back. One walk serves both directions: an archive either puts or takes. */
#include "base/fault.h"
#include "plan/pack/archive.h"

#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x31504c4156 };

static void decode(vv_archive *a, vv_decode *d)
{
    VV_ARCHIVE(a, d->stored);
    VV_ARCHIVE(a, d->out);
    VV_ARCHIVE(a, d->swap);
    VV_ARCHIVE(a, d->shuffled);
    VV_ARCHIVE(a, d->scaled);
    vv_archive_real(a, &d->scale);
    vv_archive_real(a, &d->offset);
    VV_ARCHIVE(a, d->n_missing);
    vv_archive_bytes(a, d->missing, sizeof d->missing);
    VV_ARCHIVE(a, d->has_min);
    VV_ARCHIVE(a, d->has_max);
    vv_archive_real(a, &d->valid_min);
    vv_archive_real(a, &d->valid_max);
}

static void source(vv_archive *a, vv_source *s)
{
    vv_archive_string(a, &s->path);
    vv_archive_string(a, &s->variable);
    VV_ARCHIVE(a, s->stamp.size);
    VV_ARCHIVE(a, s->stamp.changed);
    VV_ARCHIVE(a, s->raw);
    VV_ARCHIVE(a, s->generated);
    VV_ARCHIVE(a, s->given);
    VV_ARCHIVE(a, s->held);
    VV_ARCHIVE(a, s->random.kind);
    VV_ARCHIVE(a, s->random.seed);
    vv_archive_real(a, &s->random.a);
    vv_archive_real(a, &s->random.b);
    VV_ARCHIVE(a, s->chunked);
    VV_ARCHIVE(a, s->compressed);
    VV_ARCHIVE(a, s->n_filters);
    vv_archive_bytes(a, s->filter, sizeof s->filter);
    vv_archive_grid(a, &s->stored);
    for (int d = 0; d < s->stored.shape.nd; d++) VV_ARCHIVE(a, s->absent[d]);
    decode(a, &s->decode);
    vv_archive_bytes(a, s->fill, sizeof s->fill);
    VV_ARCHIVE(a, s->address);
    VV_ARCHIVE(a, s->pitch);
    VV_ARCHIVE(a, s->largest);
    VV_ARCHIVE(a, s->total);
}

static void drops(vv_archive *a, vv_plan *p)
{
    p->n_drops = (int)vv_archive_counted(a, p->n_drops, sizeof(int64_t));
    if (a->take && p->n_drops > 0 && a->status == VV_OK)
        a->status = vv_new(&p->drop, (size_t)p->n_drops, sizeof *p->drop);
    for (int i = 0; i < p->n_drops && p->drop; i++) VV_ARCHIVE(a, p->drop[i]);
}

static void saved(vv_archive *a, vv_saved *s)
{
    int64_t sum = (int64_t)s->sum;
    VV_ARCHIVE(a, s->step);
    VV_ARCHIVE(a, s->run);
    VV_ARCHIVE(a, s->rank);
    VV_ARCHIVE(a, s->done);
    VV_ARCHIVE(a, s->placed);
    VV_ARCHIVE(a, s->out);
    VV_ARCHIVE(a, s->level);
    VV_ARCHIVE(a, s->i);
    VV_ARCHIVE(a, s->at);
    VV_ARCHIVE(a, s->size);
    vv_archive_number(a, &sum);
    s->sum = (uint64_t)sum;
}

static void journal(vv_archive *a, vv_plan *p)
{
    vv_archive_string(a, &p->journal);
    if (!p->journal) return;
    VV_ARCHIVE(a, p->journal_run);
    VV_ARCHIVE(a, p->journal_every);
    VV_ARCHIVE(a, p->journal_end);
    p->n_saved = vv_archive_counted(a, p->n_saved, 11 * (int64_t)sizeof(int64_t));
    if (a->take && p->n_saved > 0 && a->status == VV_OK)
        a->status = vv_new(&p->saved, (size_t)p->n_saved, sizeof *p->saved);
    for (vv_index i = 0; i < p->n_saved && p->saved; i++) saved(a, &p->saved[i]);
}

static void head(vv_archive *a, vv_plan *p)
{
    VV_ARCHIVE(a, p->ranks);
    VV_ARCHIVE(a, p->threads);
    VV_ARCHIVE(a, p->budget);
    VV_ARCHIVE(a, p->store);
    VV_ARCHIVE(a, p->keep);
    VV_ARCHIVE(a, p->policy);
    VV_ARCHIVE(a, p->fuzz);
    VV_ARCHIVE(a, p->log);
    VV_ARCHIVE(a, p->report_every);
    VV_ARCHIVE(a, p->trace);
    VV_ARCHIVE(a, p->fill_bad);
    VV_ARCHIVE(a, p->collective);
    vv_archive_string(a, &p->output);
    vv_archive_string(a, &p->heartbeat);
    vv_archive_string(a, &p->original);
    vv_archive_string(a, &p->scratch);
    drops(a, p);
    journal(a, p);
}

void vv_plan_pack(const vv_plan *plan, vv_buf *out)
{
    vv_plan *p = (vv_plan *)plan; /* writing changes nothing */
    vv_archive a = {.put = out};
    vv_buf_put_i64(out, MAGIC);
    head(&a, p);
    vv_buf_put_i64(out, p->n_sources);
    vv_buf_put_i64(out, p->n_steps);
    for (int i = 0; i < p->n_sources; i++) source(&a, &p->source[i]);
    for (int i = 0; i < p->n_steps; i++) vv_archive_step(&a, &p->step[i]);
}

static vv_status take_parts(vv_archive *a, vv_plan *p)
{
    if (vv_read_i64(a->take) != MAGIC) return vv_fail(VV_ERR_INTERNAL, "these bytes are no plan");
    head(a, p);
    int64_t n_sources = vv_read_i64(a->take), n_steps = vv_read_i64(a->take);
    for (int64_t i = 0; i < n_sources && !a->take->failed; i++) {
        vv_source *s;
        VV_TRY(vv_plan_add_source(p, &s));
        source(a, s);
    }
    for (int64_t i = 0; i < n_steps && !a->take->failed; i++) {
        vv_step *s;
        VV_TRY(vv_plan_add_step(p, VV_STEP_READ, "", &s));
        free(s->name);
        s->name = NULL;
        vv_archive_step(a, s);
    }
    VV_TRY(a->status);
    if (a->take->failed) return vv_fail(VV_ERR_INTERNAL, "the plan's bytes end early");
    VV_TRY(vv_plan_validate(p));
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_computes(&p->step[i])) VV_TRY(vv_step_complete(&p->step[i]));
    return VV_OK;
}

vv_status vv_plan_unpack(const void *data, vv_bytes size, vv_plan **out)
{
    *out = NULL;
    VV_TRY(vv_fault(VV_FAULT_PLAN_DECODE));
    vv_reader r = {.data = data, .size = (size_t)size};
    vv_archive a = {.take = &r};
    VV_TRY(vv_plan_new(out));
    vv_status status = take_parts(&a, *out);
    if (status != VV_OK) vv_plan_free(out);
    return status;
}

uint64_t vv_plan_hash(const vv_plan *p)
{
    vv_buf b = {0};
    char somewhere[] = "";
    vv_plan content = *p;
    if (p->output) content.output = somewhere; /* the same plan, wherever its temporary output lies */
    content.heartbeat = content.scratch = content.journal = NULL;
    content.trace = 0;
    vv_plan_pack(&content, &b);
    uint64_t h = vv_hash(b.data, b.size);
    vv_buf_free(&b);
    return h;
}
