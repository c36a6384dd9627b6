/* SIGINT, SIGTERM and SIGUSR2 ask for an end: the engine sees the number, cancels, and nothing half-done is left. The second one kills.
 * SIGUSR1 asks for the journal to be written and nothing else. mpirun hands it and SIGUSR2 to all ranks and does not do anything itself, where a SIGTERM has it kill
 * them: so SIGUSR2 is how a batch script ends a run that has much to write down first.
 * SIGXFSZ is ignored: a write beyond the file size limit then fails with EFBIG, and becomes an error like any other. */
#include "base/stop.h"
#include "session/session.h"

#include <signal.h>

static volatile sig_atomic_t asked;

static void note(int number)
{
    vv_stop_signal = number;
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
    sigaction(SIGUSR2, &a, NULL);
    a = (struct sigaction){.sa_handler = count, .sa_flags = SA_RESTART};
    sigemptyset(&a.sa_mask);
    sigaction(SIGUSR1, &a, NULL);
    a = (struct sigaction){.sa_handler = SIG_IGN};
    sigemptyset(&a.sa_mask);
    sigaction(SIGXFSZ, &a, NULL);
}

int vv_signals_exit(void)
{
    return vv_status_exit(vv_stop_signal == SIGINT ? VV_ERR_INTERRUPTED : VV_ERR_TERMINATED);
}

int vv_signals_asked(void *unused)
{
    (void)unused;
    return (int)asked;
}

int vv_signals_seen(void *unused)
{
    (void)unused;
    return (int)vv_stop_signal;
}
