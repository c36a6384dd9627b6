/* SIGINT and SIGTERM ask for an end: the engine sees the number, cancels, and nothing half-done is left. The second one kills.
 * SIGXFSZ is ignored: a write beyond the file size limit then fails with EFBIG, and becomes an error like any other. */
#include "session/session.h"

#include <signal.h>

static volatile sig_atomic_t seen;

static void note(int number)
{
    seen = number;
}

void vv_signals_catch(void)
{
    struct sigaction a = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    a = (struct sigaction){.sa_handler = SIG_IGN};
    sigemptyset(&a.sa_mask);
    sigaction(SIGXFSZ, &a, NULL);
}

int vv_signals_seen(void *unused)
{
    (void)unused;
    return (int)seen;
}
