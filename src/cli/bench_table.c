/* The table of measurements as a CSV file: a line of names, then a row for each run; texts stand between quotes. Rows are appended in one write, so that runs of a sweep may
 * share a file. */
#include "cli/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct column {
    const char *name;
    enum { TEXT, WHOLE, REAL } kind;
    size_t at, room;
} column;

#define TEXT_COLUMN(name)                                                                                              \
    {                                                                                                                  \
#name, TEXT, offsetof(vv_cli_measure, name), sizeof((vv_cli_measure *)0)->name                                 \
    }
#define WHOLE_COLUMN(name)                                                                                             \
    {                                                                                                                  \
#name, WHOLE, offsetof(vv_cli_measure, name), 0                                                                \
    }
#define REAL_COLUMN(name)                                                                                              \
    {                                                                                                                  \
#name, REAL, offsetof(vv_cli_measure, name), 0                                                                 \
    }
static const column columns[] = {
    TEXT_COLUMN(benchmark), TEXT_COLUMN(scaling), TEXT_COLUMN(source), WHOLE_COLUMN(ranks),  WHOLE_COLUMN(nodes),
    WHOLE_COLUMN(threads),  REAL_COLUMN(bytes),   REAL_COLUMN(amount), TEXT_COLUMN(unit),    REAL_COLUMN(seconds),
    REAL_COLUMN(rate),      REAL_COLUMN(read),    REAL_COLUMN(moved),  REAL_COLUMN(across),  REAL_COLUMN(written),
    REAL_COLUMN(peak),      WHOLE_COLUMN(runs),   TEXT_COLUMN(placed), TEXT_COLUMN(machine), TEXT_COLUMN(version),
    TEXT_COLUMN(date),
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

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

static void print_row(FILE *f, const vv_cli_measure *m)
{
    for (int i = 0; i < N_COLUMNS; i++) {
        const char *at = (const char *)m + columns[i].at;
        if (i) fputc(',', f);
        switch (columns[i].kind) {
        case TEXT: print_text(f, at); break;
        case WHOLE: fprintf(f, "%d", *(const int *)(const void *)at); break;
        default: fprintf(f, "%.9g", *(const double *)(const void *)at);
        }
    }
    fputc('\n', f);
}

static void print_names(FILE *f)
{
    for (int i = 0; i < N_COLUMNS; i++) fprintf(f, "%s%s", i ? "," : "", columns[i].name);
    fputc('\n', f);
}

static vv_status check_names(const char *path)
{
    char *expected = NULL, *line = NULL;
    size_t size = 0, room = 0;
    FILE *names = open_memstream(&expected, &size), *f = fopen(path, "r");
    if (!names) {
        if (f) fclose(f);
        return vv_error(VV_ERR_NOMEM, "no memory for a table");
    }
    print_names(names);
    fclose(names);
    bool good = f && getline(&line, &room, f) >= 0 && !strcmp(line, expected);
    if (f) fclose(f);
    free(line);
    free(expected);
    return good ? VV_OK
                : vv_error(VV_ERR_USAGE, "%s is no table of this version's 'varve bench scaling'; use another name",
                           path);
}

vv_status vv_cli_measure_append(const char *path, const vv_cli_measure *m)
{
    struct stat is;
    bool fresh = stat(path, &is) || is.st_size == 0;
    char *text = NULL;
    size_t size = 0;
    vv_status status = fresh ? VV_OK : check_names(path);
    if (status != VV_OK) return status;
    FILE *row = open_memstream(&text, &size);
    if (!row) return vv_error(VV_ERR_NOMEM, "no memory for a row");
    if (fresh) print_names(row);
    print_row(row, m);
    fclose(row);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    bool good = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    if (fd >= 0 && close(fd)) good = false;
    free(text);
    return good ? VV_OK : vv_error(VV_ERR_WRITE, "cannot write %s: %s", path, strerror(errno));
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
        case TEXT: snprintf(at, columns[i].room, "%s", text); break;
        case WHOLE: *(int *)(void *)at = atoi(text); break;
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
    vv_status status = check_names(path);
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
