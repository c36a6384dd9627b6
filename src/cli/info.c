/* `varve info`: what is in a file, for people.
 *
 *     t2m.nc: NetCDF-4, 1.33 GB
 *
 *     dimensions (* can grow)
 *       time*  2920
 *       lat     361
 *     coordinates
 *       time  f64  1990-01-01 00:00 .. 1991-12-31 18:00, step 6 hours  standard calendar
 *     variables
 *       t2m (time, lat)  f32  24 x 181  shuffle, deflate 4  1.33 GB  3.04 GB  2.3 x  K  2 metre temperature */
#include "cli/info.h"

#include "cli/format.h"
#include "cli/launcher.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 44, MOST_LINES = 3, LONGEST_LINE = 160 };

typedef struct view {
    vv_dataset *d;
    const bool *chosen;
    bool detailed;                         /* variables were chosen by name: their attributes are shown */
    const char *bold, *plain, *name, *dim; /* escape sequences; name and dim NULL where nothing is coloured */
} view;

/* --- words --- */

static void heading(const view *w, const char *text)
{
    printf("\n%s%s%s\n", w->bold, text, w->plain);
}

/* "t2m (time, lat, lon)", to be freed. */
static char *with_dims(const view *w, const vv_var_info *v)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    fputs(v->name, out);
    for (int i = 0; i < v->n_dims; i++) fprintf(out, "%s%s", i ? ", " : " (", vv_dataset_dim(w->d, v->dim[i]).name);
    if (v->n_dims > 0) fputc(')', out);
    return fclose(out) ? NULL : text;
}

/* "i16 as f64" where decoding changes the type. */
static void add_type(const vv_var_info *v, vv_cli_table *t)
{
    bool decoded = v->decoded != VV_NONE && v->decoded != v->type;
    vv_cli_table_cell(t, "%s%s%s", v->type_text, decoded ? " as " : "", decoded ? vv_dtype_name(v->decoded) : "");
}

static void add_chunks(const vv_var_info *v, vv_cli_table *t)
{
    char text[512] = "";
    size_t used = 0;
    for (int i = 0; v->chunked && i < v->n_dims && used < sizeof text - 32; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, i ? " x %lld" : "%lld", (long long)v->chunk[i]);
    vv_cli_table_cell(t, "%s", v->n_dims == 0 ? "" : v->chunked ? text : "contiguous");
}

static void add_filters(const vv_var_info *v, vv_cli_table *t)
{
    char deflate[32] = "", zstd[32] = "", text[96];
    if (v->deflate >= 0) snprintf(deflate, sizeof deflate, ", deflate %d", v->deflate);
    if (v->zstd) snprintf(zstd, sizeof zstd, ", zstd %d", v->zstd);
    snprintf(text, sizeof text, "%s%s%s%s", v->shuffle ? ", shuffle" : "", deflate, zstd,
             v->fletcher32 ? ", fletcher32" : "");
    const char *list = *text ? text + 2 : text;
    if (v->slow_path)
        vv_cli_table_cell(t, "%s%snot read raw: %s", list, *list ? "; " : "", v->slow_path);
    else
        vv_cli_table_cell(t, "%s", list);
}

static void add_sizes(const vv_var_info *v, vv_cli_table *t)
{
    char disk[32], memory[32];
    vv_cli_table_cell(t, "%s", vv_format_bytes(v->stored, disk));
    vv_cli_table_cell(t, "%s", v->memory > 0 ? vv_format_bytes(v->memory, memory) : "");
    if (v->memory > 0 && v->stored > 0 && v->memory != v->stored)
        vv_cli_table_cell(t, "%.1f x", (double)v->memory / (double)v->stored);
    else
        vv_cli_table_cell(t, "%s", "");
}

static const char *text_of(const view *w, int var, const char *attribute)
{
    const char *text = vv_dataset_attr_text(w->d, var, attribute);
    return text ? text : "";
}

static void add_meaning(const view *w, int var, vv_cli_table *t)
{
    const char *name = text_of(w, var, "long_name");
    if (!*name) name = text_of(w, var, "standard_name");
    int length = 0, characters = 0;
    for (; name[length] && name[length] != '\n'; length++) {
        characters += ((unsigned char)name[length] & 0xc0) != 0x80;
        if (characters > LONGEST_NAME) break;
    }
    vv_cli_table_cell(t, "%s", text_of(w, var, "units"));
    vv_cli_table_cell(t, "%.*s%s", length, name, name[length] ? "..." : "");
}

