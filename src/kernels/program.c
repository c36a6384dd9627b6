#include "kernels/program.h"

#include "kernels/decode.h"
#include "kernels/ops.h"

#include <string.h>

/* Slots lie an odd number of cache lines apart, so that equal positions of different registers do not compete for the same cache set. */
enum { SLOT = VV_TILE * 8 + 192 };

static int n_operands(const vv_instruction *k)
{
    return k->op >= 0 ? vv_ops[k->op]->arity : k->op == VV_OP_CAST;
}

static bool is_working(vv_dtype type)
{
    return type == VV_F32 || type == VV_F64 || type == VV_I64 || type == VV_U64;
}

typedef struct slots {
    int n_free;
    short free[VV_PROGRAM_MAX];
} slots;

/* Gives every computed register a slot; one whose last reader has run passes its slot on, but for results. An operation's own slot is taken before the operands'
 * are given back: kernels may rely on it that they do not overlap. */
static void assign_slots(vv_program *p)
{
    short last[VV_PROGRAM_MAX + VV_PROGRAM_INPUTS];
    slots s = {0};
    for (int i = 0; i < p->n; i++) {
        last[p->code[i].out] = (short)i;
        for (int k = 0; k < n_operands(&p->code[i]); k++) last[p->code[i].in[k]] = (short)i;
    }
    for (int i = 0; i < p->n_outputs; i++) last[p->output[i]] = (short)p->n;
    p->n_slots = 0;
    for (int i = 0; i < p->n; i++) {
        const vv_instruction *k = &p->code[i];
        p->slot[k->out] = s.n_free ? s.free[--s.n_free] : (short)p->n_slots++;
        if (last[k->out] == i) s.free[s.n_free++] = p->slot[k->out];
        for (int j = 0; j < n_operands(k); j++) {
            int reg = k->in[j];
            if (reg < p->n_inputs || last[reg] != i) continue;
            s.free[s.n_free++] = p->slot[reg];
            last[reg] = -1; /* read twice by this instruction: given back once */
        }
    }
}

void vv_program_set_output(vv_program *p, int reg)
{
    p->n_outputs = 1;
    p->output[0] = reg;
    assign_slots(p);
}

bool vv_program_has_output(const vv_program *p, int reg)
{
    int i = 0;
    while (i < p->n_outputs && p->output[i] != reg) i++;
    return i < p->n_outputs;
}

vv_status vv_program_add_output(vv_program *p, int reg)
{
    if (vv_program_has_output(p, reg)) return VV_OK;
    if (p->n_outputs == VV_PROGRAM_OUTPUTS)
        return vv_fail(VV_ERR_INTERNAL, "a program of more than %d results", VV_PROGRAM_OUTPUTS);
    p->output[p->n_outputs++] = reg;
    assign_slots(p);
    return VV_OK;
}

vv_status vv_program_input(vv_program *p, vv_dtype type, int *reg)
{
    if (!is_working(type)) return vv_fail(VV_ERR_TYPE, "%s values cannot be computed with", vv_dtype_name(type));
    if (p->n) return vv_fail(VV_ERR_INTERNAL, "an input of a program behind its first operation");
    if (p->n_inputs == VV_PROGRAM_INPUTS)
        return vv_fail(VV_ERR_USAGE, "an expression of more than %d arrays", VV_PROGRAM_INPUTS);
    *reg = p->n_inputs++;
    p->n_registers = p->n_inputs;
    p->type[*reg] = type;
    vv_program_set_output(p, *reg);
    return VV_OK;
}

static vv_status append(vv_program *p, vv_instruction k, int *reg)
{
    if (p->n == VV_PROGRAM_MAX)
        return vv_fail(VV_ERR_USAGE, "an expression of more than %d operations", VV_PROGRAM_MAX);
    k.out = p->n_registers++;
    p->type[k.out] = k.result;
    p->code[p->n++] = k;
    *reg = k.out;
    vv_program_set_output(p, *reg);
    return VV_OK;
}

vv_status vv_program_constant(vv_program *p, vv_dtype type, double value, int *reg)
{
    if (!is_working(type)) return vv_fail(VV_ERR_TYPE, "%s values cannot be computed with", vv_dtype_name(type));
    vv_instruction k = {.op = VV_OP_CONST, .type = type, .result = type};
    if (vv_dtype_is_float(type))
        k.constant_f = value;
    else
        vv_dtype_store(type, &k.constant_i, value);
    return append(p, k, reg);
}

