/* Which variables a command works on: those that were asked for, else all data that has the dimensions. */
#ifndef VV_CLI_CHOOSE_H
#define VV_CLI_CHOOSE_H

#include "cli/words.h"
#include "varve/dataset.h"

typedef vv_status vv_cli_work(void *context, const vv_var_info *v);

/* Does the work for each of `variables`, which must have numbers and all of the dimensions; none: for all data that is so, of which there must be some. Without
 * dimensions, for data that has any. */
VV_WARN_UNUSED vv_status vv_cli_choose(vv_dataset *d, const vv_cli_words *variables, const vv_cli_words *dims,
                                       vv_cli_work *work, void *context);
/* The same without variables of these names, unless they were asked for. */
VV_WARN_UNUSED vv_status vv_cli_choose_but(vv_dataset *d, const vv_cli_words *variables, const vv_cli_words *dims,
                                           const vv_cli_words *but, vv_cli_work *work, void *context);
/* Dimensions that the dataset does not have are an error. */
VV_WARN_UNUSED vv_status vv_cli_check_dims(const vv_dataset *d, const vv_cli_words *dims);
/* The one dimension (of these, where there are any) whose coordinate is a time; an error when there is none, or are several. */
VV_WARN_UNUSED vv_status vv_cli_time_dim(const vv_dataset *d, const vv_cli_words *among, const char **out);

#endif
