/* Errors: a code that is returned, and a record that tells the story.
 *
 * A fallible function returns vv_status. The function that finds the error calls vv_fail(), which fills the calling
 * thread's error record (code, text, where) and returns the code; each caller passes it up through VV_TRY, which adds one frame
 * to a bounded trace. Nothing here allocates, so that running out of memory can be reported. The record is plain data: it is
 * copied between threads with vv_error_get/set and between ranks as bytes.
 *
 *     static vv_status read_header(const char *path)
 *     {
 *         int fd = open(path, O_RDONLY);
 *         if (fd < 0) return vv_fail_errno(VV_ERR_READ, "cannot open %s", path);
 *         VV_TRY(check_magic(fd));
 *         ...
 *
 * Never report a failure that you handle: start over with vv_error_clear(). */
#ifndef VV_BASE_STATUS_H
#define VV_BASE_STATUS_H

#include "varve/types.h"

enum { VV_ERROR_TEXT = 512, VV_ERROR_FRAMES = 12 };

typedef struct vv_error_frame {
    const char *function; /* string literals of this binary: meaningful in this process only */
    const char *file;
    int line;
} vv_error_frame;

typedef struct vv_failure {
    vv_status code;
    int rank;     /* rank where it happened, -1 when that does not matter */
    int n_frames; /* frames seen, may exceed those kept */
    char text[VV_ERROR_TEXT];
    vv_error_frame frame[VV_ERROR_FRAMES];
} vv_failure;

/* Records an error of the calling thread and returns its code. Use the macros. */
vv_status vv_error_raise(const char *function, const char *file, int line, vv_status code, int sys_errno,
                         const char *format, ...) VV_PRINTF(6, 7);
#define vv_fail(code, ...) vv_error_raise(__func__, __FILE__, __LINE__, (code), 0, __VA_ARGS__)
/* The same, with ": <what errno says>" appended. */
#define vv_fail_errno(code, ...) vv_error_raise(__func__, __FILE__, __LINE__, (code), errno, __VA_ARGS__)

/* Adds "text: " in front of the current error's text: the file, variable or chunk that a deeper layer did not know. Returns its code. */
vv_status vv_error_prefix(const char *format, ...) VV_PRINTF(1, 2);
void vv_error_frame_add(const char *function, const char *file, int line);

/* The calling thread's record; copying it out and in moves an error between threads and ranks. */
void vv_error_get(vv_failure *out);
void vv_error_set(const vv_failure *in);
void vv_error_clear(void);

/* The trace as text, innermost first, for --log debug. */
void vv_error_trace(const vv_failure *e, char *out, size_t size);

/* The rank of this process, written into records and log lines; set once by the session. */
void vv_set_rank(int rank, int ranks);
int vv_this_rank(void);
int vv_all_ranks(void);

#define VV_TRY(call)                                                                                                   \
    do {                                                                                                               \
        vv_status vv_try_ = (call);                                                                                    \
        if (vv_try_ != VV_OK) {                                                                                        \
            vv_error_frame_add(__func__, __FILE__, __LINE__);                                                          \
            return vv_try_;                                                                                            \
        }                                                                                                              \
    } while (0)

/* For functions that clean up: sets `status` and jumps. */
#define VV_TRY_GOTO(status, label, call)                                                                               \
    do {                                                                                                               \
        (status) = (call);                                                                                             \
        if ((status) != VV_OK) {                                                                                       \
            vv_error_frame_add(__func__, __FILE__, __LINE__);                                                          \
            goto label;                                                                                                \
        }                                                                                                              \
    } while (0)

#endif
