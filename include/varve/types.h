/* Basic types of Varve: indices, element types, status codes.
 *
 * Everything else in the public headers is written in these words. Two lists in this file are the single place
 * where an element type or an error is defined; tables, texts and tests are made from them. */
#ifndef VARVE_TYPES_H
#define VARVE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define VV_API               __attribute__((visibility("default")))
#define VV_WARN_UNUSED       __attribute__((warn_unused_result))
#define VV_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define VV_API
#define VV_WARN_UNUSED
#define VV_PRINTF(fmt, args)
#endif

typedef int64_t vv_index; /* an element's or a chunk's position, a length, a count */
typedef int64_t vv_bytes; /* a number of bytes */

enum { VV_MAX_DIMS = 32 }; /* as many as HDF5 allows */

/* Element types: X(ENUM, name, C type of one element, kind) where kind is b bool, i signed, u unsigned, f real, c complex. */
#define VV_DTYPE_LIST(X)                                                                                               \
    X(BOOL, "bool", uint8_t, 'b')                                                                                      \
    X(I8, "i8", int8_t, 'i')                                                                                           \
    X(I16, "i16", int16_t, 'i')                                                                                        \
    X(I32, "i32", int32_t, 'i')                                                                                        \
    X(I64, "i64", int64_t, 'i')                                                                                        \
    X(U8, "u8", uint8_t, 'u')                                                                                          \
    X(U16, "u16", uint16_t, 'u')                                                                                       \
    X(U32, "u32", uint32_t, 'u')                                                                                       \
    X(U64, "u64", uint64_t, 'u')                                                                                       \
    X(F32, "f32", float, 'f')                                                                                          \
    X(F64, "f64", double, 'f')                                                                                         \
    X(C64, "c64", vv_c64, 'c')                                                                                         \
    X(C128, "c128", vv_c128, 'c')

typedef struct vv_c64 {
    float re, im;
} vv_c64;
typedef struct vv_c128 {
    double re, im;
} vv_c128;

typedef enum vv_dtype {
    VV_NONE = 0, /* no type: an operation that has no result for its operands */
#define VV_DTYPE_ENUM(ENUM, name, ctype, kind) VV_##ENUM,
    VV_DTYPE_LIST(VV_DTYPE_ENUM)
#undef VV_DTYPE_ENUM
        VV_DTYPE_COUNT
} vv_dtype;

/* Status codes: X(NAME, exit status of the command line, what it means). */
#define VV_STATUS_LIST(X)                                                                                              \
    X(OK, 0, "no error")                                                                                               \
    X(ERR_RUN, 1, "the run failed")                                                                                    \
    X(ERR_NOMEM, 1, "the system gave no more memory")                                                                  \
    X(ERR_MPI, 1, "communication between ranks failed")                                                                \
    X(ERR_CANCELLED, 1, "stopped because another part of the run failed")                                              \
    X(ERR_FAULT, 1, "a fault planted for testing")                                                                     \
    X(ERR_INTERNAL, 1, "a mistake in Varve itself; please report it")                                                  \
    X(ERR_USAGE, 2, "wrong arguments")                                                                                 \
    X(ERR_SHAPE, 2, "shapes or dimensions do not fit together")                                                        \
    X(ERR_TYPE, 2, "the operation is not defined for this element type")                                               \
    X(ERR_NOT_FOUND, 3, "no such file, variable or dimension")                                                         \
    X(ERR_FORMAT, 3, "not a file of a known format, or damaged")                                                       \
    X(ERR_CORRUPT, 3, "stored data is damaged")                                                                        \
    X(ERR_UNSUPPORTED, 3, "stored in a way that is not supported")                                                     \
    X(ERR_READ, 3, "input could not be read")                                                                          \
    X(ERR_BUDGET, 4, "does not fit the memory budget")                                                                 \
    X(ERR_EXISTS, 5, "the output exists")                                                                              \
    X(ERR_WRITE, 5, "output could not be written")                                                                     \
    X(ERR_INTERRUPTED, 130, "interrupted")                                                                             \
    X(ERR_TERMINATED, 143, "terminated")

enum {
#define VV_STATUS_ENUM(NAME, exit, text) VV_##NAME,
    VV_STATUS_LIST(VV_STATUS_ENUM)
#undef VV_STATUS_ENUM
        VV_STATUS_COUNT
};

/* An int, not the enum's own type, so that a driver may be written as `static int driver(...)`. */
typedef int vv_status;

/* "ERR_READ" and "input could not be read" for a code. Local. */
VV_API const char *vv_status_name(vv_status code);
VV_API const char *vv_status_text(vv_status code);

/* The process exit status that belongs to a code. Local. */
VV_API int vv_status_exit(vv_status code);

/* The text of the last error of the calling thread: one line, never NULL, valid until its next error. Local. */
VV_API const char *vv_last_error(void);

/* Size in bytes of one element, its name ("f32"), the type of a name (VV_NONE when there is none). Local. */
VV_API vv_bytes vv_dtype_size(vv_dtype type);
VV_API const char *vv_dtype_name(vv_dtype type);
VV_API vv_dtype vv_dtype_parse(const char *name);

#ifdef __cplusplus
}
#endif
#endif
