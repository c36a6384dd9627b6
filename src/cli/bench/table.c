/* The table of measurements as a CSV file: a line of names, then a row for each run; texts stand between quotes. Rows are appended in one write, so that runs of a sweep may
 * share a file. */
#include "cli/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLUMN(kind, name) VV_CLI_COLUMN(vv_cli_measure, kind, name)
static const vv_cli_column columns[] = {
    COLUMN(TEXT, benchmark), COLUMN(TEXT, scaling), COLUMN(TEXT, source), COLUMN(WHOLE, ranks),  COLUMN(WHOLE, nodes),
    COLUMN(WHOLE, threads),  COLUMN(REAL, bytes),   COLUMN(REAL, amount), COLUMN(TEXT, unit),    COLUMN(REAL, seconds),
    COLUMN(REAL, rate),      COLUMN(REAL, read),    COLUMN(REAL, moved),  COLUMN(REAL, across),  COLUMN(REAL, written),
    COLUMN(REAL, peak),      COLUMN(WHOLE, runs),   COLUMN(TEXT, placed), COLUMN(TEXT, machine), COLUMN(TEXT, version),
    COLUMN(TEXT, date),
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };
static const vv_cli_rows scaling = {"bench scaling", columns, N_COLUMNS};

/* --- writing --- */

static void print_text(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"') fputc('"', f);
        fputc(*text == '\n' ? ' ' : *text, f);
    }
    fputc('"', f);
}

static void print_row(FILE *f, const vv_cli_rows *t, const void *row)
{
    for (int i = 0; i < t->n; i++) {
        const char *at = (const char *)row + t->column[i].at;
        if (i) fputc(',', f);
        switch (t->column[i].kind) {
        case VV_CLI_TEXT: print_text(f, at); break;
        case VV_CLI_WHOLE: fprintf(f, "%d", *(const int *)(const void *)at); break;
        default: fprintf(f, "%.9g", *(const double *)(const void *)at);
        }
    }
    fputc('\n', f);
}

static void print_names(FILE *f, const vv_cli_rows *t)
{
    for (int i = 0; i < t->n; i++) fprintf(f, "%s%s", i ? "," : "", t->column[i].name);
    fputc('\n', f);
}

static vv_status check_names(const char *path, const vv_cli_rows *t)
{
    char *expected = NULL, *line = NULL;
    size_t size = 0, room = 0;
    FILE *names = open_memstream(&expected, &size), *f = fopen(path, "r");
    if (!names) {
        if (f) fclose(f);
        return vv_error(VV_ERR_NOMEM, "no memory for a table");
    }
    print_names(names, t);
    fclose(names);
    bool good = f && getline(&line, &room, f) >= 0 && !strcmp(line, expected);
    if (f) fclose(f);
    free(line);
    free(expected);
    return good
               ? VV_OK
               : vv_error(VV_ERR_USAGE, "%s is no table of this version's 'varve %s'; use another name", path, t->name);
}

vv_status vv_cli_rows_append(const char *path, const vv_cli_rows *t, const void *row)
{
    struct stat is;
    bool fresh = stat(path, &is) || is.st_size == 0;
    char *text = NULL;
    size_t size = 0;
    vv_status status = fresh ? VV_OK : check_names(path, t);
    if (status != VV_OK) return status;
    FILE *f = open_memstream(&text, &size);
    if (!f) return vv_error(VV_ERR_NOMEM, "no memory for a row");
    if (fresh) print_names(f, t);
    print_row(f, t, row);
    fclose(f);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    bool good = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    if (fd >= 0 && close(fd)) good = false;
    free(text);
    return good ? VV_OK : vv_error(VV_ERR_WRITE, "cannot write %s: %s", path, strerror(errno));
}

vv_status vv_cli_measure_append(const char *path, const vv_cli_measure *m)
{
    return vv_cli_rows_append(path, &scaling, m);
}

/* --- reading --- */

/* Takes a field off the line, without its quotes; false at the end. */
static bool next_field(char **line, char *out, size_t room)
{
    char *at = *line;
    size_t n = 0;
    bool quoted = *at == '"';
    if (!*at || *at == '\n') return false;
    for (at += quoted; *at && *at != '\n'; at++) {
        if (quoted && *at == '"' && at[1] != '"') {
            at++;
            break;
        }
        if (!quoted && *at == ',') break;
        at += quoted && *at == '"';
        if (n + 1 < room) out[n++] = *at;
    }
    if (quoted && at[-1] != '"') return false; /* cut off */
    out[n] = 0;
    *line = at + (*at == ',');
    return true;
}

static bool read_row(char *line, vv_cli_measure *m)
{
    char text[VV_CLI_BENCH_TEXT];
    for (int i = 0; i < N_COLUMNS; i++) {
        char *at = (char *)m + columns[i].at;
        if (!next_field(&line, text, sizeof text)) return false;
        switch (columns[i].kind) {
        case VV_CLI_TEXT: snprintf(at, columns[i].room, "%s", text); break;
        case VV_CLI_WHOLE: *(int *)(void *)at = atoi(text); break;
        default: *(double *)(void *)at = strtod(text, NULL);
        }
    }
    return m->ranks > 0 && m->seconds > 0 && m->rate > 0;
}

vv_status vv_cli_measure_read(const char *path, vv_cli_measure **out, int *n)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen(path, "r");
    *out = NULL;
    *n = 0;
    if (!f) return vv_error(VV_ERR_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
    vv_status status = check_names(path, &scaling);
    if (status == VV_OK && getline(&line, &room, f) < 0) status = vv_error(VV_ERR_READ, "cannot read %s", path);
    while (status == VV_OK && getline(&line, &room, f) >= 0) {
        vv_cli_measure *more = realloc(*out, sizeof *more * ((size_t)*n + 1));
        if (!more) {
            status = vv_error(VV_ERR_NOMEM, "no memory for a table");
            break;
        }
        *out = more;
        more[*n] = (vv_cli_measure){.ranks = 0};
        if (!read_row(line, &more[*n])) status = vv_error(VV_ERR_FORMAT, "%s: row %d is broken", path, *n + 1);
        *n += 1;
    }
    if (status == VV_OK && *n == 0) status = vv_error(VV_ERR_FORMAT, "%s has no rows", path);
    free(line);
    fclose(f);
    if (status == VV_OK) return VV_OK;
    free(*out);
    *out = NULL;
    *n = 0;
    return status;
}
