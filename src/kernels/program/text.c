/* Programs as text for people and as bytes for the plan. Operations travel by name: a rank that does not know one says which. */
#include "kernels/program/program.h"

#include <string.h>

static const char *op_name(int op)
{
    return op == VV_OP_CONST ? "constant" : op == VV_OP_CAST ? "cast" : vv_ops[op]->name;
}

static void print_instruction(const vv_instruction *k, vv_buf *out)
{
    vv_buf_printf(out, "r%d %s = ", k->out, vv_dtype_name(k->result));
    if (k->op == VV_OP_CONST && vv_dtype_is_float(k->type)) {
        vv_buf_printf(out, "%.17g\n", k->constant_f);
    } else if (k->op == VV_OP_CONST && vv_dtype_is_complex(k->type)) {
        vv_buf_printf(out, "%.17g%+.17gi\n", k->constant_f, k->constant_imaginary);
    } else if (k->op == VV_OP_CONST) {
        vv_buf_printf(out, k->type == VV_U64 ? "%llu\n" : "%lld\n", (long long)k->constant_i);
    } else {
        int arity = k->op == VV_OP_CAST ? 1 : vv_ops[k->op]->arity;
        vv_buf_text(out, op_name(k->op));
        for (int i = 0; i < arity; i++) vv_buf_printf(out, " r%d", k->in[i]);
        vv_buf_text(out, "\n");
    }
}

void vv_program_print(const vv_program *p, vv_buf *out)
{
    for (int i = 0; i < p->n_inputs; i++) vv_buf_printf(out, "r%d %s = input\n", i, vv_dtype_name(p->type[i]));
    for (int i = 0; i < p->n; i++) print_instruction(&p->code[i], out);
    for (int i = 0; i < p->n_outputs; i++) vv_buf_printf(out, i ? " r%d" : "result r%d", p->output[i]);
    if (p->n_outputs) vv_buf_text(out, "\n");
}

void vv_program_pack(const vv_program *p, vv_buf *out)
{
    vv_buf_put_i64(out, p->n_inputs);
    for (int i = 0; i < p->n_inputs; i++) vv_buf_put_i64(out, p->type[i]);
    vv_buf_put_i64(out, p->n);
    for (int i = 0; i < p->n; i++) {
        const vv_instruction *k = &p->code[i];
        vv_buf_put_string(out, op_name(k->op));
        vv_buf_put_i64(out, k->type);
        vv_buf_put_i64(out, k->result);
        for (int j = 0; j < 3; j++) vv_buf_put_i64(out, k->in[j]);
        vv_buf_put_f64(out, k->constant_f);
        vv_buf_put_f64(out, k->constant_imaginary);
        vv_buf_put_i64(out, k->constant_i);
    }
    vv_buf_put_i64(out, p->n_outputs);
    for (int i = 0; i < p->n_outputs; i++) vv_buf_put_i64(out, p->output[i]);
}

static bool is_register(const vv_program *p, int64_t reg)
{
    return reg >= 0 && reg < p->n_registers;
}

static vv_status unpack_op(vv_program *p, const vv_op *op, const int in[3], const vv_instruction *k)
{
    int reg;
    for (int i = 0; i < op->arity; i++)
        if (p->type[in[i]] != k->type && !(op->condition && i == 0))
            return vv_fail(VV_ERR_FORMAT, "operand %d of %s has the wrong type", i, op->name);
    VV_TRY(vv_program_op(p, op, in, &reg));
    return VV_OK;
}

static vv_status unpack_instruction(vv_program *p, vv_reader *from)
{
    vv_instruction k = {0};
    const char *name = vv_read_string(from);
    k.type = (vv_dtype)vv_read_i64(from);
    k.result = (vv_dtype)vv_read_i64(from);
    for (int j = 0; j < 3; j++) k.in[j] = (int)vv_read_i64(from);
    k.constant_f = vv_read_f64(from);
    k.constant_imaginary = vv_read_f64(from);
    k.constant_i = vv_read_i64(from);
    int reg;
    if (from->failed) return vv_fail(VV_ERR_FORMAT, "a program is cut short");
    if (!strcmp(name, "constant")) {
        VV_TRY(vv_program_constant(p, k.type, k.constant_f, &reg));
        p->code[p->n - 1].constant_i = k.constant_i;
        p->code[p->n - 1].constant_imaginary = k.constant_imaginary;
        return VV_OK;
    }
    for (int j = 0; j < 3; j++)
        if (!is_register(p, k.in[j])) return vv_fail(VV_ERR_FORMAT, "a program reads a register that it does not have");
    if (!strcmp(name, "cast")) {
        VV_TRY(vv_program_cast(p, k.result, k.in[0], &reg));
        return VV_OK;
    }
    const vv_op *op = vv_op_find(name);
    if (!op) return vv_fail(VV_ERR_FORMAT, "a program uses the unknown operation '%s'", name);
    VV_TRY(unpack_op(p, op, k.in, &k));
    return VV_OK;
}

vv_status vv_program_unpack(vv_program *p, vv_reader *from)
{
    int reg;
    *p = (vv_program){0};
    int64_t n_inputs = vv_read_i64(from);
    for (int64_t i = 0; i < n_inputs && !from->failed; i++)
        VV_TRY(vv_program_input(p, (vv_dtype)vv_read_i64(from), &reg));
    int64_t n = vv_read_i64(from);
    for (int64_t i = 0; i < n && !from->failed; i++) VV_TRY(unpack_instruction(p, from));
    int64_t n_outputs = vv_read_i64(from);
    if (n_outputs < 1) from->failed = true;
    for (int64_t i = 0; i < n_outputs && !from->failed; i++) {
        int64_t output = vv_read_i64(from);
        if (from->failed || !is_register(p, output)) return vv_fail(VV_ERR_FORMAT, "a program's result is no register");
        if (i == 0)
            vv_program_set_output(p, (int)output);
        else
            VV_TRY(vv_program_add_output(p, (int)output));
    }
    return from->failed ? vv_fail(VV_ERR_FORMAT, "a program is cut short or damaged") : VV_OK;
}
