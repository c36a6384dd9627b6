/* Values of a plan into bytes, and out of them: one walk serves both directions, so that they cannot differ. */
#ifndef VV_PLAN_PACK_ARCHIVE_H
#define VV_PLAN_PACK_ARCHIVE_H

#include "plan/plan.h"

typedef struct vv_archive {
    vv_buf *put;     /* writing when set */
    vv_reader *take; /* reading when set */
    vv_status status;
} vv_archive;

void vv_archive_number(vv_archive *a, int64_t *v);

/* Any integer, bool or enum: the assignment converts back. */
#define VV_ARCHIVE(a, field)                                                                                           \
    do {                                                                                                               \
        int64_t number_ = (int64_t)(field);                                                                            \
        vv_archive_number((a), &number_);                                                                              \
        if ((a)->take) (field) = number_;                                                                              \
    } while (0)

void vv_archive_real(vv_archive *a, double *v);
void vv_archive_bytes(vv_archive *a, void *data, size_t size);
void vv_archive_string(vv_archive *a, char **text); /* may be NULL */
void vv_archive_dims(vv_archive *a, int *nd);       /* not more than there can be */
void vv_archive_grid(vv_archive *a, vv_grid *g);
void vv_archive_shape(vv_archive *a, vv_shape *s);
void vv_archive_box(vv_archive *a, vv_box *b);

/* A count of things of `size` bytes each, which must still be there to read. */
int64_t vv_archive_counted(vv_archive *a, int64_t n, int64_t size);

/* A table that may be NULL. Its length is that of a dimension, not bounded by the bytes that hold it. */
void vv_archive_table(vv_archive *a, vv_table **t);

/* A function by its place in its module; it is looked for when all has been read. */
void vv_archive_symbol(vv_archive *a, vv_symbol *s);

void vv_archive_step(vv_archive *a, vv_step *s); /* pack_step.c */

#endif
