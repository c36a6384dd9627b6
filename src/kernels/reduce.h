/* Reductions: many elements into one, in an order that never changes.
 *
 * A reduction is one descriptor: how much state a cell (one element of the result) has, how a piece of input is folded into
 * it, how two states combine, how a state becomes a value. State is kept in planes (one 8-byte number per cell and plane), so that the loops
 * run along memory. Elements that are missing (NaN, when skipped) are counted in a plane of their own that is touched only when there are any. Kinds that are told more
 * (red_spec.h: histograms) may have any number of bytes for a cell, fold several values at once, and finish a cell as several elements.
 *
 * Same bits whatever the machine: floats are accumulated in f64; a horizontal fold (many elements into one cell) adds in VV_LANES
 * (short rows: VV_FEW_LANES) interleaved lanes combined by a fixed tree, whatever the vector width; nothing is contracted to fused multiply-add. The caller fixes the
 * rest: which pieces make a leaf and the tree over leaves. combine(left, right) has left earlier.
 *
 *     state = init; fold pieces of one leaf in order; vv_red_count(n elements seen by every cell); combine leaves; finish.
 */
#ifndef VV_KERNELS_REDUCE_H
#define VV_KERNELS_REDUCE_H

#include "kernels/codec/decode.h"
#include "kernels/red_spec.h"

enum { VV_LANES = 128, VV_FEW_LANES = 16 };

typedef struct vv_reduction vv_reduction;

/* A reduction applied to one working type with its options. Plain data. */
typedef struct vv_red {
    const vv_reduction *kind;
    vv_dtype in;             /* working type of the elements */
    bool skip;               /* skip NaN (floats) */
    double ddof;             /* var and std divide by count - ddof */
    int width;               /* bytes that count the missing elements of a cell: vv_count_width(); 0: 4 */
    const vv_red_spec *spec; /* what the kind is told besides; NULL for most */
    double least;            /* runs count from this length on; 0 is 1 */
} vv_red;
/* The least width, 1, 2, 4 or 8, that counts so many. */
int vv_count_width(int64_t elements);

/* State of `cells` cells in one block of memory:
 * head | planes x cells x 8 bytes | missing x cells x 1, 2, 4 or 8 bytes. The missing plane is valid only when
 * head.has_missing, and has no room where the reduction never counts (planes alone tell what it needs). */
typedef struct vv_red_head {
    int64_t count;       /* elements every cell has seen, missing ones included */
    int64_t has_missing; /* the missing plane is in use */
    int64_t cells;
    int64_t width;             /* bytes of a cell in the missing plane */
    int64_t place, place_step; /* vv_red_at() */
    int64_t failed, detail;    /* what went wrong, by the kind's own numbers: nothing is folded any more */
} vv_red_head;

/* One piece of floats (integers have become f64). masked: some are NaN and are to be left out. Vertical: cells at, at + 1 ..; horizontal: cell `at`. */
typedef void vv_fold_piece(vv_dtype in, bool masked, void *const planes[], vv_index at, vv_index n, const void *x);

/* Rows of stored elements in a block of `total`: the first one's first element, and how far rows are apart. */
typedef struct vv_stored_rows {
    const void *block;
    vv_index total, first, step, rows;
    bool valid; /* somebody has looked: nothing is missing, nor NaN */
} vv_stored_rows;
enum { VV_FOLD_ROWS = 4 };

struct vv_reduction {
    const char *name;        /* "mean" */
    const char *also;        /* another name that finds it; or NULL */
    const char *help;        /* "arithmetic mean" */
    const char *cell_method; /* CF's word for it: "mean", "maximum", "standard_deviation"; NULL when CF has none */
    bool uses_ddof;
    bool places;   /* its result is a place: vv_red_at() is called before each fold, and there is none of no elements */
    bool in_order; /* its elements follow each other along one dimension */
    bool complex_too;    /* of complex numbers, too; array/complex.c makes most others of their parts */
    bool counts_missing; /* its result depends on how many elements were missing */
    vv_red_told told;    /* what vv_red.spec has to tell; most kinds need no spec */
    /* 8-byte planes per cell; 0: not defined for this type. With a spec: NULL, a cell has spec->state bytes. */
    int (*planes)(vv_dtype in);
    vv_dtype (*result)(
        vv_dtype
            stored); /* element type of the result for a stored (or computed) type: mean of i16 is f64, of f32 f32 */
    void (*init)(const vv_red *r, vv_index cells, void *const planes[]);
    /* x[i] goes to cell first + i */
    void (*vertical)(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index first,
                     vv_index n, const void *x);
    /* Optional, both: vertical() where no element is NaN, whatever vv_red.skip says (masked: false); and where values are what stored integers x decode to,
     * none of them missing: x * scale + offset in `in`. What has them saves passes over its elements: vv_red_stored(). */
    vv_fold_piece *valid;
    void (*packed)(vv_dtype in, const vv_decode *d, void *const planes[], vv_index first, vv_index n, const void *x);
    /* Optional besides: up to VV_FOLD_ROWS rows of a block at once, as it is stored. How many cells, from the first one on, have got all their elements; the others, from
     * a missing value or NaN on, have got none. */
    vv_index (*rows)(const vv_red *r, const vv_decode *d, void *const planes[], vv_index first, vv_index n,
                     const vv_stored_rows *from);
    /* Instead of both, for kinds with a spec: x[k][i] of all its values go to cell first + i * step, where step is 0 or 1. */
    void (*fold)(const vv_red *r, vv_red_head *head, void *states, vv_index first, vv_index step, vv_index n,
                 const void *const x[]);
    /* What head->failed means, as an error of the calling thread; NULL: it never fails. */
    vv_status (*failure)(const vv_red *r, const vv_red_head *head);
    /* all of x[0 .. n) go to one cell */
    void (*horizontal)(const vv_red *r, vv_red_head *head, void *const planes[], void *missing, vv_index cell,
                       vv_index n, const void *x);
    /* left = left then right; both heads are given for their counts and missing planes (combined by the caller afterwards) */
    void (*combine)(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing);
    /* values in the working type vv_red_out(r): f64 for floats, c128 for complex numbers */
    void (*finish)(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out);
};

