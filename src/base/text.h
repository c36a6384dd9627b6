/* Small containers for bookkeeping: a growing string and a growing byte buffer with a reader, and help for misspelled names. */
#ifndef VV_BASE_TEXT_H
#define VV_BASE_TEXT_H

#include "base/status.h"

/* A growing buffer: text (always 0-terminated) or packed bytes. Running out of memory is remembered, and told by vv_buf_status(). */
typedef struct vv_buf {
    char *data;
    size_t size, capacity;
    bool failed;
} vv_buf;

void vv_buf_free(vv_buf *b);
void vv_buf_bytes(vv_buf *b, const void *data, size_t size);
void vv_buf_printf(vv_buf *b, const char *format, ...) VV_PRINTF(2, 3);
void vv_buf_text(vv_buf *b, const char *text);
VV_WARN_UNUSED vv_status vv_buf_status(const vv_buf *b);

/* The packed form used in plans: fixed-size little pieces, strings with their length. */
void vv_buf_put_i64(vv_buf *b, int64_t v);
void vv_buf_put_f64(vv_buf *b, double v);
void vv_buf_put_string(vv_buf *b, const char *text);

/* Reading back: a reader that ran over its end stays failed and gives zeros, so that one check at the end is enough. */
typedef struct vv_reader {
    const char *data;
    size_t size, at;
    bool failed;
} vv_reader;
int64_t vv_read_i64(vv_reader *r);
double vv_read_f64(vv_reader *r);
const char *vv_read_string(vv_reader *r); /* points into the data */
const void *vv_read_bytes(vv_reader *r, size_t size);

/* The candidate nearest to a misspelled word, NULL when none is near. */
const char *vv_nearest(const char *word, const char *const candidates[], int n);

/* FNV-1a, 64 bit. */
uint64_t vv_hash(const void *data, size_t size);

#endif
