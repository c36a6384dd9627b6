/* What a driver may choose about how its plans run. */
#include "exec/sched.h"
#include "observe/trace.h"
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

vv_status vv_session_set_policy(vv_session *s, const char *name)
{
    vv_buf known = {0};
    for (int i = 0; vv_sched_at(i); i++) {
        if (!strcmp(vv_sched_at(i)->name, name)) {
            vv_buf_free(&known);
            s->policy = i;
            return VV_OK;
        }
        vv_buf_printf(&known, "%s%s", i ? ", " : "", vv_sched_at(i)->name);
    }
    vv_status status = vv_fail(VV_ERR_USAGE, "there is no policy '%s'; there are: %s", name,
                               vv_buf_status(&known) == VV_OK ? known.data : "");
    vv_buf_free(&known);
    return status;
}

static vv_status set_text(char **to, const char *text)
{
    char *copy;
    VV_TRY(vv_strdup(&copy, text));
    free(*to);
    *to = copy;
    return VV_OK;
}

vv_status vv_session_set_scratch(vv_session *s, const char *directory)
{
    return set_text(&s->scratch, directory);
}

vv_status vv_session_set_cache(vv_session *s, const char *directory)
{
    return set_text(&s->cache, directory);
}

void vv_session_fill_bad_chunks(vv_session *s, bool fill)
{
    s->fill_bad = fill;
}

void vv_session_set_report(vv_session *s, bool on)
{
    s->predict = on;
}

const char *vv_session_report(const vv_session *s)
{
    return s->report ? s->report : "";
}

static const char *scratch_of(const vv_session *s)
{
    const char *base = getenv("TMPDIR");
    return s->scratch ? s->scratch : base && *base ? base : "/tmp";
}

/* A directory that was asked for is there from the start, not only when it is needed. */
static vv_status check_scratch(const char *directory)
{
    struct stat is;
    if (stat(directory, &is) || access(directory, W_OK | X_OK))
        return vv_fail_errno(VV_ERR_USAGE, "the scratch directory %s cannot be used", directory);
    if (!S_ISDIR(is.st_mode)) return vv_fail(VV_ERR_USAGE, "the scratch directory %s is a file", directory);
    return VV_OK;
}

vv_status vv_settings_apply(vv_session *s, vv_plan *p)
{
    const char *policy = getenv("VARVE_POLICY"), *fuzz = getenv("VARVE_FUZZ");
    if (s->scratch) VV_TRY(check_scratch(s->scratch));
    if (s->policy < 0) VV_TRY(vv_session_set_policy(s, policy && *policy ? policy : "memory"));
    p->policy = s->policy;
    p->fuzz = fuzz ? strtoll(fuzz, NULL, 10) : 0;
    p->threads = s->threads;
    p->budget = s->memory;
    p->fill_bad = s->fill_bad;
    p->trace = vv_record_room(s->net->size);
    return vv_strdup(&p->scratch, scratch_of(s));
}

/* For tests: bytes of inboxes that stay in memory, whatever would fit. */
void vv_settings_limit_store(vv_plan *p)
{
    const char *store = getenv("VARVE_STORE");
    if (store && *store) p->store = strtoll(store, NULL, 10);
}

void vv_settings_free(vv_session *s)
{
    free(s->scratch);
    free(s->cache);
    free(s->report);
    s->scratch = s->cache = s->report = NULL;
}
