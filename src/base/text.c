#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool room(vv_buf *b, size_t more)
{
    if (b->failed) return false;
    if (b->size + more + 1 <= b->capacity) return true;
    size_t capacity = (b->size + more + 1) * 2;
    char *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void vv_buf_free(vv_buf *b)
{
    free(b->data);
    *b = (vv_buf){0};
}

void vv_buf_bytes(vv_buf *b, const void *data, size_t size)
{
    if (!room(b, size)) return;
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = 0;
}

void vv_buf_text(vv_buf *b, const char *text)
{
    vv_buf_bytes(b, text, strlen(text));
}

void vv_buf_printf(vv_buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && room(b, (size_t)n)) {
        vsnprintf(b->data + b->size, (size_t)n + 1, format, again);
        b->size += (size_t)n;
    }
    va_end(again);
}

vv_status vv_buf_status(const vv_buf *b)
{
    return b->failed ? vv_fail(VV_ERR_NOMEM, "no memory for a buffer of %zu bytes", b->size) : VV_OK;
}

void vv_buf_put_i64(vv_buf *b, int64_t v)
{
    vv_buf_bytes(b, &v, sizeof v);
}

void vv_buf_put_f64(vv_buf *b, double v)
{
    vv_buf_bytes(b, &v, sizeof v);
}

void vv_buf_put_string(vv_buf *b, const char *text)
{
    size_t n = strlen(text) + 1;
    vv_buf_put_i64(b, (int64_t)n);
    vv_buf_bytes(b, text, n);
}

const void *vv_read_bytes(vv_reader *r, size_t size)
{
    if (r->failed || size > r->size - r->at) {
        r->failed = true;
        return NULL;
    }
    const void *p = r->data + r->at;
    r->at += size;
    return p;
}

int64_t vv_read_i64(vv_reader *r)
{
    int64_t v = 0;
    const void *p = vv_read_bytes(r, sizeof v);
    if (p) memcpy(&v, p, sizeof v);
    return v;
}

double vv_read_f64(vv_reader *r)
{
    double v = 0;
    const void *p = vv_read_bytes(r, sizeof v);
    if (p) memcpy(&v, p, sizeof v);
    return v;
}

const char *vv_read_string(vv_reader *r)
{
    int64_t n = vv_read_i64(r);
    const char *s = n > 0 ? vv_read_bytes(r, (size_t)n) : NULL;
    if (!s || s[n - 1]) r->failed = true;
    return r->failed ? "" : s;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Edit distance, a swap of neighbours counted as one edit; words longer than 63 are cut. */
static int distance(const char *a, const char *b)
{
    int row[3][64]; /* this one, the one before, and the one before that */
    int nb = (int)strnlen(b, 63), i = 0;
    for (int j = 0; j <= nb; j++) row[0][j] = j;
    for (i = 1; i < 64 && a[i - 1]; i++) {
        int *now = row[i % 3], *before = row[(i + 2) % 3], *first = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= nb; j++) {
            int p = tolower((unsigned char)a[i - 1]), q = tolower((unsigned char)b[j - 1]);
            now[j] = least(before[j - 1] + (p != q), least(before[j], now[j - 1]) + 1);
            bool swap =
                i > 1 && j > 1 && p == tolower((unsigned char)b[j - 2]) && q == tolower((unsigned char)a[i - 2]);
            if (swap) now[j] = least(now[j], first[j - 2] + 1);
        }
    }
    return row[(i - 1) % 3][nb];
}

const char *vv_nearest(const char *word, const char *const candidates[], int n)
{
    const char *best = NULL;
    int limit = strlen(word) == 1 ? 1 : (int)strlen(word) / 3 + 2,
        nearest = limit; /* any letter is near to any other */
    for (int i = 0; i < n; i++) {
        int d = distance(word, candidates[i]);
        bool contained = strlen(word) >= 3 && strlen(candidates[i]) >= 3 &&
                         (strstr(candidates[i], word) || strstr(word, candidates[i]));
        if (contained && d > limit - 1) d = limit - 1;
        if (d < nearest) {
            nearest = d;
            best = candidates[i];
        }
    }
    return best;
}

uint64_t vv_hash(const void *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const unsigned char *p = data; size--; p++) h = (h ^ *p) * 0x100000001b3u;
    return h;
}
