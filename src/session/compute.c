/* Results that stay in memory: in a buffer on rank 0, or with the ranks that have them. */
#include "session/session.h"

#include <stdlib.h>

/* The session that arrays belong to begins with their context. */
static vv_session *session_of(const vv_array *a)
{
    return (vv_session *)(void *)a->context;
}

static vv_status check_arrays(vv_array *const arrays[], int n)
{
    if (n < 1) return vv_fail(VV_ERR_USAGE, "nothing to compute");
    for (int i = 0; i < n; i++) VV_TRY(vv_array_status(arrays[i]));
    return VV_OK;
}

static vv_status check_buffer(const vv_array *a, vv_bytes bytes)
{
    if (a->text == VV_TEXT_STRINGS) return vv_fail(VV_ERR_TYPE, "'%s' holds strings, which go to files only", a->name);
    vv_bytes need = vv_times(vv_shape_elements(&a->shape), vv_dtype_size(a->dtype));
    if (bytes >= need) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "'%s' needs a buffer of %lld bytes, not %lld", a->name, (long long)need,
                   (long long)bytes);
}

/* buffers: NULL when nothing will run. */
static vv_status prepare(vv_array *const arrays[], void *const buffers[], int n, vv_prepared *p)
{
    vv_target *t;
    vv_session *s = session_of(arrays[0]);
    bool before = s->explaining;
    VV_TRY(vv_new(&t, (size_t)n, sizeof *t));
    for (int i = 0; i < n; i++) t[i] = (vv_target){.array = arrays[i], .output_variable = -1};
    s->explaining = !buffers;
    vv_status status = vv_prepare(s, t, n, 0, p);
    s->explaining = before;
    for (int i = 0; i < n && buffers && status == VV_OK; i++) p->gather[t[i].step] = buffers[i];
    free(t);
    return status;
}

vv_status vv_compute_all(vv_array *const arrays[], void *const buffers[], const vv_bytes bytes[], int n)
{
    vv_prepared p = {0};
    VV_TRY(check_arrays(arrays, n));
    for (int i = 0; i < n; i++) VV_TRY(check_buffer(arrays[i], bytes[i]));
    VV_TRY(prepare(arrays, buffers, n, &p));
    vv_status status = vv_prepared_run(session_of(arrays[0]), &p);
    vv_prepared_free(&p);
    return status;
}

vv_status vv_compute(vv_array *a, void *buffer, vv_bytes bytes)
{
    return vv_compute_all(&a, &buffer, &bytes, 1);
}

vv_status vv_explain_all(vv_array *const arrays[], int n, const vv_explain_options *options, char **text)
{
    vv_prepared p = {0};
    *text = NULL;
    VV_TRY(check_arrays(arrays, n));
    VV_TRY(prepare(arrays, NULL, n, &p));
    vv_status status = vv_prepared_explain(session_of(arrays[0]), &p, options, text);
    vv_prepared_free(&p);
    return status;
}

vv_status vv_explain(vv_array *a, const vv_explain_options *options, char **text)
{
    return vv_explain_all(&a, 1, options, text);
}

/* --- persist --- */

static bool held_so(const vv_array *a, const vv_grid *grid)
{
    return a->held && (!grid || vv_grid_equal(grid, a->held->held_grid));
}

/* Those that are not held yet, each once. grid: see vv_persist_in(). */
static vv_status keep_targets(vv_array *const arrays[], const vv_grid *const grid[], int n, vv_target **out,
                              int *wanted)
{
    *wanted = 0;
    VV_TRY(vv_new(out, (size_t)n, sizeof **out));
    for (int i = 0; i < n; i++) {
        bool there = held_so(arrays[i], grid ? grid[i] : NULL);
        for (int k = 0; k < *wanted; k++) there = there || (*out)[k].array == arrays[i];
        if (there) continue;
        int number = ++session_of(arrays[i])->held;
        (*out)[(*wanted)++] =
            (vv_target){.array = arrays[i], .output_variable = -1, .keep = number, .grid = grid ? grid[i] : NULL};
    }
    return VV_OK;
}

/* What was kept stands for the arrays from here on; all of them or none. */
static vv_status stand_in(const vv_plan *p, const vv_target t[], int n)
{
    vv_status status = VV_OK;
    for (int i = 0; i < n; i++) {
        vv_array *h = vv_node_held(t[i].array, t[i].keep, &p->step[t[i].step].grid);
        if (status == VV_OK) status = vv_array_status(h);
        vv_unpersist(t[i].array); /* from other chunks than these */
        t[i].array->held = h;
    }
    for (int i = 0; i < n && status != VV_OK; i++) vv_unpersist(t[i].array);
    return status;
}

vv_status vv_persist_in(vv_array *const arrays[], const vv_grid *const grid[], int n)
{
    vv_target *t;
    int wanted;
    VV_TRY(check_arrays(arrays, n));
    VV_TRY(keep_targets(arrays, grid, n, &t, &wanted));
    vv_prepared p = {0};
    vv_status status = VV_OK;
    if (wanted > 0) {
        status = vv_prepare(session_of(arrays[0]), t, wanted, 0, &p);
        if (status == VV_OK) status = vv_prepared_run(session_of(arrays[0]), &p);
        if (status == VV_OK) status = stand_in(p.lowering.plan, t, wanted);
        if (p.lowering.plan) vv_prepared_free(&p);
    }
    free(t);
    return status;
}

vv_status vv_persist_all(vv_array *const arrays[], int n)
{
    return vv_persist_in(arrays, NULL, n);
}

vv_status vv_persist(vv_array *a)
{
    return vv_persist_all(&a, 1);
}

vv_status vv_explain_persist(vv_array *const arrays[], int n, const vv_explain_options *options, char **text)
{
    vv_target *t;
    int wanted;
    vv_prepared p = {0};
    *text = NULL;
    VV_TRY(check_arrays(arrays, n));
    VV_TRY(keep_targets(arrays, NULL, n, &t, &wanted));
    vv_session *s = session_of(arrays[0]);
    s->explaining = true;
    vv_status status = vv_prepare(s, t, wanted, 0, &p);
    s->explaining = false;
    if (status == VV_OK) status = vv_prepared_explain(s, &p, options, text);
    if (p.lowering.plan) vv_prepared_free(&p);
    free(t);
    return status;
}
