#include "kernels/program/program.h"

#include "kernels/codec/decode.h"
#include "kernels/program/ops.h"

#include <string.h>

/* Slots lie an odd number of cache lines apart, so that equal positions of different registers do not compete for the same cache set. */
static size_t slot_bytes(const vv_program *p)
{
    return VV_TILE * (p->wide ? 16 : 8) + 192;
}

static int n_operands(const vv_instruction *k)
{
    return k->op >= 0 ? vv_ops[k->op]->arity : k->op == VV_OP_CAST;
}

static bool is_working(vv_dtype type)
{
    return type != VV_NONE && vv_working_type(type) == type;
}

/* --- how a program is run --- */

typedef struct reader {
    int n;       /* instructions that read a register, results counting as two */
    bool kernel; /* one of them by its own kernel */
} reader;

static bool is_constant(const vv_program *p, int reg)
{
    return reg >= p->n_inputs && p->code[reg - p->n_inputs].op == VV_OP_CONST;
}

/* Arithmetic of reals with something to begin a strip with. */
static bool can_be_link(const vv_program *p, const vv_instruction *k)
{
    if (!vv_dtype_is_float(k->type) || k->link == VV_LINK_NONE) return false;
    return !is_constant(p, k->in[0]) || (n_operands(k) == 2 && !is_constant(p, k->in[1]));
}

/* Whether a value goes on in its strip from one instruction to another, which is the only one that reads it. */
static bool goes_on(const vv_instruction *from, const vv_instruction *to, const reader *r)
{
    bool both = n_operands(to) == 2 && to->in[0] == to->in[1];
    return to->type == from->type && r[from->out].n == 1 && !both &&
           (to->in[0] == from->out || (n_operands(to) == 2 && to->in[1] == from->out));
}

static void assign_ways(vv_program *p)
{
    reader r[VV_PROGRAM_MAX + VV_PROGRAM_INPUTS] = {0};
    int last = -1, links = 0; /* the instruction before, constants aside */
    for (int i = 0; i < p->n_outputs; i++) r[p->output[i]] = (reader){2, true};
    for (int i = 0; i < p->n; i++) {
        const vv_instruction *k = &p->code[i];
        bool link = can_be_link(p, k);
        p->as[i] = link ? VV_AS_LAST : VV_AS_KERNEL;
        for (int j = 0; j < n_operands(k); j++) {
            if (j == 0 || k->in[j] != k->in[0]) r[k->in[j]].n++;
            if (!link) r[k->in[j]].kernel = true;
        }
    }
    for (int i = 0; i < p->n; i++) {
        const vv_instruction *k = &p->code[i];
        if (k->op == VV_OP_CONST) {
            if (!r[k->out].kernel) p->as[i] = VV_AS_STRIP;
            continue;
        }
        bool more = last >= 0 && links < VV_CHAIN_MAX && p->as[last] == VV_AS_LAST && p->as[i] == VV_AS_LAST &&
                    goes_on(&p->code[last], k, r);
        if (more) p->as[last] = VV_AS_LINK;
        links = more ? links + 1 : 1;
        last = i;
    }
}

typedef struct slots {
    int n_free;
    short free[VV_PROGRAM_MAX];
} slots;

/* When each register is read for the last time: at the end of the chain that reads it. */
static void find_last(const vv_program *p, short last[])
{
    short end[VV_PROGRAM_MAX];
    for (int i = p->n - 1, e = 0; i >= 0; i--) {
        if (p->as[i] == VV_AS_KERNEL || p->as[i] == VV_AS_LAST) e = p->code[i].op == VV_OP_CONST ? e : i;
        end[i] = (short)e;
    }
    for (int i = 0; i < p->n; i++) {
        const vv_instruction *k = &p->code[i];
        last[k->out] = (short)i;
        for (int j = 0; j < n_operands(k); j++) last[k->in[j]] = end[i];
    }
    for (int i = 0; i < p->n_outputs; i++) last[p->output[i]] = (short)p->n;
}

