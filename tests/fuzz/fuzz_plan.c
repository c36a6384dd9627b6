/* Packed plans, as they come from another rank: refused or valid, whatever the bytes. */
#include "fuzz.h"

#include "array/node.h"
#include "plan/lower/lower.h"
#include "varve/array.h"
#include "varve/move.h"

static vv_array *stored(vv_context *c, const char *path, const char *name)
{
    vv_dataset *d = vv_dataset_open_in(c, path);
    if (d->status == VV_OK) d->file->meta->var[vv_meta_find_var(d->file->meta, name)].fast = true;
    return vv_dataset_array(d, name);
}

static vv_array *example(int i, vv_array *a)
{
    switch (i) {
    case 0: return vv_reduce(a, "mean", "time", NULL);
    case 1: return vv_rechunk(a, "time:20,lat:3");
    case 2: return vv_sub(a, vv_reduce(a, "mean", "time", NULL));
    case 3: return vv_reduce(vv_transpose(vv_mul(a, a), "lat,time"), "max", "lat", NULL);
    case 4: return vv_reduce(vv_roll(a, "time", 3), "std", "time,lat", NULL);
    default: return NULL;
    }
}

size_t vv_fuzz_seed(int i, uint8_t *out, size_t room)
{
    vv_context context = {0};
    vv_lowering l = {0};
    vv_buf b = {0};
    size_t n = 0;
    vv_array *a = example(i, stored(&context, "virtual:t?shape=time:20,lat:8&chunk=4,8", "t"));
    vv_target target = {.array = a, .output_variable = -1};
    if (a && vv_lower(&target, 1, 2, -1, &l) == VV_OK) vv_plan_pack(l.plan, &b);
    if (b.size <= room) n = b.size;
    if (n) memcpy(out, b.data, n);
    vv_buf_free(&b);
    vv_lowering_free(&l);
    vv_context_free(&context);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vv_plan *p = NULL;
    vv_buf again = {0};
    if (vv_plan_unpack(data, (vv_bytes)size, &p) == VV_OK && vv_plan_validate(p) == VV_OK) vv_plan_pack(p, &again);
    vv_buf_free(&again);
    vv_plan_free(&p);
    vv_error_clear();
    return 0;
}
