#include "cli/points.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static vv_status add_point(vv_cli_points *p, double lon, double lat)
{
    if (p->n == p->room) {
        p->room = 2 * p->room + 64;
        double *more = realloc(p->at, 2 * (size_t)p->room * sizeof *more);
        if (!more) return vv_error(VV_ERR_NOMEM, "no memory for %lld points", (long long)p->room);
        p->at = more;
    }
    p->at[2 * p->n] = lon;
    p->at[2 * p->n + 1] = lat;
    p->n++;
    return VV_OK;
}

static const char *skip_gap(const char *text)
{
    text += strspn(text, " \t");
    if (*text == ',') text++;
    return text + strspn(text, " \t");
}

/* "10.5, 50 Oslo": *name is what is behind the numbers. */
static bool parse_point(const char *text, double *lon, double *lat, const char **name)
{
    char *end;
    *lon = strtod(text, &end);
    if (end == text) return false;
    const char *second = skip_gap(end);
    *lat = strtod(second, &end);
    if (end == second || second == text) return false;
    *name = skip_gap(end);
    return !**name || *name != end;
}

static vv_status take_line(vv_cli_points *p, char *line, const char *where)
{
    double lon, lat;
    const char *name;
    line[strcspn(line, "#\n\r")] = 0;
    line += strspn(line, " \t");
    for (size_t n = strlen(line); n > 0 && isspace((unsigned char)line[n - 1]); n--) line[n - 1] = 0;
    if (!*line) return VV_OK;
    if (!parse_point(line, &lon, &lat, &name))
        return vv_error(VV_ERR_USAGE, "%s: '%s' is no point: longitude,latitude such as 10.5,59.9", where, line);
    vv_status status = add_point(p, lon, lat);
    return status == VV_OK && *name ? vv_cli_words_add(&p->names, name, strlen(name)) : status;
}

static vv_status read_file(const char *path, vv_cli_points *p)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    if (!f) return vv_error(VV_ERR_NOT_FOUND, "points %s cannot be opened", path);
    vv_status status = VV_OK;
    while (status == VV_OK && getline(&line, &room, f) >= 0) status = take_line(p, line, path);
    if (status == VV_OK && ferror(f)) status = vv_error(VV_ERR_READ, "points %s cannot be read", path);
    free(line);
    fclose(f);
    return status;
}

static vv_status read_words(const char *text, vv_cli_points *p)
{
    vv_status status = VV_OK;
    for (const char *at = text; status == VV_OK && *at;) {
        size_t length = strcspn(at, ";");
        char *one = strndup(at, length);
        status = one ? take_line(p, one, "--points") : vv_error(VV_ERR_NOMEM, "no memory for a point");
        free(one);
        at += length + (at[length] == ';');
    }
    return status;
}

vv_status vv_cli_points_read(const char *text, vv_cli_points *p)
{
    *p = (vv_cli_points){.lat = -1, .lon = -1};
    vv_status status = !access(text, F_OK) ? read_file(text, p) : read_words(text, p);
    if (status != VV_OK) return status;
    if (p->n == 0) return vv_error(VV_ERR_USAGE, "--points %s: there is none", text);
    if (p->names.n > 0 && p->names.n != p->n)
        return vv_error(VV_ERR_USAGE, "--points %s: %d of %lld points have a name; all or none", text, p->names.n,
                        (long long)p->n);
    return VV_OK;
}

void vv_cli_points_free(vv_cli_points *p)
{
    free(p->at);
    vv_cli_words_free(&p->names);
    *p = (vv_cli_points){0};
}

/* --- the grid --- */

bool vv_cli_is_angle(const vv_dataset *d, int var, const char *standard)
{
    const char *units = vv_dataset_attr_text(d, var, "units"), *name = vv_dataset_attr_text(d, var, "standard_name");
    char direction = !strcmp(standard, "latitude") ? 'n' : 'e';
    if (name && !strcmp(name, standard)) return true;
    if (!units || strncmp(units, "degree", 6) != 0) return false;
    const char *tail = units + 6;
    tail += *tail == 's';
    tail += *tail == '_';
    return tolower((unsigned char)*tail) == direction;
}

/* Coordinates first, then the two-dimensional ones of curvilinear grids. */
static int find_angle(const vv_dataset *d, const char *standard)
{
    static const vv_role roles[] = {VV_ROLE_COORDINATE, VV_ROLE_AUXILIARY, VV_ROLE_DATA};
    for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
        for (int i = 0; i < vv_dataset_n_vars(d); i++) {
            vv_var_info v = vv_dataset_var(d, i);
            if (v.role == roles[k] && v.type != VV_NONE && v.n_dims >= 1 && v.n_dims <= 2 &&
                vv_cli_is_angle(d, i, standard))
                return i;
        }
    return -1;
}

vv_status vv_cli_points_grid(vv_cli_points *p, vv_dataset *d)
{
    p->lat = find_angle(d, "latitude");
    p->lon = find_angle(d, "longitude");
    if (p->lat >= 0 && p->lon >= 0) return VV_OK;
    return vv_error(VV_ERR_SHAPE, "%s has no %s (units degrees_%s), by which points could be found", vv_dataset_path(d),
                    p->lat < 0 ? "latitudes" : "longitudes", p->lat < 0 ? "north" : "east");
}

bool vv_cli_points_has(const vv_cli_points *p, const vv_dataset *d, const vv_var_info *v)
{
    const int grid[2] = {p->lat, p->lon};
    for (int k = 0; k < 2; k++) {
        vv_var_info g = vv_dataset_var(d, grid[k]);
        for (int i = 0; i < g.n_dims; i++) {
            bool found = false;
            for (int j = 0; j < v->n_dims; j++) found = found || v->dim[j] == g.dim[i];
            if (!found) return false;
        }
    }
    return true;
}
