#include "cli/format.h"

#include "varve/session.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void shortest(double x, bool single, char *out, size_t size)
{
    if (isnan(x)) {
        snprintf(out, size, "nan");
        return;
    }
    for (int digits = single ? 6 : 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, x);
        double back = strtod(out, NULL);
        if (single ? (float)back == (float)x : back == x) return;
    }
}

static void complex_text(double re, double im, bool single, char *out)
{
    char a[32], b[32];
    shortest(re, single, a, sizeof a);
    shortest(im, single, b, sizeof b);
    snprintf(out, VV_CLI_VALUE, "%s%s%si", a, b[0] == '-' ? "" : "+", b);
}

const char *vv_cli_value(vv_dtype type, const void *data, vv_index i, char out[VV_CLI_VALUE])
{
    switch (type) {
    case VV_BOOL: snprintf(out, VV_CLI_VALUE, "%s", ((const uint8_t *)data)[i] ? "true" : "false"); break;
    case VV_I8: snprintf(out, VV_CLI_VALUE, "%" PRId8, ((const int8_t *)data)[i]); break;
    case VV_I16: snprintf(out, VV_CLI_VALUE, "%" PRId16, ((const int16_t *)data)[i]); break;
    case VV_I32: snprintf(out, VV_CLI_VALUE, "%" PRId32, ((const int32_t *)data)[i]); break;
    case VV_I64: snprintf(out, VV_CLI_VALUE, "%" PRId64, ((const int64_t *)data)[i]); break;
    case VV_U8: snprintf(out, VV_CLI_VALUE, "%" PRIu8, ((const uint8_t *)data)[i]); break;
    case VV_U16: snprintf(out, VV_CLI_VALUE, "%" PRIu16, ((const uint16_t *)data)[i]); break;
    case VV_U32: snprintf(out, VV_CLI_VALUE, "%" PRIu32, ((const uint32_t *)data)[i]); break;
    case VV_U64: snprintf(out, VV_CLI_VALUE, "%" PRIu64, ((const uint64_t *)data)[i]); break;
    case VV_F32: shortest(((const float *)data)[i], true, out, VV_CLI_VALUE); break;
    case VV_F64: shortest(((const double *)data)[i], false, out, VV_CLI_VALUE); break;
    case VV_C64: complex_text(((const vv_c64 *)data)[i].re, ((const vv_c64 *)data)[i].im, true, out); break;
    case VV_C128: complex_text(((const vv_c128 *)data)[i].re, ((const vv_c128 *)data)[i].im, false, out); break;
    default: snprintf(out, VV_CLI_VALUE, "?");
    }
    return out;
}

const char *vv_cli_rounded(double x, char out[VV_CLI_VALUE])
{
    snprintf(out, VV_CLI_VALUE, "%.6g", x);
    return out;
}

/* --- tables --- */

void vv_cli_table_row(vv_cli_table *t)
{
    char **cell = realloc(t->cell, (size_t)(t->rows + 1) * VV_CLI_COLUMNS * sizeof *cell);
    if (!cell) {
        t->failed = 1;
        return;
    }
    t->cell = cell;
    memset(cell + (size_t)t->rows * VV_CLI_COLUMNS, 0, VV_CLI_COLUMNS * sizeof *cell);
    t->rows++;
    t->columns = 0;
}

void vv_cli_table_cell(vv_cli_table *t, const char *format, ...)
{
    if (t->failed || t->rows == 0 || t->columns == VV_CLI_COLUMNS) return;
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) t->failed = 1;
    va_end(args);
    t->cell[(size_t)(t->rows - 1) * VV_CLI_COLUMNS + (size_t)t->columns++] = t->failed ? NULL : text;
}

/* Characters, not bytes, of UTF-8. */
static int width(const char *text)
{
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static const char *cell(const vv_cli_table *t, int row, int column)
{
    const char *text = t->cell[row * VV_CLI_COLUMNS + column];
    return text ? text : "";
}

static void print_row(const vv_cli_table *t, int row, const int widths[], const char *align, FILE *out)
{
    int gap = 0; /* spaces that only a following cell needs */
    for (int c = 0; c < VV_CLI_COLUMNS && align[c]; c++) {
        if (widths[c] == 0) continue;
        const char *text = cell(t, row, c);
        int padding = widths[c] - width(text), left = align[c] == 'r' ? padding : 0;
        gap += 2;
        if (*text) {
            const char *tint = row == 0 && t->head ? t->head : t->tint[c];
            fprintf(out, "%*s%s%s%s", gap + left, "", tint ? tint : "", text, tint ? "\033[0m" : "");
            gap = padding - left;
        } else {
            gap += padding;
        }
    }
    fputc('\n', out);
}

void vv_cli_table_free(vv_cli_table *t)
{
    for (int i = 0; i < t->rows * VV_CLI_COLUMNS; i++) free(t->cell[i]);
    free(t->cell);
    *t = (vv_cli_table){0};
}

vv_status vv_cli_table_print(vv_cli_table *t, FILE *out, const char *align)
{
    int widths[VV_CLI_COLUMNS] = {0};
    bool failed = t->failed;
    for (int r = 0; !failed && r < t->rows; r++)
        for (int c = 0; c < VV_CLI_COLUMNS; c++)
            if (width(cell(t, r, c)) > widths[c]) widths[c] = width(cell(t, r, c));
    for (int r = 0; !failed && r < t->rows; r++) print_row(t, r, widths, align, out);
    vv_cli_table_free(t);
    return failed ? vv_error(VV_ERR_NOMEM, "no memory for a table") : VV_OK;
}