/* --- sections --- */

/* Of the file, or of the variables that were asked for. */
static bool shows_dimension(const view *w, int dim)
{
    for (int i = 0; w->detailed && i < vv_dataset_n_vars(w->d); i++) {
        vv_var_info v = vv_dataset_var(w->d, i);
        for (int k = 0; w->chosen[i] && k < v.n_dims; k++)
            if (v.dim[k] == dim) return true;
    }
    return !w->detailed;
}

/* Names stand out; `quiet` columns step back. */
static vv_cli_table tinted(const view *w, int quiet, bool headed)
{
    vv_cli_table t = {.tint = {w->name}, .head = headed ? w->dim : NULL};
    for (int c = quiet; quiet > 0 && c < VV_CLI_COLUMNS; c++) t.tint[c] = w->dim;
    return t;
}

static vv_status show_dimensions(const view *w)
{
    int n = vv_dataset_n_dims(w->d);
    bool grows = false;
    vv_cli_table t = tinted(w, 0, false);
    for (int i = 0; i < n; i++) {
        if (!shows_dimension(w, i)) continue;
        vv_dim_info dim = vv_dataset_dim(w->d, i);
        grows = grows || dim.unlimited;
        vv_cli_table_row(&t);
        vv_cli_table_cell(&t, "%s%s", dim.name, dim.unlimited ? "*" : "");
        vv_cli_table_cell(&t, "%lld", (long long)dim.length);
    }
    if (t.rows > 0) heading(w, grows ? "dimensions (* can grow)" : "dimensions");
    return vv_cli_table_print(&t, stdout, "lr");
}

/* ", step 6 hours", ", step 0.25"; the unit of time is the first word of "hours since ...". */
static void step_text(const view *w, int var, const vv_cli_range *r, char *out, size_t size)
{
    char step[VV_CLI_VALUE];
    const char *units = text_of(w, var, "units");
    int word = r->time ? (int)strcspn(units, " ") : 0;
    bool plural = word > 1 && units[word - 1] == 's';
    if (plural && r->step == 1) word--;
    snprintf(out, size, ", step %s%s%.*s", vv_cli_rounded(r->step, step), word ? " " : "", word, units);
}

static void add_range(const view *w, int var, const vv_cli_range *r, vv_cli_table *t)
{
    char first[VV_CLI_VALUE], last[VV_CLI_VALUE], step[128] = "";
    snprintf(first, sizeof first, "%s", r->first_text);
    snprintf(last, sizeof last, "%s", r->last_text);
    if (!r->time) {
        vv_cli_rounded(r->first, first);
        vv_cli_rounded(r->last, last);
    }
    bool one = vv_dataset_var(w->d, var).shape[0] == 1;
    if (r->regular) step_text(w, var, r, step, sizeof step);
    vv_cli_table_cell(t, "%s%s%s%s", r->known ? first : "", r->known && !one ? " .. " : "",
                      r->known && !one ? last : "", step);
}

static vv_status add_coordinate(const view *w, int var, vv_cli_table *t)
{
    vv_var_info v = vv_dataset_var(w->d, var);
    vv_cli_range range;
    vv_status status = vv_cli_range_read(w->d, var, &range);
    if (status != VV_OK) return status;
    vv_cli_table_row(t);
    vv_cli_table_cell(t, "%s", v.name);
    add_type(&v, t);
    add_range(w, var, &range, t);
    const char *calendar = text_of(w, var, "calendar");
    if (range.time)
        vv_cli_table_cell(t, "%s calendar", *calendar ? calendar : "standard");
    else
        vv_cli_table_cell(t, "%s", text_of(w, var, "units"));
    return VV_OK;
}

static vv_status show_coordinates(const view *w)
{
    vv_cli_table t = tinted(w, 3, false);
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < vv_dataset_n_vars(w->d); i++)
        if (w->chosen[i] && vv_dataset_var(w->d, i).role == VV_ROLE_COORDINATE) status = add_coordinate(w, i, &t);
    if (status != VV_OK) {
        vv_cli_table_free(&t);
        return status;
    }
    if (t.rows > 0) heading(w, "coordinates");
    return vv_cli_table_print(&t, stdout, "llll");
}

