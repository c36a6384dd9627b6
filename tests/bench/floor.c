/* The floor under a time mean: the least that has to happen, and nothing else.
 *
 *     mpicc -O3 -march=native floor.c -o floor -ldeflate -lzstd
 *     mpirun -n 2 ./floor B.index [passes [inflate]]
 *
 * The index file (made by compare.py) says where the stored chunks of a variable (time, lat, lon) lie. Each rank takes a stretch of the list, preads a
 * chunk, inflates it with libdeflate, undoes the byte shuffle while adding to a map of doubles, and the maps are summed on rank 0. No types but f32 and
 * packed i16, no missing values, no labels, no output, no budget: what a runtime costs is measured against this. With `inflate` chunks are read and
 * decompressed, and nothing is done with them.
 *
 * Index: `file element_size nt ny nx ct cy cx chunks compressed` (0 no, 1 deflate, 2 zstd), then per chunk `address bytes t y x`. */
#include <fcntl.h>
#include <libdeflate.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { PIECE = 256 * 1024, MAX_PASSES = 9 };

typedef struct chunk {
    long address, bytes, t, y, x;
} chunk;

typedef struct job {
    char file[1024];
    int size, compressed;
    bool only_inflate;
    long nt, ny, nx, ct, cy, cx, chunks;
    chunk *list;
    int fd;
    uint8_t *stored, *raw;
    struct libdeflate_decompressor *inflater;
    ZSTD_DCtx *unzstd;
    double *map;
} job;

static void stop(const char *why)
{
    fprintf(stderr, "floor: %s\n", why);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static void load_index(job *j, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%1023s %d %ld %ld %ld %ld %ld %ld %ld %d", j->file, &j->size, &j->nt, &j->ny, &j->nx, &j->ct,
                     &j->cy, &j->cx, &j->chunks, &j->compressed) != 10)
        stop("bad index");
    j->list = calloc((size_t)j->chunks, sizeof *j->list);
    for (chunk *c = j->list; c < j->list + j->chunks; c++)
        if (fscanf(f, "%ld %ld %ld %ld %ld", &c->address, &c->bytes, &c->t, &c->y, &c->x) != 5) stop("short index");
    fclose(f);
}

static void prepare(job *j)
{
    size_t raw = (size_t)(j->ct * j->cy * j->cx) * (size_t)j->size;
    j->fd = open(j->file, O_RDONLY);
    j->raw = aligned_alloc(64, (raw + 127) / 64 * 64);
    j->stored = aligned_alloc(64, (2 * raw + 127) / 64 * 64);
    j->inflater = libdeflate_alloc_decompressor();
    j->unzstd = ZSTD_createDCtx();
    j->map = aligned_alloc(64, ((size_t)(j->ny * j->nx) * sizeof(double) + 63) / 64 * 64);
    if (j->fd < 0 || !j->raw || !j->stored || !j->inflater || !j->map) stop("cannot start");
}

static void read_at(const job *j, void *out, long bytes, long address)
{
    if (pread(j->fd, out, (size_t)bytes, address) != bytes) stop("short read");
}

static void add_f32(double *restrict sum, const float *restrict x, long n)
{
    for (long i = 0; i < n; i++) sum[i] += (double)x[i];
}

static void add_i16(double *restrict sum, const int16_t *restrict x, long n)
{
    for (long i = 0; i < n; i++) sum[i] += (double)x[i];
}

/* Elements first .. first + n of a shuffled chunk whose byte planes are `plane` bytes long, in their right order into out. */
static void gather4(const uint8_t *in, long plane, long n, uint8_t *restrict out)
{
    long i = 0;
#if defined(__SSE2__)
    for (; i + 16 <= n; i += 16) {
        __m128i b0 = _mm_loadu_si128((const void *)(in + i)), b1 = _mm_loadu_si128((const void *)(in + plane + i));
        __m128i b2 = _mm_loadu_si128((const void *)(in + 2 * plane + i));
        __m128i b3 = _mm_loadu_si128((const void *)(in + 3 * plane + i));
        __m128i low01 = _mm_unpacklo_epi8(b0, b1), high01 = _mm_unpackhi_epi8(b0, b1);
        __m128i low23 = _mm_unpacklo_epi8(b2, b3), high23 = _mm_unpackhi_epi8(b2, b3);
        __m128i *o = (__m128i *)(void *)(out + 4 * i);
        _mm_storeu_si128(o, _mm_unpacklo_epi16(low01, low23));
        _mm_storeu_si128(o + 1, _mm_unpackhi_epi16(low01, low23));
        _mm_storeu_si128(o + 2, _mm_unpacklo_epi16(high01, high23));
        _mm_storeu_si128(o + 3, _mm_unpackhi_epi16(high01, high23));
    }
#endif
    for (; i < n; i++)
        for (int k = 0; k < 4; k++) out[4 * i + k] = in[k * plane + i];
}

