/* PNG of pixels, compressed by libdeflate: each row is filtered in the way that leaves the smallest numbers, as the format's authors advise. */
#include "base/mem.h"
#include "draw/canvas.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

enum { LEVEL = 9, FILTERS = 5 };

static void put_u32(vv_buf *b, uint32_t x)
{
    const uint8_t bytes[4] = {(uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x};
    vv_buf_bytes(b, bytes, 4);
}

static void put_chunk(vv_buf *b, const char type[5], const void *data, size_t size)
{
    put_u32(b, (uint32_t)size);
    size_t from = b->size;
    vv_buf_bytes(b, type, 4);
    if (size > 0) vv_buf_bytes(b, data, size);
    if (!b->failed) put_u32(b, libdeflate_crc32(0, b->data + from, size + 4));
}

static uint8_t paeth(int a, int b, int c)
{
    int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    return (uint8_t)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

static uint8_t predicted(int filter, int left, int up, int corner)
{
    switch (filter) {
    case 1: return (uint8_t)left;
    case 2: return (uint8_t)up;
    case 3: return (uint8_t)((left + up) / 2);
    case 4: return paeth(left, up, corner);
    default: return 0;
    }
}

/* Filters a row into out[1 ..]; returns how large its bytes are. */
static long filter_row(int filter, const uint8_t *row, const uint8_t *above, size_t n, size_t pixel, uint8_t *out)
{
    long sum = 0;
    out[0] = (uint8_t)filter;
    for (size_t i = 0; i < n; i++) {
        int left = i >= pixel ? row[i - pixel] : 0, up = above ? above[i] : 0;
        int corner = above && i >= pixel ? above[i - pixel] : 0;
        out[i + 1] = (uint8_t)(row[i] - predicted(filter, left, up, corner));
        sum += abs((int8_t)out[i + 1]);
    }
    return sum;
}

static void best_filter(const uint8_t *row, const uint8_t *above, size_t n, size_t pixel, uint8_t *out, uint8_t *tried)
{
    long best = -1;
    for (int filter = 0; filter < FILTERS; filter++) {
        long sum = filter_row(filter, row, above, n, pixel, tried);
        if (best >= 0 && sum >= best) continue;
        best = sum;
        memcpy(out, tried, n + 1);
    }
}

/* Only the samples that are needed, one byte each. */
static void pack(const vv_pixels *p, size_t pixel, uint8_t *out)
{
    size_t n = (size_t)p->width * (size_t)p->height;
    for (size_t i = 0; i < n; i++) memcpy(out + i * pixel, p->rgba + i * 4, pixel);
}

static vv_status compress(const uint8_t *raw, size_t size, vv_buf *out)
{
    struct libdeflate_compressor *z = libdeflate_alloc_compressor(LEVEL);
    void *packed = NULL;
    if (!z) return vv_fail(VV_ERR_NOMEM, "no memory to compress a picture");
    size_t most = libdeflate_zlib_compress_bound(z, size);
    vv_status status = vv_new(&packed, most, 1);
    if (status == VV_OK) put_chunk(out, "IDAT", packed, libdeflate_zlib_compress(z, raw, size, packed, most));
    free(packed);
    libdeflate_free_compressor(z);
    return status;
}

static void put_head(const vv_pixels *p, size_t pixel, int dpi, const char *title, vv_buf *out)
{
    vv_buf head = {0};
    vv_buf_bytes(out, "\x89PNG\r\n\x1a\n", 8);
    put_u32(&head, (uint32_t)p->width);
    put_u32(&head, (uint32_t)p->height);
    vv_buf_bytes(&head, pixel == 4 ? "\x08\x06\0\0\0" : "\x08\x02\0\0\0", 5);
    put_chunk(out, "IHDR", head.data, head.size);
    vv_buf_free(&head);
    if (dpi > 0) {
        uint32_t per_metre = (uint32_t)(dpi / 0.0254 + 0.5);
        put_u32(&head, per_metre);
        put_u32(&head, per_metre);
        vv_buf_bytes(&head, "\x01", 1);
        put_chunk(out, "pHYs", head.data, head.size);
        vv_buf_free(&head);
    }
    if (title && *title) {
        vv_buf_bytes(&head, "Title\0\0\0\0\0", 10); /* iTXt, in UTF-8 */
        vv_buf_bytes(&head, title, strlen(title));
        put_chunk(out, "iTXt", head.data, head.size);
        vv_buf_free(&head);
    }
}

vv_status vv_png_encode(const vv_pixels *p, int dpi, const char *title, vv_buf *out)
{
    size_t n = (size_t)p->width * (size_t)p->height, pixel = 3;
    for (size_t i = 0; i < n && pixel == 3; i++)
        if (p->rgba[4 * i + 3] != 255) pixel = 4;
    size_t row = (size_t)p->width * pixel, height = (size_t)p->height;
    uint8_t *plain = NULL, *filtered = NULL, *tried = NULL;
    vv_status status = vv_new(&plain, n > 0 ? n : 1, pixel);
    if (status == VV_OK) status = vv_new(&filtered, height, row + 1);
    if (status == VV_OK) status = vv_new(&tried, row + 1, 1);
    if (status == VV_OK) {
        pack(p, pixel, plain);
        for (size_t y = 0; y < height; y++)
            best_filter(plain + y * row, y ? plain + (y - 1) * row : NULL, row, pixel, filtered + y * (row + 1), tried);
        put_head(p, pixel, dpi, title, out);
        status = compress(filtered, height * (row + 1), out);
        put_chunk(out, "IEND", NULL, 0);
    }
    free(plain);
    free(filtered);
    free(tried);
    return status == VV_OK ? vv_buf_status(out) : status;
}
