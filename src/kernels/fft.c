#include "kernels/fft.h"

#include "base/index.h"
#include "base/mem.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct entry {
    vv_fft_kind kind;
    vv_dtype real;
    int n;
    void *plan;
    struct entry *next;
} entry;

/* Plans are never given back: there are as many as different lengths. FFTW's planner is for one thread at a time; what it made is for all. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry *entries;

/* For one precision. Wisdom of a program that uses FFTW itself is put aside while a plan is made. */
#define PRECISION(name, prefix, real)                                                                                  \
    static prefix##_plan name##_choose(vv_fft_kind kind, int n, void *from, void *to)                                  \
    {                                                                                                                  \
        const unsigned flags = FFTW_ESTIMATE | FFTW_DESTROY_INPUT;                                                     \
        switch (kind) {                                                                                                \
        case VV_FFT_FORWARD: return prefix##_plan_dft_1d(n, from, to, FFTW_FORWARD, flags);                            \
        case VV_FFT_BACKWARD: return prefix##_plan_dft_1d(n, from, to, FFTW_BACKWARD, flags);                          \
        case VV_FFT_REAL_FORWARD: return prefix##_plan_dft_r2c_1d(n, from, to, flags);                                 \
        default: return prefix##_plan_dft_c2r_1d(n, from, to, flags);                                                  \
        }                                                                                                              \
    }                                                                                                                  \
    static void *name##_make(vv_fft_kind kind, int n, void *from, void *to)                                            \
    {                                                                                                                  \
        char *wisdom = prefix##_export_wisdom_to_string();                                                             \
        prefix##_forget_wisdom();                                                                                      \
        void *plan = name##_choose(kind, n, from, to);                                                                 \
        prefix##_forget_wisdom();                                                                                      \
        if (wisdom) (void)prefix##_import_wisdom_from_string(wisdom);                                                  \
        free(wisdom);                                                                                                  \
        return plan;                                                                                                   \
    }                                                                                                                  \
    static void name##_run(vv_fft_kind kind, void *plan, void *from, void *to)                                         \
    {                                                                                                                  \
        if (kind == VV_FFT_REAL_FORWARD)                                                                               \
            prefix##_execute_dft_r2c(plan, (real *)from, to);                                                          \
        else if (kind == VV_FFT_REAL_BACKWARD)                                                                         \
            prefix##_execute_dft_c2r(plan, from, (real *)to);                                                          \
        else                                                                                                           \
            prefix##_execute_dft(plan, from, to);                                                                      \
    }
PRECISION(single, fftwf, float)
PRECISION(whole, fftw, double)

static entry *find(vv_fft_kind kind, vv_dtype real, int n)
{
    entry *e = entries;
    while (e && (e->kind != kind || e->real != real || e->n != n)) e = e->next;
    return e;
}

/* FFTW looks at buffers while it plans: at how they are aligned. */
static vv_status add(vv_fft_kind kind, vv_dtype real, int n)
{
    char *from = NULL, *to = NULL;
    vv_bytes bytes = ((vv_bytes)n + 2) * vv_dtype_size(vv_dtype_of_parts(real));
    entry *e;
    VV_TRY(vv_new(&e, 1, sizeof *e));
    *e = (entry){.kind = kind, .real = real, .n = n, .next = entries};
    vv_status status = vv_mem_get(&from, bytes, "a Fourier transform");
    if (status == VV_OK) status = vv_mem_get(&to, bytes, "a Fourier transform");
    if (status == VV_OK) e->plan = (real == VV_F32 ? single_make : whole_make)(kind, n, from, to);
    vv_mem_put(&from);
    vv_mem_put(&to);
    if (status == VV_OK && !e->plan) status = vv_fail(VV_ERR_NOMEM, "FFTW has no plan for %d elements", n);
    if (status != VV_OK)
        free(e);
    else
        entries = e;
    return status;
}

vv_status vv_fft_prepare(vv_fft_kind kind, vv_dtype real, int n)
{
    pthread_mutex_lock(&lock);
    vv_status status = find(kind, real, n) ? VV_OK : add(kind, real, n);
    pthread_mutex_unlock(&lock);
    return status;
}

void vv_fft_run(vv_fft_kind kind, vv_dtype real, int n, void *from, void *to)
{
    pthread_mutex_lock(&lock);
    void *plan = find(kind, real, n)->plan;
    pthread_mutex_unlock(&lock);
    (real == VV_F32 ? single_run : whole_run)(kind, plan, from, to);
}

/* Twiddle factors, or the buffers of planning; of a length with a large prime factor the transform of a longer lane, its buffers and its plan, too. */
vv_bytes vv_fft_bytes(vv_dtype real, vv_index n)
{
    static const vv_index small[] = {2, 3, 5, 7, 11, 13};
    vv_index rest = vv_imax(n, 1);
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        while (rest % small[i] == 0) rest /= small[i];
    return vv_times((rest == 1 ? 3 : 8) * vv_dtype_size(vv_dtype_of_parts(real)), n + 64);
}
