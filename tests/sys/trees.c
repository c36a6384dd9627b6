/* Runs a script of array functions, for test_trees.py, which knows what NumPy makes of the same:
 *
 *     open NAME PATH VARIABLE               a variable of a file
 *     number NAME VALUE                     a scalar
 *     complex NAME RE IM                    a complex one
 *     call NAME FUNCTION A,B - ARGUMENTS    vv_call(FUNCTION) of earlier names ("-": of none)
 *     out NAME                              computed: "NAME dtype dim:n,dim:n HEX", or "NAME inert MESSAGE"
 *     end                                   forget everything
 *     threads N                             of each rank from now on
 *     list                                  the registry: "FAMILY NAME OPERANDS ARGUMENTS" */
#include <varve/varve.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256 };

typedef struct named {
    char name[32];
    vv_array *array;
} named;

typedef struct names {
    int n;
    named at[MOST];
} names;

static vv_array *find(const names *all, const char *name)
{
    for (int i = all->n - 1; i >= 0; i--)
        if (!strcmp(all->at[i].name, name)) return all->at[i].array;
    fprintf(stderr, "no array '%s'\n", name);
    exit(2);
}

static void add(names *all, const char *name, vv_array *a)
{
    if (all->n == MOST) exit(2);
    snprintf(all->at[all->n].name, sizeof all->at[0].name, "%s", name);
    all->at[all->n++].array = a;
}

static vv_array *call(vv_session *s, const names *all, const char *function, char *operands, const char *arguments)
{
    vv_array *in[MOST];
    char *rest = NULL;
    int n = 0;
    if (strcmp(operands, "-") != 0)
        for (char *o = strtok_r(operands, ",", &rest); o; o = strtok_r(NULL, ",", &rest)) in[n++] = find(all, o);
    return vv_call(s, function, in, n, arguments);
}

static void out(const char *name, vv_array *a)
{
    vv_index n = 1;
    for (int d = 0; d < vv_array_n_dims(a); d++) n *= vv_array_length(a, d);
    vv_bytes bytes = n * vv_dtype_size(vv_array_dtype(a));
    unsigned char *v = malloc((size_t)bytes + 1);
    if (vv_array_status(a) != VV_OK || vv_compute(a, v, bytes) != VV_OK) {
        printf("%s inert %s\n", name, vv_last_error());
    } else {
        printf("%s %s ", name, vv_dtype_name(vv_array_dtype(a)));
        for (int d = 0; d < vv_array_n_dims(a); d++)
            printf("%s%s:%lld", d ? "," : "", vv_array_dim(a, d), (long long)vv_array_length(a, d));
        printf(" ");
        for (vv_bytes i = 0; i < bytes; i++) printf("%02x", v[i]);
        printf("\n");
    }
    free(v);
}

static void list(void)
{
    vv_function_info f;
    for (int i = 0; vv_function_at(i, &f); i++) printf("%s %s %d %s\n", f.family, f.name, f.operands, f.arguments);
}

static void line(vv_session *s, names *all, char *text)
{
    char name[32] = "", first[512] = "", second[512] = "";
    int used = 0;
    text[strcspn(text, "\n")] = 0;
    if (sscanf(text, "open %31s %511s %511s", name, first, second) == 3) {
        add(all, name, vv_open(s, first, second));
    } else if (sscanf(text, "number %31s %511s", name, first) == 2) {
        add(all, name, vv_scalar(s, strtod(first, NULL)));
    } else if (sscanf(text, "complex %31s %511s %511s", name, first, second) == 3) {
        add(all, name, vv_complex_scalar(s, strtod(first, NULL), strtod(second, NULL)));
    } else if (sscanf(text, "call %31s %511s %511s - %n", name, first, second, &used) == 3 && used) {
        add(all, name, call(s, all, first, second, text + used));
    } else if (sscanf(text, "out %31s", name) == 1) {
        out(name, find(all, name));
    } else if (sscanf(text, "threads %d", &used) == 1) {
        if (vv_session_set_threads(s, used) != VV_OK) exit(2);
    } else if (!strcmp(text, "list")) {
        list();
    }
}

static int driver(vv_session *s, int argc, char **argv)
{
    static names all;
    size_t room = 0;
    char *text = NULL;
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!f) return vv_error(VV_ERR_USAGE, "trees SCRIPT");
    vv_index mark = vv_mark(s);
    while (getline(&text, &room, f) > 0) {
        line(s, &all, text);
        if (strcmp(text, "end") != 0) continue;
        vv_release_since(s, mark, NULL, 0);
        all.n = 0;
    }
    free(text);
    fclose(f);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