/* Every reduction there is; a new one is a file in kernels/reductions/ and a line in kernels/reductions/list.h. */
extern const vv_reduction *const vv_reductions[];
extern const int vv_n_reductions;
const vv_reduction *vv_reduction_find(const char *name);
/* Those that are in no list that users see; vv_reduction_any() finds them too, for plans. Sums of products, for matrix products: state like any other, folded
 * into by vv_gemm() instead of vertical and horizontal, which it does not have; and kinds that need a spec. */
extern const vv_reduction vv_reduction_dot, vv_reduction_histogram, vv_reduction_bincount, vv_reduction_distinct,
    vv_reduction_own, vv_reduction_pairs;
const vv_reduction *vv_reduction_any(const char *name);
/* Whether a kind is defined for this working type, and has the spec that it needs. */
bool vv_red_defined(const vv_red *r);

/* 8-byte planes per cell for a working type; 0: it is not defined. */
int vv_reduction_planes(const vv_reduction *r, vv_dtype in);
vv_bytes vv_red_cell_bytes(const vv_red *r); /* of state, without what counts missing elements */
vv_index vv_red_length(const vv_red *r);     /* elements that a cell finishes as */
vv_bytes vv_red_state_bytes(const vv_red *r, vv_index cells);
vv_dtype vv_red_out(const vv_red *r); /* working type that finish writes */
void vv_red_init(const vv_red *r, vv_index cells, void *state);
/* Where the elements given next stand among those of their cell, counted in row-major order: those of a vertical fold at `place`, those of
 * a horizontal one at place, place + step, ... For reductions that say that they use places. */
void vv_red_at(void *state, vv_index place, vv_index step);
void vv_red_vertical(const vv_red *r, void *state, vv_index first, vv_index n, const void *x);
/* The same bits from stored elements [at, at + n) of a block, n <= VV_TILE, in fewer passes than decoding them first takes; of which decodings. */
bool vv_red_takes_stored(const vv_red *r, const vv_decode *d);
void vv_red_stored(const vv_red *r, void *state, vv_index first, vv_index n, const vv_decode *d, const void *block,
                   vv_index total, vv_index at);
/* The same of several rows, and of several reductions of the same elements: cells of a tile get their elements of one row after the other. */
typedef struct vv_red_into {
    const vv_red *red;
    void *state;
} vv_red_into;
void vv_red_stored_rows(const vv_red_into into[], int n_into, vv_index first, vv_index n, const vv_decode *d,
                        const vv_stored_rows *from);
void vv_red_horizontal(const vv_red *r, void *state, vv_index cell, vv_index n, const void *x);
/* Values of a kind with a spec. */
void vv_red_fold(const vv_red *r, void *state, vv_index first, vv_index step, vv_index n, const void *const x[]);
/* Whether all that went into a state could be folded: asked after folding, combining and finishing. */
VV_WARN_UNUSED vv_status vv_red_check(const vv_red *r, const void *state);
void vv_red_count(void *state, int64_t per_cell);
void vv_red_combine(const vv_red *r, void *left, const void *right);
/* Values of type vv_red_out(r), vv_red_length() for each cell. A cell without a valid value is NaN (count, any and all are 0, 0 and 1; sum and prod, as in NumPy, 0 and 1);
 * an integer's min, max and range of no element at all is 0. Every NaN leaves with the same bits. */
void vv_red_finish(const vv_red *r, const void *state, void *out);
/* Bytes worth sending: without the missing plane when it is not in use. A state is plain data and may be copied as such. */
vv_bytes vv_red_used_bytes(const vv_red *r, const void *state);

#endif
