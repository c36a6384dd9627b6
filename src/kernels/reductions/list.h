/* Every reduction: X(name), with a descriptor vv_reduction_of_<name> in a file of this folder. To add one, copy prod.c, and add its line here:
 * the C interface by name, expressions, command line and conformance tests find it in this list. */
#define VV_REDUCTION_LIST(X)                                                                                           \
    X(sum)                                                                                                             \
    X(mean)                                                                                                            \
    X(min)                                                                                                             \
    X(max)                                                                                                             \
    X(range)                                                                                                           \
    X(var)                                                                                                             \
    X(std)                                                                                                             \
    X(prod)                                                                                                            \
    X(count)                                                                                                           \
    X(any)                                                                                                             \
    X(all)                                                                                                             \
    X(norm)                                                                                                            \
    X(skew)                                                                                                            \
    X(kurtosis)                                                                                                        \
    X(first)                                                                                                           \
    X(last)                                                                                                            \
    X(argmin)                                                                                                          \
    X(argmax)                                                                                                          \
    X(count_nonzero)                                                                                                   \
    X(longest_run)                                                                                                     \
    X(runs)                                                                                                            \
    X(run_total)                                                                                                       \
    X(first_run)                                                                                                       \
    X(last_run)
