/* Arrays of complex numbers: what is made of computations with their real and imaginary parts.
 *
 * Elementwise operations have complex kernels (kernels/complex.def.h) and prod has one; sums, means, variances and products of matrices are those of the parts,
 * which read their input once together and keep all that is said of real ones: order of additions, missing values, groups. A complex number is missing when
 * either part is NaN. Complex numbers have no order to reduce by: what needs one says so. */
#include "array/build.h"

#include <math.h>
#include <string.h>

vv_array *vv_node_part(vv_array *in, bool imaginary)
{
    return vv_node_of(imaginary ? "imag" : "real", vv_node_again(in), NULL);
}

vv_array *vv_node_of_parts(vv_array *re, vv_array *im)
{
    return vv_node_of("make_complex", re, im);
}

/* `values`, and NaN where `in` is missing, described as `in` is. Takes values over. */
static vv_array *marked(vv_array *in, vv_array *values, bool skip)
{
    if (skip) {
        vv_array *operands[] = {vv_node_of("isnan", vv_node_again(in), NULL), vv_node_scalar(in->context, NAN), values};
        values = vv_node_elementwise(in->context, "where", operands, 3);
        for (int i = 0; i < 3; i++) vv_release(&operands[i]);
    }
    if (values->status != VV_OK) return values;
    return vv_node_settle(in->context, values, vv_attrs_copy(&values->attrs, &in->attrs));
}

static vv_array *reduced(vv_array *values, const char *how, const char *dims, const vv_reduce_options *o)
{
    vv_array *made = vv_reduce(values, how, dims, o);
    vv_release(&values);
    return made;
}

/* What is made of reductions, with the attributes of one of them. */
static vv_array *described(vv_array *made, const vv_array *like)
{
    if (made->status != VV_OK || like->status != VV_OK) return made;
    return vv_node_settle(made->context, made, vv_attrs_copy(&made->attrs, &like->attrs));
}

typedef vv_array *recipe(vv_array *in, const char *how, const char *dims, const vv_reduce_options *o);

static vv_array *part_by_part(vv_array *in, const char *how, const char *dims, const vv_reduce_options *o)
{
    vv_array *part[2];
    for (int i = 0; i < 2; i++) part[i] = reduced(marked(in, vv_node_part(in, i > 0), !o->keep_nan), how, dims, o);
    vv_array *like = vv_node_again(part[0]), *made = described(vv_node_of_parts(part[0], part[1]), like);
    vv_release(&like);
    return made;
}

/* The mean square of the distance from the mean is that of the parts, added. */
static vv_array *variance(vv_array *in, const char *how, const char *dims, const vv_reduce_options *o)
{
    vv_array *part[2];
    for (int i = 0; i < 2; i++) part[i] = reduced(marked(in, vv_node_part(in, i > 0), !o->keep_nan), "var", dims, o);
    vv_array *like = vv_node_again(part[0]), *made = vv_node_of("add", part[0], part[1]);
    if (!strcmp(how, "std")) made = vv_node_of("sqrt", made, NULL);
    made = described(made, like);
    vv_release(&like);
    return made;
}

static vv_array *of_truth(vv_array *in, const char *how, const char *dims, const vv_reduce_options *o)
{
    vv_array *truth = vv_node_of("as_bool", vv_node_again(in), NULL);
    return reduced(marked(in, vv_node_then(truth, vv_node_as_real(truth)), !o->keep_nan), how, dims, o);
}

static vv_array *of_size(vv_array *in, const char *how, const char *dims, const vv_reduce_options *o)
{
    return reduced(marked(in, vv_node_of("absolute", vv_node_again(in), NULL), false), how, dims, o);
}

vv_array *vv_node_reduce_complex(vv_array *in, const char *how, const char *dims, const vv_reduce_options *options)
{
    static const struct {
        const char *name;
        recipe *make;
    } table[] = {{"sum", part_by_part}, {"mean", part_by_part}, {"first", part_by_part},    {"last", part_by_part},
                 {"var", variance},     {"std", variance},      {"any", of_truth},          {"all", of_truth},
                 {"count", of_truth},   {"norm", of_size},      {"count_nonzero", of_truth}};
    const vv_reduce_options defaults = VV_REDUCE_OPTIONS_INIT;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, how)) return table[i].make(in, how, dims, options ? options : &defaults);
    (void)vv_fail(VV_ERR_TYPE,
                  "%s is not defined for %s ('%s'): complex numbers have no order; take vv_absolute(), vv_real() or "
                  "vv_imag() of it",
                  how, vv_dtype_name(in->dtype), in->name);
    return vv_node_inert(in->context);
}
