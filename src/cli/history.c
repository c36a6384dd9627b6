#include "cli/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static vv_status when(struct tm *out)
{
    const char *fixed = getenv("SOURCE_DATE_EPOCH");
    time_t t = time(NULL);
    if (!fixed || !*fixed) return localtime_r(&t, out) ? VV_OK : vv_error(VV_ERR_RUN, "the time is not known");
    char *end;
    t = (time_t)strtoll(fixed, &end, 10);
    if (*end || !gmtime_r(&t, out))
        return vv_error(VV_ERR_USAGE, "SOURCE_DATE_EPOCH is '%s', not a number of seconds since 1970", fixed);
    return VV_OK;
}

static bool needs_quotes(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%^";
    return !*word || word[strspn(word, plain)];
}

void vv_cli_quote(FILE *out, const char *word)
{
    if (!needs_quotes(word)) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (const char *c = word; *c; c++) fputs(*c == '\'' ? "'\\''" : (char[2]){*c, 0}, out);
    fputc('\'', out);
}

static void put_command(int argc, const char *const argv[], FILE *line)
{
    fputs("varve", line);
    for (int i = 1; i < argc; i++) {
        fputc(' ', line);
        vv_cli_quote(line, argv[i]);
    }
}

vv_status vv_cli_command_line(int argc, const char *const argv[], char **out)
{
    size_t size;
    FILE *line = open_memstream(out, &size);
    if (!line) return vv_error(VV_ERR_NOMEM, "no memory for the command");
    put_command(argc, argv, line);
    return fclose(line) ? vv_error(VV_ERR_NOMEM, "no memory for the command") : VV_OK;
}

vv_status vv_cli_history(int argc, const char *const argv[], char **out)
{
    struct tm now;
    vv_status status = when(&now);
    if (status != VV_OK) return status;
    size_t size;
    FILE *line = open_memstream(out, &size);
    if (!line) return vv_error(VV_ERR_NOMEM, "no memory for the history");
    char date[64];
    strftime(date, sizeof date, "%a %b %d %H:%M:%S %Y", &now);
    fprintf(line, "%s: ", date);
    put_command(argc, argv, line);
    fprintf(line, " # varve %s", vv_version());
    if (fclose(line)) return vv_error(VV_ERR_NOMEM, "no memory for the history");
    return VV_OK;
}
