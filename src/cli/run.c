/* run: a function of the user's from a shared object (varve/kernel.h), over the chunks of variables or over files. */
#include "cli/choose.h"
#include "cli/inputs.h"
#include "cli/results.h"
#include "varve/apply.h"
#include "varve/futures.h"
#include "varve/kernel.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct mapping {
    vv_cli_results results;
    const vv_cli_request *r;
    const vv_kernel *kernel;
    vv_cli_words variables;
} mapping;

/* --- finding the kernel --- */

/* "mine.so:smooth5" as a path that every rank can open, and a name. */
static vv_status split(const char *word, char **path, const char **name)
{
    const char *colon = strrchr(word, ':');
    *path = NULL;
    if (!colon || colon == word || !colon[1])
        return vv_error(VV_ERR_USAGE, "run wants LIBRARY.so:NAME first, not '%s'", word);
    char *library = strndup(word, (size_t)(colon - word));
    if (!library) return vv_error(VV_ERR_NOMEM, "no memory for a name");
    *path = realpath(library, NULL);
    *name = colon + 1;
    free(library);
    return *path ? VV_OK : vv_error(VV_ERR_NOT_FOUND, "there is no library '%.*s'", (int)(colon - word), word);
}

static vv_status check_kernel(const vv_kernel *k, const char *word)
{
    if (!k) return vv_error(VV_ERR_NOT_FOUND, "'%s': the library has nothing of that name", word);
    if (k->size != sizeof *k)
        return vv_error(VV_ERR_USAGE, "'%s' is no VV_KERNEL of this version: its size is %zu, not %zu", word, k->size,
                        sizeof *k);
    if (!k->chunk == !k->file)
        return vv_error(VV_ERR_USAGE, "'%s' has to have one function: of chunks or of files", word);
    if (k->depth && (k->dims || k->results))
        return vv_error(VV_ERR_USAGE, "'%s' has a depth, so that its result has the dimensions of its input", word);
    if (k->dtype && vv_dtype_parse(k->dtype) == VV_NONE)
        return vv_error(VV_ERR_USAGE, "'%s': there is no element type '%s'", word, k->dtype);
    return VV_OK;
}

/* The library stays open: ranks call functions of it until the end. */
static vv_status find_kernel(const char *word, const vv_kernel **out)
{
    char *path;
    const char *name = NULL;
    vv_status status = split(word, &path, &name);
    void *library = status == VV_OK ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    free(path);
    if (status != VV_OK) return status;
    if (!library) return vv_error(VV_ERR_NOT_FOUND, "cannot load the library of '%s': %s", word, dlerror());
    *out = dlsym(library, name);
    return check_kernel(*out, word);
}

/* --- over chunks --- */

static vv_status do_variable(void *context, const vv_var_info *v)
{
    mapping *m = context;
    const vv_kernel *k = m->kernel;
    const char *args = m->r->args ? m->r->args : "";
    vv_array *a = vv_dataset_array(m->results.source, v->name);
    vv_apply_options o = VV_APPLY_OPTIONS_INIT;
    vv_status status = vv_array_status(a);
    if (status != VV_OK) return status;
    o.name = v->name;
    o.dtype = k->dtype ? vv_dtype_parse(k->dtype) : VV_NONE;
    o.chunks = k->chunks;
    o.data = args;
    o.data_size = (vv_bytes)strlen(args) + 1;
    if (k->depth)
        return vv_cli_results_add(&m->results, v->name,
                                  vv_map_overlap(m->results.session, k->chunk, &a, 1, k->depth, k->boundary, &o));
    o.dims = k->dims;
    o.results = k->results;
    return vv_cli_results_add(&m->results, v->name, vv_map_blocks(m->results.session, k->chunk, &a, 1, &o));
}

static vv_status run_chunks(vv_session *s, const vv_cli_request *r, const vv_kernel *k, const vv_cli_inputs *inputs)
{
    mapping m = {.r = r, .kernel = k};
    vv_cli_words none = {0};
    m.results.session = s;
    m.results.request = r;
    vv_status status = vv_cli_inputs_open(s, r, inputs, &m.results.source, &m.variables);
    if (status == VV_OK) status = vv_cli_choose(m.results.source, &m.variables, &none, do_variable, &m);
    if (status == VV_OK) status = vv_cli_results_deliver(&m.results);
    vv_cli_results_free(&m.results);
    vv_cli_words_free(&m.variables);
    return status;
}

/* --- over files --- */

static vv_status print_result(vv_session *s, const char *path, vv_future f)
{
    int64_t i;
    double x;
    char *data;
    vv_bytes size;
    vv_status status = vv_gather_i64(s, f, &i);
    if (status == VV_OK) return printf("%s: %lld\n", path, (long long)i) < 0 ? VV_ERR_WRITE : VV_OK;
    if (status == VV_ERR_TYPE && vv_gather_f64(s, f, &x) == VV_OK)
        return printf("%s: %.15g\n", path, x) < 0 ? VV_ERR_WRITE : VV_OK;
    status = vv_gather_new(s, f, (void **)&data, &size);
    if (status != VV_OK) return vv_error(status, "%s: %s", path, vv_last_error());
    bool text = size > 0 && data[size - 1] == 0;
    if (text)
        printf("%s: %s\n", path, data);
    else
        printf("%s: %lld bytes\n", path, (long long)size);
    free(data);
    return VV_OK;
}

/* Files are looked at in any order and printed in theirs; one that fails ends the command, when all before it are printed. */
static vv_status run_files(vv_session *s, const vv_cli_request *r, const vv_kernel *k, const vv_cli_inputs *inputs)
{
    if (r->output) return vv_error(VV_ERR_USAGE, "what a function of files returns is printed: there is no -o");
    vv_future *f = calloc((size_t)inputs->n, sizeof *f);
    vv_status status = f ? VV_OK : vv_error(VV_ERR_NOMEM, "no memory for %d files", inputs->n);
    for (int i = 0; i < inputs->n && status == VV_OK; i++)
        status = vv_submit(s, k->file, VV_ARGS(vv_string(inputs->item[i].path), vv_string(r->args ? r->args : "")),
                           NULL, &f[i]);
    for (int i = 0; i < inputs->n && status == VV_OK; i++) status = print_result(s, inputs->item[i].path, f[i]);
    free(f);
    return status;
}

vv_status vv_cli_run(vv_session *s, const vv_cli_request *r)
{
    const vv_kernel *k = NULL;
    vv_cli_inputs inputs;
    if (r->inputs.n < 2) return vv_error(VV_ERR_USAGE, "run wants LIBRARY.so:NAME and a file");
    vv_status status = find_kernel(r->inputs.item[0], &k);
    if (status != VV_OK) return status;
    status = vv_cli_inputs_behind(r, 1, &inputs);
    if (status == VV_OK) status = k->chunk ? run_chunks(s, r, k, &inputs) : run_files(s, r, k, &inputs);
    vv_cli_inputs_free(&inputs);
    return status;
}
