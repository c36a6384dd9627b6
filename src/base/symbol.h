/* Functions by name: the same function in another process.
 *
 * A function's address means nothing to other ranks: programs and libraries lie elsewhere in each process. What does mean something is the file that it
 * is in and how far from its begin; static functions have that, too, and no symbol table is needed. The file is known by its build id, which the linker
 * makes of its contents: another build of the program on another node is found out, instead of something else being called.
 *
 *     vv_symbol s;
 *     VV_TRY(vv_symbol_find((vv_function *)smooth, &s));
 *     ... s as bytes to another rank ...
 *     VV_TRY(vv_symbol_load(&s, &f));
 *     ((vv_block_function *)f)(task);
 */
#ifndef VV_BASE_SYMBOL_H
#define VV_BASE_SYMBOL_H

#include "base/status.h"

/* Any function; to be cast back before it is called. */
typedef void vv_function(void);

enum { VV_SYMBOL_ID = 20 };
typedef struct vv_symbol {
    char *module;                   /* its path, for messages and to load it from */
    unsigned char id[VV_SYMBOL_ID]; /* its build id; of files without one a hash of its code */
    int n_id;                       /* 0: in no module, made at run time: of use in this process alone */
    uint64_t offset;                /* in it; the address where n_id is 0 */
} vv_symbol;

VV_WARN_UNUSED vv_status vv_symbol_find(vv_function *f, vv_symbol *out);
/* The function in this process; its module is loaded if need be. VV_ERR_RUN names what is missing or is another build. */
VV_WARN_UNUSED vv_status vv_symbol_load(const vv_symbol *s, vv_function **out);
VV_WARN_UNUSED vv_status vv_symbol_copy(const vv_symbol *s, vv_symbol *out);
void vv_symbol_free(vv_symbol *s);
bool vv_symbol_equal(const vv_symbol *a, const vv_symbol *b);
/* "smooth" where the module exports it, else "prog+0x11e9", into out; returns out. */
const char *vv_symbol_text(const vv_symbol *s, vv_function *f, char *out, size_t size);

#endif