static void add_variable(const view *w, int var, vv_cli_table *t)
{
    vv_var_info v = vv_dataset_var(w->d, var);
    char *name = with_dims(w, &v);
    vv_cli_table_row(t);
    vv_cli_table_cell(t, "%s", name ? name : v.name);
    free(name);
    add_type(&v, t);
    add_chunks(&v, t);
    add_filters(&v, t);
    add_sizes(&v, t);
    add_meaning(w, var, t);
}

static vv_status show_variables(const view *w)
{
    static const char *const column[] = {"", "type", "chunks", "filters", "on disk", "in memory"};
    vv_cli_table t = tinted(w, 0, true);
    vv_cli_table_row(&t);
    for (size_t c = 0; c < sizeof column / sizeof *column; c++) vv_cli_table_cell(&t, "%s", column[c]);
    for (int i = 0; i < vv_dataset_n_vars(w->d); i++)
        if (w->chosen[i] && vv_dataset_var(w->d, i).role == VV_ROLE_DATA) add_variable(w, i, &t);
    if (t.rows == 1) {
        vv_cli_table_free(&t);
        return VV_OK;
    }
    heading(w, "variables");
    return vv_cli_table_print(&t, stdout, "llllrrrll");
}

static vv_status show_others(const view *w)
{
    vv_cli_table t = tinted(w, 2, false);
    for (int i = 0; i < vv_dataset_n_vars(w->d); i++) {
        vv_var_info v = vv_dataset_var(w->d, i);
        if (!w->chosen[i] || v.role == VV_ROLE_DATA || v.role == VV_ROLE_COORDINATE) continue;
        char *name = with_dims(w, &v);
        vv_cli_table_row(&t);
        vv_cli_table_cell(&t, "%s", name ? name : v.name);
        free(name);
        add_type(&v, &t);
        vv_cli_table_cell(&t, "%s", vv_cli_role_name(v.role));
        add_meaning(w, i, &t);
    }
    if (t.rows > 0) heading(w, "supporting variables");
    return vv_cli_table_print(&t, stdout, "lllll");
}

/* --- attributes --- */

