/* Fourier transforms, as numpy.fft has them. All functions: Driver only.
 *
 * Dimensions keep their names and lose their coordinates: vv_fft(t, "time", NULL). A length behind a name is that of the transform, to which lanes are cut or filled up
 * with zeros: "time:1024". Several dimensions, "lat,lon", make a transform in as many dimensions (fft2, fftn); NULL: all of them. A dimension that is cut into chunks is
 * brought together, as many lanes at a time as memory allows; nothing moves along the others.
 *
 * norm says who divides by the number of elements n: "backward" (or NULL) the inverse, "forward" the transform itself, "ortho" both, by its root. Single precision stays
 * single: f32 and c64 make c64 (numpy.fft before NumPy 2 makes double of it); integers are transformed as f64. What has a NaN in its lane is NaN. */
#ifndef VARVE_FFT_H
#define VARVE_FFT_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of real or complex elements, to complex ones. */
VV_API vv_array *vv_fft(vv_array *a, const char *dims, const char *norm);
VV_API vv_array *vv_ifft(vv_array *a, const char *dims, const char *norm);
/* Of reals: only the half of the last named dimension that is not the mirror of the other one, n / 2 + 1 elements. And back to n reals, by default an even number: 2 (m -
 * 1) of m; an odd one has to be said, "time:101". */
VV_API vv_array *vv_rfft(vv_array *a, const char *dims, const char *norm);
VV_API vv_array *vv_irfft(vv_array *a, const char *dims, const char *norm);
/* Of elements that are the half of a signal whose transform is real; and back. One dimension. */
VV_API vv_array *vv_hfft(vv_array *a, const char *dim, const char *norm);
VV_API vv_array *vv_ihfft(vv_array *a, const char *dim, const char *norm);

/* The frequencies that belong to n elements at a distance, f64, in cycles per unit of it: vv_fftfreq(s, "time", 1024, 0.25); the first half for vv_rfft(). */
VV_API vv_array *vv_fftfreq(vv_session *s, const char *dim, vv_index n, double distance);
VV_API vv_array *vv_rfftfreq(vv_session *s, const char *dim, vv_index n, double distance);
/* Zero frequency in the middle; and back. Coordinates go along. dims NULL: all. */
VV_API vv_array *vv_fftshift(vv_array *a, const char *dims);
VV_API vv_array *vv_ifftshift(vv_array *a, const char *dims);

#ifdef __cplusplus
}
#endif
#endif
