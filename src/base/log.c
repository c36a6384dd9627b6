#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_name[] = {"error", "warn", "info", "debug"};
static vv_log_level threshold = VV_LOG_WARN;

void vv_log_set(vv_log_level level)
{
    threshold = level;
}

vv_log_level vv_log_get(void)
{
    return threshold;
}

vv_status vv_log_parse(const char *text, vv_log_level *out)
{
    for (int i = 0; i <= VV_LOG_DEBUG; i++)
        if (!strcmp(text, level_name[i])) {
            *out = (vv_log_level)i;
            return VV_OK;
        }
    return vv_fail(VV_ERR_USAGE, "'%s' is not a log level; use error, warn, info or debug", text);
}

void vv_say(vv_log_level level, const char *format, ...)
{
    if (level > threshold) return;
    char line[1024];
    int n = vv_all_ranks() > 1 ? snprintf(line, sizeof line, "varve[%d] %s: ", vv_this_rank(), level_name[level])
                               : snprintf(line, sizeof line, "varve %s: ", level_name[level]);
    va_list args;
    va_start(args, format);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
    va_end(args);
    size_t length = (size_t)n + (size_t)(m < 0 ? 0 : m);
    if (length > sizeof line - 2) length = sizeof line - 2;
    line[length++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, length);
    (void)ignored;
}
