/* SIGINT and SIGTERM ask for an end: the engine sees the number, cancels, and nothing half-done is left. The second one kills.
 * SIGUSR1 asks for the journal to be written, by every process that gets it: mpirun and srun hand it to all ranks. Without a journal it does nothing.
 * SIGXFSZ is ignored: a write beyond the file size limit then fails with EFBIG, and becomes an error like any other. */
#include "session/session.h"

#include <signal.h>

static volatile sig_atomic_t seen, asked;

static void note(int number)
{
    seen = number;
}

static void count(int number)
{
    (void)number;
    asked = (asked + 1) & 0xff;
}

void vv_signals_catch(void)
{
    struct sigaction a = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    a = (struct sigaction){.sa_handler = count, .sa_flags = SA_RESTART};
    sigemptyset(&a.sa_mask);
    sigaction(SIGUSR1, &a, NULL);
    a = (struct sigaction){.sa_handler = SIG_IGN};
    sigemptyset(&a.sa_mask);
    sigaction(SIGXFSZ, &a, NULL);
}

int vv_signals_asked(void *unused)
{
    (void)unused;
    return (int)asked;
}

int vv_signals_seen(void *unused)
{
    (void)unused;
    return (int)seen;
}
