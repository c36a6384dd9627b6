/* What a statistic is of, besides a variable: weights, a mask, groups by another variable. */
#ifndef VV_CLI_AREA_H
#define VV_CLI_AREA_H

#include "cli/options.h"
#include "varve/dataset.h"

typedef struct vv_cli_area {
    const vv_cli_request *request;
    vv_session *session;
    vv_dataset *source;
    bool cells;                    /* weights are the areas of cells */
    vv_array *weights, *mask, *by; /* NULL: none */
    vv_cli_words dims;             /* of these: what a variable must have */
    vv_cli_words own;              /* variables of the source that are one of these */
} vv_cli_area;

/* --weights, --mask and --by of the request. Where there are none, what follows does nothing. To be freed. */
VV_WARN_UNUSED vv_status vv_cli_area_open(vv_session *s, const vv_cli_request *r, vv_dataset *source, vv_cli_area *x);
void vv_cli_area_free(vv_cli_area *x);

/* Missing where the mask says so. */
vv_array *vv_cli_area_masked(const vv_cli_area *x, vv_array *a);
/* Over dims ("lat,lon"; NULL: all, or those of the groups), weighted if that was asked for. of: the variable as it is in the file. */
vv_array *vv_cli_area_reduced(const vv_cli_area *x, vv_array *a, vv_array *of, const char *how, const char *dims,
                              const vv_reduce_options *o);

/* The same for quantiles; one of them without a dimension of its own. */
vv_array *vv_cli_area_quantiles(const vv_cli_area *x, vv_array *a, vv_array *of, const double q[], int n,
                                const char *dims, const vv_quantile_options *o);

/* The weights for such a reduction; NULL without any. */
VV_WARN_UNUSED vv_status vv_cli_area_weights(const vv_cli_area *x, vv_array *a, vv_array *of, const char *dims,
                                             vv_array **out);

/* "[FILE:]EXPRESSION" with the variables of that file, else of `source`. */
vv_array *vv_cli_expression(vv_session *s, vv_dataset *source, const char *text);

#endif
