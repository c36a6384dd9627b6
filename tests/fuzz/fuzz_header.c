/* Headers, as they come from other ranks and from the cache on disk, and what their attributes are taken for: decoding, coordinates, time axes. */
#include "fuzz.h"

#include "array/joined/joined.h"
#include "array/node.h"
#include "base/calendar.h"
#include "storage/header.h"

static vv_status decorate(vv_meta *m)
{
    vv_attrs *a = &m->var[0].attrs;
    const double range[] = {-5, 300};
    const float scale = 0.5F;
    const int16_t missing[] = {-1, -2};
    VV_TRY(vv_attr_set(a, "scale_factor", VV_F32, 1, &scale));
    VV_TRY(vv_attr_set(a, "_FillValue", VV_I16, 1, missing));
    VV_TRY(vv_attr_set(a, "missing_value", VV_I16, 2, missing));
    VV_TRY(vv_attr_set(a, "valid_range", VV_F64, 2, range));
    VV_TRY(vv_attr_set_text(a, "coordinates", "time lat"));
    VV_TRY(vv_attr_set_text(a, "cell_methods", "time: mean (interval: 1 hour) lat: point"));
    return vv_attr_set_text(a, "_Unsigned", "true");
}

size_t vv_fuzz_seed(int i, uint8_t *out, size_t room)
{
    static const char *const path[] = {"virtual:x?shape=time:20,lat:8&chunk=4,8&dtype=i16",
                                       "virtual:x?shape=&dtype=f64", "virtual:x?shape=time:3,a:2,b:5&dtype=i16"};
    vv_header *h = NULL;
    vv_buf b = {0};
    size_t n = 0;
    if (i >= 3) return 0;
    if (vv_header_read(path[i], &h) == VV_OK && decorate(h->meta) == VV_OK) vv_header_pack(h, &b);
    if (b.size <= room) n = b.size;
    if (n) memcpy(out, b.data, n);
    vv_buf_free(&b);
    vv_header_free(&h);
    return n;
}

static void look_at(const vv_variable *v)
{
    vv_decode decode;
    vv_dtype type;
    vv_time_axis axis;
    vv_date date;
    const char *units = vv_attr_text(&v->attrs, "units"), *calendar = vv_attr_text(&v->attrs, "calendar");
    if (vv_cf_decode(v, &decode, &type) != VV_OK) vv_error_clear();
    if (units && vv_time_parse(units, calendar ? calendar : "standard", &axis) == VV_OK)
        if (vv_time_decode(&axis, 1e5, &date) != VV_OK) vv_error_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vv_reader in = {.data = (const char *)data, .size = size};
    vv_header *h = NULL;
    vv_file *f = NULL;
    if (vv_header_unpack(&in, &h) == VV_OK) {
        vv_context context = {0};
        for (int i = 0; i < h->meta->n_vars; i++) look_at(&h->meta->var[i]);
        if (vv_header_file(&h, &f) == VV_OK) {
            vv_dataset *d = vv_dataset_of_file(&context, &f);
            for (int i = 0; d->status == VV_OK && i < d->file->meta->n_vars; i++)
                (void)vv_dataset_array(d, d->file->meta->var[i].name);
        }
        vv_context_free(&context);
    }
    vv_error_clear();
    return 0;
}
