/* Fourier transforms of one lane, by FFTW.
 *
 * A plan is made once for a kind, a precision and a length, and kept. It is FFTW's estimate, which depends on these alone: nothing is measured, nothing that was
 * planned before has a say, and all lanes lie in the same way (aligned to 64 bytes, one at a time). So the same elements give the same bits, whichever rank or thread
 * transforms them, and however many at a time; as with BLAS, on machines with the same instruction sets. */
#ifndef VV_KERNELS_FFT_H
#define VV_KERNELS_FFT_H

#include "base/dtype.h"

typedef enum vv_fft_kind {
    VV_FFT_FORWARD,       /* complex to complex, exp(-i ...) */
    VV_FFT_BACKWARD,      /* complex to complex, exp(+i ...); not divided by anything */
    VV_FFT_REAL_FORWARD,  /* n reals to n / 2 + 1 complex numbers */
    VV_FFT_REAL_BACKWARD, /* n / 2 + 1 complex numbers to n reals */
    VV_FFT_KINDS
} vv_fft_kind;

/* Any thread. `real`: VV_F32 or VV_F64, the precision; n > 0. */
VV_WARN_UNUSED vv_status vv_fft_prepare(vv_fft_kind kind, vv_dtype real, int n);
/* What has been prepared, on buffers that are aligned to 64 bytes and do not overlap; `from` is destroyed. */
void vv_fft_run(vv_fft_kind kind, vv_dtype real, int n, void *from, void *to);
/* What FFTW may hold for a plan, and take for a while when it is run. */
vv_bytes vv_fft_bytes(vv_dtype real, vv_index n);

#endif
