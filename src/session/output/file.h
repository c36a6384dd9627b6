/* An output as its makers see it: items, and the metadata of the file that they become. */
#ifndef VV_SESSION_OUTPUT_FILE_H
#define VV_SESSION_OUTPUT_FILE_H

#include "session/output/encoding.h"
#include "session/session.h"

/* One variable of an output: an array to compute, a stored variable that is carried over as it is, or a coordinate whose values are
 * known: of a dimension that was moved, or of groups. */
typedef enum vv_made_as {
    VV_MADE_DIMENSION, /* values along the dimension that is called like the item */
    VV_MADE_CELL,      /* one value: of a dimension that was reduced away, or kept with length 1 */
    VV_MADE_BOUNDS     /* the two bounds of such a cell, or of every position of a dimension */
} vv_made_as;

typedef struct vv_item {
    char *name;
    vv_array *array; /* to compute */
    vv_dataset *carried;
    int var;       /* of `carried` */
    vv_coord made; /* value is NULL when it is none */
    vv_made_as made_as;
    const char *cell_dim, *bounds,
        *bounds_dim; /* made as a cell or its bounds; cell_dim: NULL where the dimension is gone. Borrowed */
    int target;      /* of the plan; -1 when nothing is computed */
    bool copied;     /* stored elements of a variable that nobody asked for: they are what they are */
    bool packed;     /* with the scale and offset that follow */
    double scale, offset;
    vv_index chunk[VV_MAX_DIMS]; /* that somebody asked for; chunk[0] is 0 when nobody did */
    vv_bytes bytes;              /* as stored */
    bool gathered;               /* written by the coordinator from `values` */
    bool strings;                /* `values` are numbers of strings (array/text.h) */
    void *values;
    int base; /* appending: its variable in the file */
    bool raw; /* appending: elements are the file's own, not values */
    struct vv_time_change
        *times; /* appending: values are times in other units than the file's, gathered as f64; NULL: they are not */
} vv_item;

typedef struct vv_append vv_append;

struct vv_output {
    vv_session *session;
    vv_save_options options;
    vv_encoding encoding;
    char *path, *temporary, *history;
    char *given; /* path as it was given */
    int n_items;
    vv_item *item;
    vv_append *append;   /* the file that is there and gets longer (append.h); NULL: a new one is made */
    vv_dataset *globals; /* global attributes come from here; may be NULL */
};

/* journal.c: the plan keeps a journal, if that was asked for, and goes on from the one that is there. Before any file is made. */
VV_WARN_UNUSED vv_status vv_journal_prepare(vv_output *o, vv_plan *plan);
/* verify.c: a vv_journal_check by all ranks of a session. */
VV_WARN_UNUSED vv_status vv_verify_records(void *session, const char *directory, vv_index n,
                                           const vv_saved *const record[], bool whole[]);
/* The output is complete. */
void vv_journal_finish(const vv_output *o);

/* The type that a computed item is stored as. */
vv_dtype vv_item_type(const vv_output *o, const vv_item *item);

VV_WARN_UNUSED vv_status vv_output_add_item(vv_output *o, const char *name, vv_array *a, vv_dataset *carried, int var);
void vv_item_free(vv_item *i); /* what is in it */
bool vv_output_has(const vv_output *o, const char *name);

/* Whether a computed variable has a dimension that can grow. */
bool vv_outfile_can_grow(const vv_output *o);
/* Whether a variable must be stored in chunks: it is compressed, or has an unlimited dimension. */
bool vv_item_needs_chunks(const vv_output *o, const vv_item *item);
/* Whether it keeps those that it has in its file, or was given, however small it is. */
bool vv_item_keeps_chunks(const vv_output *o, const vv_item *item);
/* Its filters: those that were asked for, else those of the input that it is stored like, else none. */
void vv_item_filters(const vv_output *o, const vv_item *item, vv_variable *v);

/* Dimensions, variables (numbered like the items) and attributes of the file; layouts are not decided yet. */
VV_WARN_UNUSED vv_status vv_outfile_meta(const vv_output *o, vv_meta **out);

/* Coordinates, their bounds and grid mappings that belong to an array. What does not fit it any more is left out. */
VV_WARN_UNUSED vv_status vv_outfile_carry_coordinates(vv_output *o, const vv_array *a);
/* Of these, only coordinates that no file has: no one else will add them. */
VV_WARN_UNUSED vv_status vv_outfile_make_coordinates(vv_output *o, const vv_array *a);
/* Of a time that was reduced away, its cell: a scalar coordinate (with a kept dimension, a coordinate of length 1) and its bounds. To be
 * called when all coordinates are there. */
VV_WARN_UNUSED vv_status vv_outfile_make_cells(vv_output *o);
/* Writes a carried variable as it is, or a made coordinate: variable number `var` of the file, which is `v`. */
VV_WARN_UNUSED vv_status vv_outfile_put_carried(const vv_output *o, const vv_item *item, const vv_variable *v,
                                                vv_writer *w, int var);
VV_WARN_UNUSED vv_status vv_outfile_put_made(const vv_output *o, const vv_item *item, const vv_variable *v,
                                             vv_writer *w, int var);
/* Writes strings by their numbers. */
VV_WARN_UNUSED vv_status vv_outfile_put_strings(const vv_output *o, const int64_t number[], vv_index n, vv_writer *w,
                                                int var);
/* A name for the dimension of the two bounds of `dim`: the usual one, if it can have length 2. NULL: there is none. Borrowed. */
const char *vv_outfile_bounds_dim(const vv_output *o, const char *usual, const char *dim);

#endif
