#include "exec/net/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* --- shared ones: the first place has the sign, bells follow --- */

static size_t size_of(int n)
{
    return ((size_t)n + 1) * sizeof(vv_bell);
}

void vv_belfry_make(int n, vv_belfry *out)
{
    int64_t sign;
    *out = (vv_belfry){.process = getpid(), .file = -1, .n = n};
    if (getrandom(&sign, sizeof sign, GRND_NONBLOCK) != sizeof sign || sign == 0) return;
    int file = memfd_create("varve-bells", MFD_CLOEXEC);
    if (file < 0) return;
    if (ftruncate(file, (off_t)size_of(n)) || pwrite(file, &sign, sizeof sign, 0) != sizeof sign) {
        close(file);
        return;
    }
    out->file = file; /* stays open until the process ends: others may come late */
    out->sign = sign;
}

/* Another process may have the number in another namespace: then its file is something else, and not touched. */
static bool is_it(int file, const vv_belfry *b)
{
    struct stat s;
    int64_t sign;
    return fstat(file, &s) == 0 && s.st_size == (off_t)size_of(b->n) &&
           pread(file, &sign, sizeof sign, 0) == sizeof sign && sign == b->sign;
}

vv_bell *vv_belfry_enter(const vv_belfry *b)
{
    char path[64];
    if (b->sign == 0) return NULL;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)b->process, (int)b->file);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return NULL;
    void *at = is_it(file, b) ? mmap(NULL, size_of(b->n), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    close(file);
    return at == MAP_FAILED ? NULL : (vv_bell *)at + 1;
}

void vv_belfry_leave(vv_bell *bells, int n)
{
    if (bells) munmap(bells - 1, size_of(n));
}

/* --- ringing --- */

static long futex(vv_bell *b, int what, uint32_t value, const struct timespec *time)
{
    return syscall(SYS_futex, &b->asleep, what, value, time, NULL, 0);
}

/* The fences order what is rung for and the look at the bell here, lying down and the last look there: one of the two sees the other. */
void vv_bell_ring(vv_bell *b)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (!vv_bell_asleep(b) || !atomic_exchange(&b->asleep, 0)) return;
    (void)futex(b, FUTEX_WAKE, 1, NULL);
}

void vv_bell_lay(vv_bell *b)
{
    atomic_store(&b->asleep, 1);
    atomic_thread_fence(memory_order_seq_cst);
}

void vv_bell_sleep(vv_bell *b, double seconds)
{
    struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    if (futex(b, FUTEX_WAIT, 1, &t) != 0 && errno == ENOSYS) nanosleep(&t, NULL);
    vv_bell_rise(b);
}

void vv_bell_rise(vv_bell *b)
{
    atomic_store_explicit(&b->asleep, 0, memory_order_relaxed);
}