/* Control characters of a file's text do not reach the terminal. */
static void print_harmless(const char *text, int length)
{
    for (int i = 0; i < length; i++) {
        bool control = ((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f;
        putchar(control ? '?' : text[i]);
    }
}

/* The first lines of a text, each cut where it gets long, all but the first indented. */
static void print_text(const char *text, int indent)
{
    int lines = 0, more = 0;
    for (const char *at = text; *at;) {
        int length = (int)strcspn(at, "\n"), shown = length < LONGEST_LINE ? length : LONGEST_LINE;
        while (shown < length && ((unsigned char)at[shown] & 0xc0) == 0x80) shown++;
        if (lines++ < MOST_LINES) {
            printf("%*s", lines > 1 ? indent : 0, "");
            print_harmless(at, shown);
            puts(shown < length ? "..." : "");
        } else {
            more++;
        }
        at += length + (at[length] == '\n');
    }
    if (lines == 0) fputc('\n', stdout);
    if (more > 0) printf("%*s... %d more line%s\n", indent, "", more, more == 1 ? "" : "s");
}

static void print_numbers(const vv_attr_info *a)
{
    enum { MOST = 12 };
    char text[VV_CLI_VALUE];
    for (vv_index i = 0; i < a->count && i < MOST; i++)
        printf("%s%s", i ? ", " : "", vv_cli_value(a->type, a->data, i, text));
    if (a->count > MOST) printf(", ... %lld more", (long long)a->count - MOST);
    printf("  (%s)\n", vv_dtype_name(a->type));
}

static void show_attributes(const view *w, int var, const char *title)
{
    int n = vv_dataset_n_attrs(w->d, var), width = 0;
    if (n > 0) heading(w, title);
    for (int i = 0; i < n; i++) {
        int length = (int)strlen(vv_dataset_attr(w->d, var, i).name);
        if (length > width && length <= 24) width = length;
    }
    for (int i = 0; i < n; i++) {
        vv_attr_info a = vv_dataset_attr(w->d, var, i);
        printf("  %s%-*s%s  ", w->name ? w->name : "", width, a.name, w->plain);
        if (a.type == VV_NONE)
            print_text(a.data ? a.data : "", width + 4);
        else
            print_numbers(&a);
    }
}

static void show_chosen_attributes(const view *w)
{
    for (int i = 0; i < vv_dataset_n_vars(w->d); i++) {
        char title[300];
        snprintf(title, sizeof title, "attributes of %s", vv_dataset_var(w->d, i).name);
        if (w->chosen[i]) show_attributes(w, i, title);
    }
}

/* --- the command --- */

static vv_status show(const view *w)
{
    char size[32];
    char files[32] = "";
    vv_bytes bytes = vv_cli_file_bytes(w->d);
    if (vv_dataset_n_files(w->d) > 1) snprintf(files, sizeof files, "%d files, ", vv_dataset_n_files(w->d));
    printf("%s%s%s: %s%s%s%s\n", w->bold, vv_dataset_path(w->d), w->plain, files, vv_dataset_format(w->d),
           bytes < 0 ? "" : ", ", bytes < 0 ? "" : vv_format_bytes(bytes, size));
    vv_status status = show_dimensions(w);
    if (status == VV_OK) status = show_coordinates(w);
    if (status == VV_OK) status = show_variables(w);
    if (status == VV_OK) status = show_others(w);
    if (status != VV_OK) return status;
    if (w->detailed)
        show_chosen_attributes(w);
    else
        show_attributes(w, -1, "attributes");
    return VV_OK;
}

static bool colour(void)
{
    const char *no = getenv("NO_COLOR");
    return vv_cli_on_terminal() && !(no && *no);
}

static vv_status choose(const vv_dataset *d, const vv_cli_words *names, bool *chosen)
{
    for (int i = 0; i < vv_dataset_n_vars(d); i++) chosen[i] = names->n == 0;
    for (int i = 0; i < names->n; i++) {
        int var = vv_dataset_find_var(d, names->item[i]);
        if (var < 0) return VV_ERR_NOT_FOUND;
        chosen[var] = true;
    }
    return VV_OK;
}

static vv_status show_dataset(vv_dataset *d, const vv_cli_words *variables, bool json)
{
    vv_status status = vv_dataset_status(d);
    if (status != VV_OK) return status;
    bool *chosen = calloc((size_t)vv_dataset_n_vars(d) + 1, sizeof *chosen), bright = colour();
    if (!chosen) return vv_error(VV_ERR_NOMEM, "no memory for the list of variables");
    view w = {d,
              chosen,
              variables->n > 0,
              bright ? "\033[1m" : "",
              bright ? "\033[0m" : "",
              bright ? "\033[36m" : NULL,
              bright ? "\033[2m" : NULL};
    status = choose(d, variables, chosen);
    if (status == VV_OK) status = json ? vv_cli_info_json(d, chosen, stdout) : show(&w);
    free(chosen);
    return status;
}

static vv_status show_all(vv_session *s, const vv_cli_request *r, const vv_cli_inputs *inputs)
{
    bool list = r->json && inputs->words.n > 1;
    vv_status status = VV_OK;
    for (int i = 0, word = -1; status == VV_OK && i < inputs->n; i++) {
        const vv_cli_input *in = &inputs->item[i];
        if (in->word == word) continue;
        word = in->word;
        if (list)
            fputs(word ? ",\n" : "[", stdout);
        else if (word)
            fputs("\n\n", stdout);
        status = show_dataset(vv_dataset_open(s, inputs->words.item[word]), &in->variables, r->json);
    }
    if (r->json && status == VV_OK) fputs(list ? "]\n" : "\n", stdout);
    return status;
}

static vv_status show_joined(vv_session *s, const vv_cli_request *r, const vv_cli_inputs *inputs)
{
    vv_dataset *d;
    vv_cli_words variables;
    vv_status status = vv_cli_inputs_open(s, r, inputs, &d, &variables);
    if (status == VV_OK) status = show_dataset(d, &variables, r->json);
    if (r->json && status == VV_OK) fputs("\n", stdout);
    vv_cli_words_free(&variables);
    return status;
}

vv_status vv_cli_info(vv_session *s, const vv_cli_request *r)
{
    vv_cli_inputs inputs;
    vv_status status = vv_cli_inputs_find(r, &inputs);
    if (status == VV_OK) status = r->concat ? show_joined(s, r, &inputs) : show_all(s, r, &inputs);
    vv_cli_inputs_free(&inputs);
    return status;
}
