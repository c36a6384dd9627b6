/* Texts that users and files give: sizes, types, units of time, dates, calendars, chunks, selections, paths of computed data. */
#include "fuzz.h"

#include "array/node.h"
#include "base/calendar.h"
#include "base/mem.h"
#include "varve/array.h"
#include "varve/move.h"

static const char *const seeds[] = {"0256MB",
                                    "01.5 GiB",
                                    "1hours since 1990-01-01 00:00:00",
                                    "1days since 2000-2-30T12:30:01.5 +01:00",
                                    "1months since -4713-11-24",
                                    "22001-12-31T23:59:59.999Z",
                                    "2-0001-1",
                                    "3360_day",
                                    "3proleptic_gregorian",
                                    "4time:all,lat:3",
                                    "4time:-1, lat:18446744073709551616",
                                    "5-30:30",
                                    "5~850",
                                    "5#0:10:-2",
                                    "51990-01:1999-12",
                                    "5#-1",
                                    "6t?shape=time:20,lat:8&chunk=4,8&dtype=f32&seed=3&hours=1e3",
                                    "6x?shape=a:0&value=index",
                                    "7f64",
                                    "8lat,time",
                                    "9-0.5e300"};

size_t vv_fuzz_seed(int i, uint8_t *out, size_t room)
{
    if (i >= (int)(sizeof seeds / sizeof *seeds) || strlen(seeds[i]) > room) return 0;
    memcpy(out, seeds[i], strlen(seeds[i]));
    return strlen(seeds[i]);
}

static vv_array *field(vv_context *c)
{
    return vv_dataset_array(vv_dataset_open_in(c, "virtual:t?shape=time:20,lat:8&chunk=4,8"), "t");
}

static void units(const char *text)
{
    vv_time_axis axis;
    vv_date d;
    double back;
    for (int i = 0; i < 3; i++) {
        static const char *const calendar[] = {"standard", "noleap", "360_day"};
        static const double value[] = {0, 1e18, -12345.678};
        if (vv_time_parse(text, calendar[i], &axis) != VV_OK) return;
        if (vv_time_decode(&axis, value[i], &d) == VV_OK && vv_time_encode(&axis, &d, &back) != VV_OK) vv_error_clear();
    }
}

static void path(vv_context *c, const char *text)
{
    vv_buf b = {0};
    vv_buf_printf(&b, "virtual:%s", text);
    (void)vv_dataset_open_in(c, b.data);
    vv_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vv_fuzz_in in = {data, size};
    uint64_t what = vv_fuzz_take(&in, 1);
    char *text = vv_fuzz_text(&in);
    vv_context context = {0};
    vv_bytes bytes;
    vv_calendar calendar;
    vv_date date;
    int fields;
    vv_status status = VV_OK;
    switch (what) {
    case '0': status = vv_bytes_parse(text, &bytes); break;
    case '1': units(text); break;
    case '2': status = vv_date_parse(text, &date, &fields); break;
    case '3': status = vv_calendar_parse(text, &calendar); break;
    case '4': (void)vv_rechunk(field(&context), text); break;
    case '5':
        (void)vv_select(field(&context), "time", text);
        (void)vv_select(field(&context), "lat", text);
        break;
    case '6': path(&context, text); break;
    case '7': (void)vv_dtype_parse(text); break;
    case '8': (void)vv_reduce(vv_transpose(field(&context), text), "mean", text, NULL); break;
    default: break;
    }
    vv_fuzz_demand(status == VV_OK || vv_status_exit(status) > 0);
    vv_context_free(&context);
    vv_error_clear();
    free(text);
    return 0;
}
