/* Pictures of plans as files. */
#include "session/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static vv_status form_of(const char *path, bool tasks, vv_explain_form *out)
{
    const char *end = strrchr(path, '.');
    bool svg = end && !strcmp(end, ".svg"), dot = end && (!strcmp(end, ".dot") || !strcmp(end, ".gv"));
    *out = svg ? (tasks ? VV_EXPLAIN_TASKS_SVG : VV_EXPLAIN_SVG) : tasks ? VV_EXPLAIN_TASKS_DOT : VV_EXPLAIN_DOT;
    return svg || dot ? VV_OK : vv_fail(VV_ERR_USAGE, "'%s': a picture ends in .svg or .dot", path);
}

vv_status vv_write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "w");
    if (!f) return vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
    bool written = fwrite(data, 1, size, f) == size && fflush(f) == 0;
    vv_status status = written ? VV_OK : vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
    if (fclose(f) != 0 && status == VV_OK) status = vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
    if (status != VV_OK) (void)remove(path);
    return status;
}

vv_status vv_visualise(vv_array *const arrays[], int n, const char *path, bool tasks)
{
    vv_explain_options o = VV_EXPLAIN_OPTIONS_INIT;
    char *text;
    VV_TRY(form_of(path, tasks, &o.form));
    VV_TRY(vv_explain_all(arrays, n, &o, &text));
    vv_status status = vv_write_file(path, text, strlen(text));
    free(text);
    return status;
}
