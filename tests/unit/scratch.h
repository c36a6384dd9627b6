/* For tests that touch files: a scratch directory, shell commands, and checks of statuses and messages.
 *
 * VV_SOURCE_DIR is where the checkout lies (set by the build; the current directory otherwise). */
#ifndef VV_TESTS_UNIT_SCRATCH_H
#define VV_TESTS_UNIT_SCRATCH_H

#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef VV_SOURCE_DIR
#define VV_SOURCE_DIR "."
#endif

/* The call must succeed; its message is shown when it does not. */
#define must(call)                                                                                                     \
    do {                                                                                                               \
        vv_status must_ = (call);                                                                                      \
        if (must_ != VV_OK) fail_msg("%s: %s: %s", #call, vv_status_name(must_), vv_last_error());                     \
    } while (0)

/* The last error says this. */
#define assert_message(part)                                                                                           \
    do {                                                                                                               \
        if (!strstr(vv_last_error(), (part))) fail_msg("'%s' does not say '%s'", vv_last_error(), (part));             \
    } while (0)

static inline const char *source_path(const char *path, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", VV_SOURCE_DIR, path);
    return out;
}

static char scratch[256]; /* the directory, between make_scratch and drop_scratch */

static inline int make_scratch(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/varve-test-XXXXXX", base && strlen(base) < 200 ? base : "/tmp");
    return mkdtemp(scratch) ? 0 : -1;
}

/* Formats a shell command and runs it; its exit status. */
static inline int shell(const char *format, ...) VV_PRINTF(1, 2);
static inline int shell(const char *format, ...)
{
    char command[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_true(n > 0 && n < (int)sizeof command);
    fflush(NULL);
    int status = system(command);
    return status < 0 ? -1 : status / 256 + status % 256;
}

static inline int drop_scratch(void **state)
{
    (void)state;
    return shell("rm -rf '%s'", scratch);
}

/* "<scratch>/name", in one of a few rotating buffers. */
static inline const char *scratch_path(const char *name)
{
    static char path[8][1024];
    static int next;
    char *out = path[next++ % 8];
    snprintf(out, sizeof path[0], "%s/%s", scratch, name);
    return out;
}

/* The interpreter that has the scientific packages: VV_TEST_PYTHON, else the system's own. */
static inline const char *python(void)
{
    const char *given = getenv("VV_TEST_PYTHON");
    return given && *given ? given : access("/usr/bin/python3", X_OK) ? "python3" : "/usr/bin/python3";
}

/* Whether Python has these modules; says so when not. */
static inline bool have_python(const char *modules)
{
    if (shell("%s -c 'import %s' 2>/dev/null", python(), modules) == 0) return true;
    printf("skipped: %s has no %s\n", python(), modules);
    return false;
}

static inline bool have_program(const char *name)
{
    if (shell("command -v %s >/dev/null 2>&1", name) == 0) return true;
    printf("skipped: there is no %s\n", name);
    return false;
}

#endif
