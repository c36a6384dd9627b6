/* vv_run: from main() to main(). */
#include "base/fault.h"
#include "base/log.h"
#include "observe/trace.h"
#include "session/delayed/delayed.h"
#include "storage/apart.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Large blocks go back to the system when they are freed, so that the resident set follows the accounting. */
static void tame_allocator(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, VV_MEM_LARGE);
    mallopt(M_TRIM_THRESHOLD, VV_MEM_LARGE);
#endif
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 4);
#endif
}

static void print_error(vv_status status)
{
    vv_failure e;
    vv_error_get(&e);
    fflush(stdout);
    fprintf(stderr, "varve: %s\n", e.code == status && e.text[0] ? e.text : vv_status_text(status));
    if (vv_log_get() < VV_LOG_DEBUG) return;
    char trace[2048];
    vv_error_trace(&e, trace, sizeof trace);
    fputs(trace, stderr);
}

static int coordinate(vv_net *net, const vv_crew *crew, int argc, char **argv, vv_driver *driver)
{
    vv_session s = {.net = net, .placement = -1, .policy = -1, .crew = *crew};
    s.memory = crew->memory;
    s.threads = crew->threads;
    vv_status status = vv_held_begin(&s);
    if (status == VV_OK) status = driver(&s, argc, argv);
    if (status != VV_OK) print_error(status);
    vv_status end = vv_record_end(status == VV_OK);
    if (end != VV_OK) print_error(status = end);
    end = vv_tasks_end(&s);
    if (status == VV_OK && end != VV_OK) print_error(status = end);
    int code = vv_status_exit(status);
    vv_delayed_free_all(&s);
    vv_context_free(&s.context);
    vv_settings_free(&s);
    vv_held_end(&s);
    if (net->broken) return code;
    if (vv_spread(net, VV_TAG_QUIT, &code, sizeof code) != VV_OK) print_error(VV_ERR_MPI);
    return code;
}

/* Messages are synchronous: wait until the last ones were received. */
static void flush(vv_net *net)
{
    vv_backoff wait = {0};
    while (net->sending > 0 && !net->broken) {
        vv_message m;
        bool got;
        if (vv_net_receive(net, &m, &got) != VV_OK) return;
        if (got) vv_mem_put(&m.data);
        if (vv_signals_seen(NULL)) net->broken = true;
        vv_backoff_wait(&wait);
    }
}

int vv_run(int argc, char **argv, vv_driver *driver)
{
    vv_net *net = NULL;
    vv_crew crew = {.ranks = 0};
    tame_allocator();
    vv_status status = vv_apart_begin();
    if (status == VV_OK) status = vv_net_open(&argc, &argv, &net);
    if (status != VV_OK) {
        print_error(status);
        return vv_status_exit(status);
    }
    vv_set_rank(net->rank, net->size);
    vv_signals_catch();
    status = vv_placed_gather(net, &crew);
    net->broken = status != VV_OK;
    if (status == VV_OK) status = vv_fault_setup();
    int code;
    if (status != VV_OK) {
        if (net->rank == 0) print_error(status);
        code = vv_status_exit(status);
    } else {
        code = net->rank == 0 ? coordinate(net, &crew, argc, argv, driver) : vv_serve(net);
    }
    vv_apart_end();
    flush(net);
    /* A rank that cannot tell the coordinator what went wrong says it itself. */
    vv_failure last;
    vv_error_get(&last);
    if (net->broken && net->rank != 0 && !vv_signals_seen(NULL))
        print_error(last.code == VV_OK ? VV_ERR_MPI : last.code);
    fflush(NULL);
    if (net->broken) _exit(code); /* others do not answer: MPI cannot be ended in good order */
    vv_net_close(&net);
    return code;
}
