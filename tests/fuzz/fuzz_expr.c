/* Expressions: any text is arrays or an error that shows a place in it. Plans of what is made are not drawn up: fuzz_plan.c and the random trees do that. */
#include "fuzz.h"

#include "array/node.h"
#include "expr/value.h"

static const char *const seeds[] = {
    "let s = sqrt(t^2 + lat ** 2); a = s.mean(time); b = quantile(s, [0.1, 0.5], time)",
    "a = t.group(month) - mean(t.group(month))\nb = t.group(time.dayofyear).max()",
    "a = t[0:10, :, ::2]; b = t[time=0, lat=-1]; c = t[..., [0, 1, 1]]",
    "a = sel(t, lat=1:3, time=\"1990-01-01\":\"1990-01-02\", lon=~1.2)",
    "a = resample(t, \"1D\").mean(); b = rolling(t, time=3, center=true).std(ddof=1)",
    "a = t > 1 and not t < 0 or isnan(t) ? t : -t; b = 1 < t <= 2 != 0",
    "a = (t > 1) & ~(t < 2) | 7 // 2 % 3 << 1; b = 2 ^ 3 ^ -1",
    "a = roll(t, lon=1, lat=2); b = shift(t, time, 1, nan); c = diff(t, time)",
    "a = concat([t, t], dim=time) + stack(t, t, dim=m); b = transpose(t, lon, lat, time)",
    "a = zeros(x=3, y:4, dtype=float32) * random_normal(x=3, seed=1) + arange(x, 0, 6, 2)",
    "a = mean(t, lat, lon, weights=cos(lat)); b = t.weighted(lat).sum(dims=[lat, lon])",
    "a = coarsen(t, lat=2, lon=2, trim=1).mean(); b = reshape(t, time=-1, cell=12)",
    "# a comment\nlet `odd name` = t * 1.5e-3 \\\n + 2.; r = `odd name` - pi",
    "a = where(t > 1, t, nan); b = clip(t, 0, 1); c = fillna(t, 0); d = maximum(t, 3)",
    "a = corr(t, t, time); b = cov(t, t, lat, ddof=0); c = dot(t, t, lon); d = matmul(t, t, lon)",
    "a = pad(t, lon, 1, 1, wrap); b = take(t, lat, [0, 2]); c = topk(t, 2, time); d = sort(t, lat)",
    "a = take(rechunk(t, time=-1), dim=lat, at=[0,1]); b = astype(t, i16) + 70000; c = cumsum(t, time)",
    "a = compress_where(t, t); b = extract(t, t > 1, to=p); c = bincount(astype(t, i8)); d = qr(t[0])"};

size_t vv_fuzz_seed(int i, uint8_t *out, size_t room)
{
    if (i >= (int)(sizeof seeds / sizeof *seeds) || strlen(seeds[i]) > room) return 0;
    memcpy(out, seeds[i], strlen(seeds[i]));
    return strlen(seeds[i]);
}

/* An error shows the line that it speaks of, and a mark beneath it that is not far off. */
static void check_message(const char *text)
{
    const char *message = vv_last_error(), *line = strstr(message, "\n    "), *mark = strrchr(message, '\n');
    vv_fuzz_demand(*message != 0);
    if (!line || mark == line) return; /* of the text as a whole */
    vv_fuzz_demand(strchr(mark, '^') != NULL && strlen(text) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vv_fuzz_in in = {data, size};
    char *text = vv_fuzz_text(&in);
    vv_context context = {0};
    vv_script *x = NULL;
    vv_dataset *d = vv_dataset_open_in(&context, "virtual:t?shape=time:20,lat:4,lon:3&chunk=4,4,3");
    vv_fuzz_demand(vv_script_begin(&context, d, &x) == VV_OK);
    if (vv_script_run(x, text, size % 2 ? "script" : NULL) != VV_OK) check_message(text);
    for (int i = 0; i < vv_script_n_results(x); i++)
        vv_fuzz_demand(vv_script_name(x, i) && vv_array_status(vv_script_array(x, i)) == VV_OK);
    vv_script_free(&x);
    vv_context_free(&context);
    vv_error_clear();
    free(text);
    return 0;
}