/* Slots of the operands of an instruction that nobody reads after instruction `now`. */
static void release(const vv_program *p, const vv_instruction *k, int now, short last[], slots *s)
{
    for (int j = 0; j < n_operands(k); j++) {
        int reg = k->in[j], from = reg - p->n_inputs;
        if (from < 0 || last[reg] != now || p->as[from] == VV_AS_STRIP || p->as[from] == VV_AS_LINK) continue;
        s->free[s->n_free++] = p->slot[reg];
        last[reg] = -1; /* read twice: given back once */
    }
}

/* Gives computed registers their slots; one whose last reader has run passes its slot on, but for results. An operation's own slot is taken before the
 * operands' are given back: kernels may rely on it that they do not overlap. */
static void assign_slots(vv_program *p)
{
    short last[VV_PROGRAM_MAX + VV_PROGRAM_INPUTS];
    slots s = {0};
    assign_ways(p);
    find_last(p, last);
    p->n_slots = p->n_strips = 0;
    for (int i = 0; i < p->n_registers; i++) p->wide = p->wide || p->type[i] == VV_C128;
    for (int i = 0, begin = 0; i < p->n; i++) {
        const vv_instruction *k = &p->code[i];
        if (p->as[i] == VV_AS_STRIP) p->slot[k->out] = (short)p->n_strips++;
        if (p->as[i] == VV_AS_STRIP || p->as[i] == VV_AS_LINK) continue;
        p->slot[k->out] = s.n_free ? s.free[--s.n_free] : (short)p->n_slots++;
        if (last[k->out] == i) s.free[s.n_free++] = p->slot[k->out];
        for (; begin <= i && k->op != VV_OP_CONST; begin++) release(p, &p->code[begin], i, last, &s);
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
    if (vv_dtype_is_integer(type))
        vv_dtype_store(type, &k.constant_i, value);
    else
        k.constant_f = value;
    return append(p, k, reg);
}

vv_status vv_program_complex(vv_program *p, vv_dtype type, vv_c128 value, int *reg)
{
    if (!vv_dtype_is_complex(type)) return vv_program_constant(p, type, value.re, reg);
    vv_instruction k = {.op = VV_OP_CONST, .type = type, .result = type};
    k.constant_f = value.re;
    k.constant_imaginary = value.im;
    return append(p, k, reg);
}

vv_status vv_program_cast(vv_program *p, vv_dtype type, int operand, int *reg)
{
    if (!is_working(type)) return vv_fail(VV_ERR_TYPE, "%s values cannot be computed with", vv_dtype_name(type));
    *reg = operand;
    if (p->type[operand] == type) return VV_OK;
    if (vv_dtype_is_complex(p->type[operand]) && !vv_dtype_is_complex(type))
        return vv_fail(VV_ERR_TYPE, "complex values cannot be made %s", vv_dtype_name(type));
    vv_instruction k = {.op = VV_OP_CAST, .type = p->type[operand], .result = type, .in = {operand, operand, operand}};
    return append(p, k, reg);
}

/* A condition is used as it is when it is an integer, and compared with zero when it is none. */
static vv_status add_condition(vv_program *p, int operand, int *reg)
{
    *reg = operand;
    if (vv_dtype_is_integer(p->type[operand])) return VV_OK;
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
    vv_instruction k = {.op = op->number, .type = vv_op_cast(op, type)};
    k.result = k.type == VV_NONE ? VV_NONE : vv_op_result(op, k.type);
    k.link = vv_link_of(k.op);
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
    if (a->op == VV_OP_CONST &&
        (!vv_same_bits(a->constant_f, b->constant_f) || !vv_same_bits(a->constant_imaginary, b->constant_imaginary)))
        return false;
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
    return p->n_slots * (vv_bytes)slot_bytes(p) + (vv_bytes)p->n_strips * VV_STRIP;
}

static void fill_constant(const vv_instruction *k, vv_index n, void *out)
{
    _Alignas(16) char element[16];
    const vv_c128 wide = {k->constant_f, k->constant_imaginary};
    const vv_c64 narrow = {(float)wide.re, (float)wide.im};
    switch (k->type) {
    case VV_F32:
    case VV_F64: vv_dtype_store(k->type, element, k->constant_f); break;
    case VV_C64: memcpy(element, &narrow, sizeof narrow); break;
    case VV_C128: memcpy(element, &wide, sizeof wide); break;
    default: memcpy(element, &k->constant_i, sizeof k->constant_i); break;
    }
    vv_fill(n, vv_dtype_size(k->type), element, out);
}

/* Where a register of a program is during a run, and the chain that is being put together. */
typedef struct run {
    const vv_program *p;
    const void *reg[VV_PROGRAM_MAX + VV_PROGRAM_INPUTS];
    char *slots, *strips;
    int n_links;
    const void *first;
    vv_link link[VV_CHAIN_MAX];
} run;

/* One more link of the chain: what goes on, or what it begins with, is one of its operands. */
static void add_link(run *r, const vv_instruction *k, int before)
{
    const vv_program *p = r->p;
    int first = k->in[0], other = k->in[1];
    bool back = r->n_links ? first != before : is_constant(p, first);
    if (!r->n_links) r->first = r->reg[back ? other : first];
    vv_link *l = &r->link[r->n_links++];
    *l = (vv_link){.op = back ? vv_link_back(k->link) : k->link};
    if (n_operands(k) == 1) return;
    int reg = back ? first : other;
    bool strip = reg >= p->n_inputs && p->as[reg - p->n_inputs] == VV_AS_STRIP;
    l->operand = r->reg[reg];
    l->step = strip ? 0 : VV_STRIP;
}

static void run_kernel(run *r, const vv_instruction *k, vv_index n, void *out)
{
    vv_op_kernel *kernel =
        k->op == VV_OP_CAST ? vv_cast_kernel(k->type, k->result) : vv_op_kernel_of(vv_ops[k->op], k->type);
    kernel(n, r->reg[k->in[0]], r->reg[k->in[1]], r->reg[k->in[2]], out);
}

const void *vv_program_run_to(const vv_program *p, vv_index n, const void *const inputs[], void *workspace,
                              void *result)
{
    run r;
    r.p = p;
    r.slots = workspace;
    size_t slot = slot_bytes(p);
    r.strips = r.slots + (size_t)p->n_slots * slot;
    r.n_links = 0;
    for (int i = 0; i < p->n_inputs; i++) r.reg[i] = inputs[i];
    for (int i = 0, before = -1; i < p->n; i++) {
        const vv_instruction *k = &p->code[i];
        bool strip = p->as[i] == VV_AS_STRIP;
        void *out = strip ? r.strips + (size_t)p->slot[k->out] * VV_STRIP : r.slots + (size_t)p->slot[k->out] * slot;
        if (result && i == p->n - 1 && !strip && k->out == p->output[0]) out = result;
        r.reg[k->out] = out;
        if (k->op == VV_OP_CONST) {
            fill_constant(k, strip ? VV_STRIP / vv_dtype_size(k->type) : n, out);
            continue;
        }
        if (p->as[i] == VV_AS_KERNEL)
            run_kernel(&r, k, n, out);
        else
            add_link(&r, k, before);
        before = k->out;
        if (p->as[i] != VV_AS_LAST) continue;
        vv_chain_run(k->type, n, r.first, r.link, r.n_links, out);
        r.n_links = 0;
    }
    return r.reg[p->output[0]];
}

const void *vv_program_run(const vv_program *p, vv_index n, const void *const inputs[], void *workspace)
{
    return vv_program_run_to(p, n, inputs, workspace, NULL);
}

const void *vv_program_values(const vv_program *p, int reg, const void *const inputs[], const void *workspace)
{
    return reg < p->n_inputs ? inputs[reg] : (const char *)workspace + (size_t)p->slot[reg] * slot_bytes(p);
}
