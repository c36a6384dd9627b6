/* Reductions of the user's: four functions on states of any size. What one of them returns instead of 0 is kept in the head of the states, and nothing is folded any more. */
#include "kernels/reductions/fold.h"

enum { INIT, FOLD, COMBINE, FINISH };

/* The head of states lies in front of them. */
static vv_red_head *head_of(void *states)
{
    return (vv_red_head *)states - 1;
}

static void note(vv_red_head *head, int code, int stage)
{
    if (code == 0 || head->failed) return;
    head->failed = code;
    head->detail = stage;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    const vv_own *o = r->spec->own;
    char *state = planes[0];
    vv_error_clear();
    for (vv_index i = 0; i < cells && !head_of(planes[0])->failed; i++, state += r->spec->state)
        note(head_of(planes[0]), ((vv_state_init *)o->function[INIT])(state, o->data), INIT);
}

static void fold(const vv_red *r, vv_red_head *head, void *states, vv_index first, vv_index step, vv_index n,
                 const void *const x[])
{
    const vv_red_spec *s = r->spec;
    const vv_own *o = s->own;
    vv_state_fold *f = (vv_state_fold *)o->function[FOLD];
    char *state = (char *)states + first * s->state;
    vv_error_clear();
    if (step == 0) {
        note(head, f(state, n, x, o->data), FOLD);
        return;
    }
    vv_bytes size = vv_dtype_size(r->in);
    for (vv_index i = 0; i < n && !head->failed; i++, state += s->state) {
        const void *one[VV_RED_VALUES];
        for (int k = 0; k < s->n_values; k++) one[k] = (const char *)x[k] + i * size;
        note(head, f(state, 1, one, o->data), FOLD);
    }
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    const vv_own *o = r->spec->own;
    char *to = left[0];
    const char *later = right[0];
    (void)lh, (void)lmissing, (void)rh, (void)rmissing;
    vv_error_clear();
    for (vv_index i = 0; i < cells && !head_of(left[0])->failed; i++, to += r->spec->state, later += r->spec->state)
        note(head_of(left[0]), ((vv_state_combine *)o->function[COMBINE])(to, later, o->data), COMBINE);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    const vv_own *o = r->spec->own;
    const char *state = planes[0];
    char *to = out;
    vv_bytes bytes = vv_red_length(r) * vv_dtype_size(r->spec->result);
    (void)missing;
    vv_error_clear();
    for (vv_index i = 0; i < cells && !head->failed; i++, state += r->spec->state, to += bytes)
        note(head_of(planes[0]), ((vv_state_finish *)o->function[FINISH])(state, to, o->data), FINISH);
}

static vv_status failure(const vv_red *r, const vv_red_head *head)
{
    static const char *const stage[] = {"init", "fold", "combine", "finish"};
    const char *name = r->spec->own->name;
    int which = head->detail >= INIT && head->detail <= FINISH ? (int)head->detail : FOLD;
    vv_failure e;
    vv_error_get(&e);
    if ((int64_t)e.code == head->failed && head->failed < VV_STATUS_COUNT)
        return vv_error_prefix("reduction '%s', %s", name, stage[which]);
    return vv_fail(VV_ERR_RUN, "reduction '%s': its %s function returned %lld", name, stage[which],
                   (long long)head->failed);
}

const vv_reduction vv_reduction_own = {.name = "own",
                                       .help = "a reduction of the user's",
                                       .told = VV_TOLD_OWN,
                                       .init = init,
                                       .fold = fold,
                                       .combine = combine,
                                       .finish = finish,
                                       .failure = failure};
