#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local vv_failure current;
static int this_rank = 0;
static int all_ranks = 1;

static const struct {
    const char *name;
    int exit;
    const char *text;
} table[VV_STATUS_COUNT] = {
#define ROW(NAME, exit, text) {#NAME, exit, text},
    VV_STATUS_LIST(ROW)
#undef ROW
};

static int known(vv_status code)
{
    return code >= 0 && code < VV_STATUS_COUNT ? code : VV_ERR_INTERNAL;
}

const char *vv_status_name(vv_status code)
{
    return table[known(code)].name;
}

const char *vv_status_text(vv_status code)
{
    return table[known(code)].text;
}

int vv_status_exit(vv_status code)
{
    return table[known(code)].exit;
}

vv_status vv_error_raise(const char *function, const char *file, int line, vv_status code, int sys_errno,
                         const char *format, ...)
{
    char text[VV_ERROR_TEXT]; /* the arguments may be the current error's text */
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    current = (vv_failure){.code = code, .rank = this_rank};
    if (n >= 0) strcpy(current.text, text);
    if (sys_errno && n >= 0 && n < VV_ERROR_TEXT - 3)
        snprintf(current.text + n, sizeof current.text - (size_t)n, ": %s", strerror(sys_errno));
    vv_error_frame_add(function, file, line);
    return code;
}

vv_status vv_error_prefix(const char *format, ...)
{
    char prefix[VV_ERROR_TEXT / 2], whole[VV_ERROR_TEXT * 2];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    snprintf(whole, sizeof whole, "%s: %s", prefix, current.text);
    whole[VV_ERROR_TEXT - 1] = 0;
    memcpy(current.text, whole, VV_ERROR_TEXT);
    return current.code;
}

void vv_error_frame_add(const char *function, const char *file, int line)
{
    if (current.n_frames < VV_ERROR_FRAMES) current.frame[current.n_frames] = (vv_error_frame){function, file, line};
    current.n_frames++;
}

void vv_error_get(vv_failure *out)
{
    *out = current;
}

void vv_error_set(const vv_failure *in)
{
    current = *in;
}

void vv_error_clear(void)
{
    current = (vv_failure){0};
}

const char *vv_last_error(void)
{
    return current.code == VV_OK ? "" : current.text;
}

void vv_error_trace(const vv_failure *e, char *out, size_t size)
{
    size_t used = 0;
    int kept = e->n_frames < VV_ERROR_FRAMES ? e->n_frames : VV_ERROR_FRAMES;
    if (size) out[0] = 0;
    for (int i = 0; i < kept && used < size; i++) {
        int n = snprintf(out + used, size - used, "  in %s (%s:%d)\n", e->frame[i].function, e->frame[i].file,
                         e->frame[i].line);
        if (n < 0) return;
        used += (size_t)n;
    }
    if (e->n_frames > kept && used < size) snprintf(out + used, size - used, "  and %d more\n", e->n_frames - kept);
}

void vv_set_rank(int rank, int ranks)
{
    this_rank = rank;
    all_ranks = ranks;
}

int vv_this_rank(void)
{
    return this_rank;
}

int vv_all_ranks(void)
{
    return all_ranks;
}
