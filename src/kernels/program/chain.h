/* Chains: operations one on the other whose values in between stay in registers.
 *
 * A piece of values is walked in strips of VV_STRIP bytes, eight vectors at a time: a strip is loaded, every link of the chain changes it, and it is stored.
 * What a link needs besides is a strip of another piece, or, for a number, always the same one. So ten operations cost little more than one, where each
 * by itself would load and store all values. Results are those of the operations' own kernels. */
#ifndef VV_KERNELS_PROGRAM_CHAIN_H
#define VV_KERNELS_PROGRAM_CHAIN_H

#include "base/dtype.h"

enum { VV_STRIP = 256, VV_CHAIN_MAX = 32 };

/* X(NAME, operation, other way round): what follows is on the strip a and, if there is one, the operand b. BACK: a link whose strip is the operation's
 * second operand. */
#define VV_LINKS(X)                                                                                                    \
    X(ADD, "add", ADD)                                                                                                 \
    X(SUBTRACT, "subtract", SUBTRACT_BACK)                                                                             \
    X(MULTIPLY, "multiply", MULTIPLY)                                                                                  \
    X(DIVIDE, "divide", DIVIDE_BACK)                                                                                   \
    X(MINIMUM, "minimum", MINIMUM_BACK)                                                                                \
    X(MAXIMUM, "maximum", MAXIMUM_BACK)                                                                                \
    X(SUBTRACT_BACK, NULL, SUBTRACT)                                                                                   \
    X(DIVIDE_BACK, NULL, DIVIDE)                                                                                       \
    X(MINIMUM_BACK, NULL, MINIMUM)                                                                                     \
    X(MAXIMUM_BACK, NULL, MAXIMUM)                                                                                     \
    X(NEGATIVE, "negative", NONE)                                                                                      \
    X(ABSOLUTE, "absolute", NONE)                                                                                      \
    X(FABS, "fabs", NONE)                                                                                              \
    X(SQUARE, "square", NONE)                                                                                          \
    X(SQRT, "sqrt", NONE)

typedef enum vv_link_op {
    VV_LINK_NONE,
#define VV_LINK_ENUM(NAME, operation, back) VV_LINK_##NAME,
    VV_LINKS(VV_LINK_ENUM)
#undef VV_LINK_ENUM
        VV_LINK_COUNT
} vv_link_op;

typedef struct vv_link {
    vv_link_op op;
    const void *operand; /* NULL: it has none */
    vv_bytes step;       /* from one strip's operand to the next one's: VV_STRIP or 0 */
} vv_link;

/* The link of an operation (an entry of vv_ops by its number) on f32 or f64; VV_LINK_NONE: it cannot be one. */
vv_link_op vv_link_of(int op);
/* The same with operands the other way round. */
vv_link_op vv_link_back(vv_link_op op);
/* n values of a type from `first` on through 1 .. VV_CHAIN_MAX links, to `out`, which overlaps no operand. */
void vv_chain_run(vv_dtype type, vv_index n, const void *first, const vv_link link[], int n_links, void *out);

#endif
