#include "cli/units.h"

#include "varve/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool drop_end(char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    if (n < k || strcmp(text + n - k, end)) return false;
    text[n - k] = 0;
    return true;
}

bool vv_cli_bandwidth(const char *text, size_t length, double *out)
{
    char copy[64] = "";
    vv_bytes n;
    if (length >= sizeof copy) return false;
    memcpy(copy, text, length);
    drop_end(copy, "/s");
    bool bits = drop_end(copy, "bit");
    /* Gb is a gigabit to who builds networks, and a gigabyte to the parser of sizes: no guessing. */
    if (strchr(copy, 'b') || !bits == !strchr(copy, 'B')) return false;
    if (vv_parse_bytes(copy, &n) != VV_OK || n <= 0) return false;
    *out = bits ? (double)n / 8 : (double)n;
    return true;
}

bool vv_cli_seconds(const char *text, double *out)
{
    static const struct {
        const char *name;
        double seconds;
    } unit[] = {{"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}};
    char *end;
    double x = strtod(text, &end);
    if (end == text || !isfinite(x) || x <= 0) return false;
    end += strspn(end, " ");
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++)
        if (!strcmp(end, unit[i].name)) {
            *out = x * unit[i].seconds;
            return true;
        }
    return false;
}

const char *vv_cli_rate(double x, const char *unit, char out[32])
{
    static const char *const prefix[] = {"", "k", "M", "G", "T"};
    size_t i = 0;
    for (; x >= 999.5 && i + 1 < sizeof prefix / sizeof *prefix; i++) x /= 1000;
    snprintf(out, 32, "%.3g %s%s", x, prefix[i], unit);
    return out;
}
