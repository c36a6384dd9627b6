/* The elementwise machine: operations, run over cache-sized pieces.
 *
 * A program is a list of instructions over registers; a register is a piece of up to VV_TILE values of one working type. Registers
 * 0 .. n_inputs-1 are the inputs. Fusing k operations therefore costs at most k passes over the first-level cache and none over memory; arithmetic whose only
 * reader comes next is a chain (kernels/program/chain.h), which is one pass.
 * Operations are entries of one table (vv_ops): adding one is one line in ops.def.h or one function in a file of its own.
 * Truth values are i64, 0 or 1: there is no bool among the working types.
 * Types: operands are promoted with vv_dtype_promote within the working types before the call, by cast instructions
 * that the builder inserts. Results do not depend on the instruction set in use: no fused multiply-add, no reassociation.
 *
 *     vv_program p = {0};
 *     int x = vv_program_input(&p, VV_F32), y = vv_program_input(&p, VV_F32), r;
 *     VV_TRY(vv_program_op(&p, vv_op_find("multiply"), (int[]){x, x}, &r)); ...
 */
#ifndef VV_KERNELS_PROGRAM_H
#define VV_KERNELS_PROGRAM_H

#include "base/dtype.h"
#include "base/text.h"
#include "kernels/program/chain.h"

enum { VV_PROGRAM_MAX = 256, VV_PROGRAM_INPUTS = 32, VV_PROGRAM_OUTPUTS = 16 };

typedef void vv_op_kernel(vv_index n, const void *a, const void *b, const void *c, void *out);

typedef struct vv_op {
    const char *name; /* NumPy's */
    const char *help; /* "square root" */
    int number;       /* its place in vv_ops */
    int arity;        /* 1 .. 3 */
    /* Of integers and reals; what complex numbers have is in kernels/complex.h. To be asked by vv_op_result(), vv_op_cast() and vv_op_kernel_of(). */
    vv_dtype (*result)(vv_dtype in);
    vv_dtype (*cast)(vv_dtype in);
    vv_op_kernel *(*kernel)(vv_dtype in);
    bool condition; /* operand 0 is a condition (zero or not), kept out of the promotion */
    bool wraps;     /* its result may not fit a type narrower than the working one, where NumPy's wraps */
    vv_dtype
        gives; /* element type of its result whatever the operands are; VV_NONE: theirs, or the working type of the result */
} vv_op;

extern const vv_op *const vv_ops[];
extern const int vv_n_ops;
const vv_op *vv_op_find(const char *name);
/* Result type for operands already promoted to one working type `in`; VV_NONE: not defined, or only after a cast to vv_op_cast(in). */
vv_dtype vv_op_result(const vv_op *op, vv_dtype in);
/* The working type that the operation computes in: sqrt casts i64 to f64; VV_NONE: not defined. */
vv_dtype vv_op_cast(const vv_op *op, vv_dtype in);
vv_op_kernel *vv_op_kernel_of(const vv_op *op, vv_dtype in);
/* A transcendental function (kernels/smooth/smooth.def.h): much dearer than arithmetic. op: its place in vv_ops. */
bool vv_op_is_smooth(int op);

typedef struct vv_instruction {
    int op;        /* index in vv_ops, or VV_OP_CONST / VV_OP_CAST */
    vv_dtype type; /* working type of the operands */
    vv_dtype result;
    int in[3];
    int out;
    double constant_f, constant_imaginary;
    int64_t constant_i;
    vv_link_op link; /* what it is in a chain of reals */
} vv_instruction;
enum { VV_OP_CONST = -1, VV_OP_CAST = -2 };

/* An instruction by its own kernel; one of a chain, whose value goes on to the next one or is the chain's; a constant that only chains read, of which
 * there is one strip. */
typedef enum vv_run_as { VV_AS_KERNEL, VV_AS_LINK, VV_AS_LAST, VV_AS_STRIP } vv_run_as;

typedef struct vv_program {
    int n_inputs, n_registers, n;
    int n_outputs; /* registers whose values are there when a run has ended; the first one is the result */
    int output[VV_PROGRAM_OUTPUTS];
    vv_dtype type[VV_PROGRAM_MAX + VV_PROGRAM_INPUTS]; /* of each register */
    vv_instruction code[VV_PROGRAM_MAX];
    /* How it is run. */
    vv_run_as as[VV_PROGRAM_MAX];
    int n_slots, n_strips; /* pieces of workspace, and which one each computed register has, if it has one */
    bool wide;             /* some register is of 16 bytes an element, and so all slots are */
    short slot[VV_PROGRAM_MAX + VV_PROGRAM_INPUTS];
} vv_program;

/* Inputs come before everything else. */
VV_WARN_UNUSED vv_status vv_program_input(vv_program *p, vv_dtype type, int *reg);
VV_WARN_UNUSED vv_status vv_program_constant(vv_program *p, vv_dtype type, double value, int *reg);
VV_WARN_UNUSED vv_status vv_program_complex(vv_program *p, vv_dtype type, vv_c128 value, int *reg);
/* Appends an operation with promotion and casts; VV_ERR_TYPE when it is not defined for the operands. */
VV_WARN_UNUSED vv_status vv_program_op(vv_program *p, const vv_op *op, const int operands[], int *reg);
/* A register's values as another working type; the register itself when it has this type already. */
VV_WARN_UNUSED vv_status vv_program_cast(vv_program *p, vv_dtype type, int operand, int *reg);
/* The only result, instead of the register added last. Comes before others are added. */
void vv_program_set_output(vv_program *p, int reg);
/* One more result; nothing changes when it is one already. No operations are added after this. */
VV_WARN_UNUSED vv_status vv_program_add_output(vv_program *p, int reg);
bool vv_program_has_output(const vv_program *p, int reg);
/* Appends the operations of another program: input k of it is register inputs[k] here. Those that are here already are not done twice. reg: where each of
 * its registers is now, n_registers of them. */
VV_WARN_UNUSED vv_status vv_program_embed(vv_program *p, const vv_program *other, const int inputs[], int reg[]);

/* Registers share storage once their values are dead: bytes of workspace for one run. */
vv_bytes vv_program_workspace(const vv_program *p);
/* One piece of n <= VV_TILE values; returns the address of the first result's: in the workspace, or an input's own when the program is empty. */
const void *vv_program_run(const vv_program *p, vv_index n, const void *const inputs[], void *workspace);
/* The same with the first result at `out`, if that is what is returned: where it is what the last instruction makes. `out` overlaps no input. */
const void *vv_program_run_to(const vv_program *p, vv_index n, const void *const inputs[], void *workspace, void *out);
/* Where the values of any result are after a run. */
const void *vv_program_values(const vv_program *p, int reg, const void *const inputs[], const void *workspace);

/* Text for people, and packed form for the plan. */
void vv_program_print(const vv_program *p, vv_buf *out);
void vv_program_pack(const vv_program *p, vv_buf *out);
VV_WARN_UNUSED vv_status vv_program_unpack(vv_program *p, vv_reader *in);

#endif
