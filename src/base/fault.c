#include "base/fault.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const site_name[] = {
#define NAME(ENUM, name, what) name,
    VV_FAULT_LIST(NAME)
#undef NAME
};

static int planted = -1; /* site, -1 for none */
static long planted_visit;
static int planted_rank;   /* -1 for all */
static bool planted_again; /* and every later visit */
static enum { FAIL, KILL, WAIT } planted_how;
static atomic_long visits;

const char *vv_fault_name(vv_fault_site site)
{
    return site_name[site];
}

static int site_of(const char *name, size_t n)
{
    for (int i = 0; i < VV_FAULT_SITES; i++)
        if (strlen(site_name[i]) == n && !memcmp(site_name[i], name, n)) return i;
    return -1;
}

vv_status vv_fault_setup(void)
{
    const char *text = getenv("VV_FAULT");
    planted = -1;
    if (!text || !*text) return VV_OK;
    const char *colon = strchr(text, ':');
    int site = colon ? site_of(text, (size_t)(colon - text)) : -1;
    if (site < 0) return vv_fail(VV_ERR_USAGE, "VV_FAULT='%s': no such site", text);
    char *end;
    planted_visit = strtol(colon + 1, &end, 10);
    planted_rank = -1;
    planted_again = *end == '+';
    if (planted_again) end++;
    bool ranked = *end == '@', rank_given = ranked && isdigit((unsigned char)end[1]);
    if (rank_given) planted_rank = (int)strtol(end + 1, &end, 10);
    planted_how = !strcmp(end, "!kill") ? KILL : !strcmp(end, "!wait") ? WAIT : FAIL;
    if (planted_visit < 1 || ranked != rank_given || (*end && planted_how == FAIL))
        return vv_fail(VV_ERR_USAGE, "VV_FAULT='%s': write site:n[+][@rank][!kill|!wait]", text);
    atomic_store(&visits, 0);
    planted = site;
    return VV_OK;
}

/* Until a signal comes that this process handles. None is lost between saying so and waiting for it, in a process of one thread. */
static void wait_for_signal(vv_fault_site site, long visit)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    fprintf(stderr, "planted wait at '%s', visit %ld, rank %d\n", site_name[site], visit, vv_this_rank());
    sigsuspend(&before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

vv_status vv_fault(vv_fault_site site)
{
    if ((int)site != planted) return VV_OK;
    if (planted_rank >= 0 && planted_rank != vv_this_rank()) return VV_OK;
    long visit = atomic_fetch_add(&visits, 1) + 1;
    if (visit != planted_visit && !(planted_again && visit > planted_visit)) return VV_OK;
    if (planted_how == KILL) raise(SIGKILL);
    if (planted_how == WAIT) {
        wait_for_signal(site, visit);
        return VV_OK;
    }
    return vv_fail(VV_ERR_FAULT, "planted fault at '%s', visit %ld, rank %d", site_name[site], visit, vv_this_rank());
}