vv_status vv_program_cast(vv_program *p, vv_dtype type, int operand, int *reg)
{
    if (!is_working(type)) return vv_fail(VV_ERR_TYPE, "%s values cannot be computed with", vv_dtype_name(type));
    *reg = operand;
    if (p->type[operand] == type) return VV_OK;
    vv_instruction k = {.op = VV_OP_CAST, .type = p->type[operand], .result = type, .in = {operand, operand, operand}};
    return append(p, k, reg);
}

static int op_number(const vv_op *op)
{
    int i = 0;
    while (vv_ops[i] != op) i++;
    return i;
}

/* A condition is used as it is when it is an integer, and compared with zero when it is a real. */
static vv_status add_condition(vv_program *p, int operand, int *reg)
{
    *reg = operand;
    if (!vv_dtype_is_float(p->type[operand])) return VV_OK;
    int zero;
    VV_TRY(vv_program_constant(p, p->type[operand], 0, &zero));
    VV_TRY(vv_program_op(p, vv_op_find("not_equal"), (int[]){operand, zero}, reg));
    return VV_OK;
}

vv_status vv_program_op(vv_program *p, const vv_op *op, const int operands[], int *reg)
{
    int first = op->condition;
    vv_dtype type = p->type[operands[first]];
    for (int i = first + 1; i < op->arity; i++) type = vv_dtype_promote(type, p->type[operands[i]]);
    vv_instruction k = {.op = op_number(op), .type = op->cast(type)};
    k.result = k.type == VV_NONE ? VV_NONE : op->result(k.type);
    if (k.result == VV_NONE) return vv_fail(VV_ERR_TYPE, "%s is not defined for %s", op->name, vv_dtype_name(type));
    if (first) VV_TRY(add_condition(p, operands[0], &k.in[0]));
    for (int i = first; i < op->arity; i++) VV_TRY(vv_program_cast(p, k.type, operands[i], &k.in[i]));
    for (int i = op->arity; i < 3; i++) k.in[i] = k.in[0];
    return append(p, k, reg);
}

/* Constants by their bits. */
static bool same_instruction(const vv_instruction *a, const vv_instruction *b)
{
    if (a->op != b->op || a->type != b->type || a->result != b->result || a->constant_i != b->constant_i) return false;
    if (a->op == VV_OP_CONST && !vv_same_bits(a->constant_f, b->constant_f)) return false;
    for (int i = 0; i < n_operands(a); i++)
        if (a->in[i] != b->in[i]) return false;
    return true;
}

vv_status vv_program_embed(vv_program *p, const vv_program *other, const int inputs[], int reg[])
{
    for (int i = 0; i < other->n_inputs; i++) reg[i] = inputs[i];
    for (int i = 0; i < other->n; i++) {
        vv_instruction k = other->code[i];
        int have = 0, *out = &reg[other->code[i].out];
        for (int j = 0; j < 3; j++) k.in[j] = k.op == VV_OP_CONST ? 0 : reg[k.in[j]];
        while (have < p->n && !same_instruction(&p->code[have], &k)) have++;
        if (have < p->n)
            *out = p->code[have].out;
        else
            VV_TRY(append(p, k, out));
    }
    return VV_OK;
}

vv_bytes vv_program_workspace(const vv_program *p)
{
    return (vv_bytes)p->n_slots * SLOT;
}

static void fill_constant(const vv_instruction *k, vv_index n, void *out)
{
    float narrow = (float)k->constant_f;
    const void *element = k->type == VV_F32 ? (const void *)&narrow : (const void *)&k->constant_f;
    if (!vv_dtype_is_float(k->type)) element = &k->constant_i;
    vv_fill(n, vv_dtype_size(k->type), element, out);
}

const void *vv_program_run(const vv_program *p, vv_index n, const void *const inputs[], void *workspace)
{
    const void *reg[VV_PROGRAM_MAX + VV_PROGRAM_INPUTS];
    for (int i = 0; i < p->n_inputs; i++) reg[i] = inputs[i];
    for (int i = 0; i < p->n; i++) {
        const vv_instruction *k = &p->code[i];
        void *out = (char *)workspace + (size_t)p->slot[k->out] * SLOT;
        reg[k->out] = out;
        if (k->op == VV_OP_CONST) {
            fill_constant(k, n, out);
            continue;
        }
        vv_op_kernel *run = k->op == VV_OP_CAST ? vv_cast_kernel(k->type, k->result) : vv_ops[k->op]->kernel(k->type);
        run(n, reg[k->in[0]], reg[k->in[1]], reg[k->in[2]], out);
    }
    return reg[p->output[0]];
}

const void *vv_program_values(const vv_program *p, int reg, const void *const inputs[], const void *workspace)
{
    return reg < p->n_inputs ? inputs[reg] : (const char *)workspace + (size_t)p->slot[reg] * SLOT;
}
