/* The values of an array, for tests that look at every one. Include after unit/scratch.h. */
#ifndef VV_TESTS_COMPUTED_H
#define VV_TESTS_COMPUTED_H

#include <varve/varve.h>

/* To be freed; of this type, and so many. */
static inline void *computed(vv_array *a, vv_dtype type, vv_index expected)
{
    vv_index n = 1;
    must(vv_array_status(a));
    assert_int_equal(vv_array_dtype(a), type);
    for (int d = 0; d < vv_array_n_dims(a); d++) n *= vv_array_length(a, d);
    assert_int_equal(n, expected);
    void *values = calloc((size_t)n + 1, (size_t)vv_dtype_size(type));
    must(vv_compute(a, values, n * vv_dtype_size(type)));
    return values;
}

#endif
