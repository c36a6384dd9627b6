/* Student's distribution, for tests of significance. */
#ifndef VV_KERNELS_STUDENT_H
#define VV_KERNELS_STUDENT_H

/* How probable it is that a value so far from 0, or further, on either side, occurs by chance; degrees of freedom need not be whole. NaN where there are none. Within some
 * units of the 13th digit, with the same bits on every machine. */
double vv_student_p(double t, double freedom);

#endif