static void gather2(const uint8_t *in, long plane, long n, uint8_t *restrict out)
{
    for (long i = 0; i < n; i++) {
        out[2 * i] = in[i];
        out[2 * i + 1] = in[plane + i];
    }
}

/* Row by row, all its steps: the row of sums stays in the first-level cache. */
static void add_shuffled(job *j, const chunk *c, long steps, long rows, long columns)
{
    static uint8_t row[1 << 17];
    long plane = j->ct * j->cy * j->cx;
    for (long y = 0; y < rows; y++) {
        double *sum = j->map + (c->y + y) * j->nx + c->x;
        for (long t = 0; t < steps; t++) {
            const uint8_t *in = j->raw + (t * j->cy + y) * j->cx;
            if (j->size == 4) {
                gather4(in, plane, columns, row);
                add_f32(sum, (const float *)(const void *)row, columns);
            } else {
                gather2(in, plane, columns, row);
                add_i16(sum, (const int16_t *)(const void *)row, columns);
            }
        }
    }
}

static bool inflate(job *j, size_t stored, size_t raw)
{
    size_t got;
    if (j->compressed == 2) return ZSTD_decompressDCtx(j->unzstd, j->raw, raw, j->stored, stored) == raw;
    return !libdeflate_zlib_decompress(j->inflater, j->stored, stored, j->raw, raw, &got) && got == raw;
}

static void do_compressed(job *j, const chunk *c)
{
    read_at(j, j->stored, c->bytes, c->address);
    if (!inflate(j, (size_t)c->bytes, (size_t)(j->ct * j->cy * j->cx) * (size_t)j->size)) stop("bad chunk");
    if (j->only_inflate) return;
    long steps = j->nt - c->t < j->ct ? j->nt - c->t : j->ct, rows = j->ny - c->y < j->cy ? j->ny - c->y : j->cy;
    add_shuffled(j, c, steps, rows, j->nx - c->x < j->cx ? j->nx - c->x : j->cx);
}

/* One whole step of contiguous f32 data, in pieces that are still in the cache when they are added. */
static void do_step(job *j, const chunk *c)
{
    for (long at = 0; at < c->bytes; at += PIECE) {
        long n = c->bytes - at < PIECE ? c->bytes - at : PIECE;
        read_at(j, j->raw, n, c->address + at);
        add_f32(j->map + at / 4, (const float *)(const void *)j->raw, n / 4);
    }
}

static double pass(job *j, int rank, int ranks)
{
    int cells = (int)(j->ny * j->nx);
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    memset(j->map, 0, (size_t)cells * sizeof(double));
    for (long i = j->chunks * rank / ranks; i < j->chunks * (rank + 1) / ranks; i++)
        (j->compressed ? do_compressed : do_step)(j, j->list + i);
    MPI_Reduce(rank ? j->map : MPI_IN_PLACE, j->map, cells, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    return MPI_Wtime() - start;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank, ranks, passes = argc > 2 ? atoi(argv[2]) : 1;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (argc < 2 || passes < 1 || passes > MAX_PASSES) stop("usage: floor INDEX [passes [inflate]]");
    job j = {.only_inflate = argc > 3 && !strcmp(argv[3], "inflate")};
    load_index(&j, argv[1]);
    prepare(&j);
    double seconds[MAX_PASSES];
    for (int i = 0; i < passes; i++) seconds[i] = pass(&j, rank, ranks);
    qsort(seconds, (size_t)passes, sizeof *seconds, ascending);
    double at = (double)j.map[5 * j.nx + 7] / (double)j.nt;
    if (!rank) printf("INNER %.4f\nVALUE %.9g\n", seconds[passes / 2], at);
    MPI_Finalize();
    return 0;
}
