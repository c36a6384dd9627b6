/* Options, and what a command line asks for.
 *
 * One table describes every option: names, argument, help, and how its text becomes a field of the request. From it come parsing, the help
 * texts and the manual pages; adding an option is one row and one field.
 *
 *     varve --memory 2GB mean t2m.nc -d lat,lon -O -o mean.nc --deflate=4
 *
 * Options may stand anywhere. `--name value`, `--name=value`, `-n value`, `-nvalue` are the same; flags without values may be joined
 * (`-qO`); `--` ends the options. The first other word is the command, the rest are its inputs. */
#ifndef VV_CLI_OPTIONS_H
#define VV_CLI_OPTIONS_H

#include "cli/commands.h"
#include "cli/words.h"

#include <math.h>

/* Which commands take an option. */
typedef enum vv_cli_group {
    VV_CLI_RUN = 1,      /* every command: how it runs */
    VV_CLI_WRITE = 2,    /* every command: how output is written */
    VV_CLI_GENERAL = 4,  /* every command */
    VV_CLI_OUTPUT = 8,   /* commands that write a file */
    VV_CLI_SELECT = 16,  /* commands that take variables */
    VV_CLI_REDUCE = 32,  /* reductions */
    VV_CLI_METHODS = 64, /* several reductions */
    VV_CLI_INFO = 128,
    VV_CLI_MANUAL = 256,
    VV_CLI_MODEL = 512, /* every command, with --explain */
    VV_CLI_JOIN = 1024, /* along which dimension files are put together */
    VV_CLI_QUANTILES = 2048,
    VV_CLI_GROUPS = 4096,   /* by parts of a date */
    VV_CLI_ANOMALY = 8192,  /* from what */
    VV_CLI_PERIODS = 16384, /* of the calendar */
    VV_CLI_WINDOWS = 32768,
    VV_CLI_PAIRS = 1 << 16,    /* of two variables */
    VV_CLI_PATTERNS = 1 << 17, /* that vary most */
    VV_CLI_SMOOTH = 1 << 18,   /* around the year */
    VV_CLI_JOB = 1 << 19,      /* of a batch system */
    VV_CLI_EXPRESSIONS = 1 << 20,
    VV_CLI_SPREAD = 1 << 21, /* windows around the times of groups */
    VV_CLI_TRENDS = 1 << 22,
    VV_CLI_LINES = 1 << 23,   /* what is told of a trend */
    VV_CLI_INDICES = 1 << 25, /* climate indices */
    VV_CLI_PICTURE = 1 << 24,
    VV_CLI_AREA = 1 << 26,   /* weights and masks */
    VV_CLI_LABELS = 1 << 27, /* groups by another variable */
    VV_CLI_POINTS = 1 << 28, /* of the globe */
    VV_CLI_BINS = 1 << 29,   /* of histograms */
    VV_CLI_KERNEL = 1 << 30, /* for functions of the user's */
    VV_CLI_EVERYWHERE = VV_CLI_RUN | VV_CLI_WRITE | VV_CLI_GENERAL | VV_CLI_MODEL
} vv_cli_group;

enum { VV_CLI_BAD_FAIL, VV_CLI_BAD_FILL };
enum { VV_CLI_GAPS_FAIL, VV_CLI_GAPS_SKIP };
enum {
    VV_CLI_EXPLAIN_NOT,
    VV_CLI_EXPLAIN_TEXT,
    VV_CLI_EXPLAIN_JSON,
    VV_CLI_EXPLAIN_SVG,
    VV_CLI_EXPLAIN_DOT,
    VV_CLI_DRY_RUN
};

#define VV_CLI_BENCH (1u << 31) /* what is measured: an enumeration has no room for it */

/* "25GB/s,2us" */
typedef struct vv_cli_net {
    double bandwidth, latency; /* 0: not given */
} vv_cli_net;

/* How a picture is to look. */
typedef struct vv_cli_picture {
    int kind; /* vv_plot_kind */
    const char *dims, *select, *panels, *title, *cmap, *center, *levels, *size;
    double vmin, vmax; /* NAN: not given */
    bool robust;
    int bins, dpi; /* 0: not given */
} vv_cli_picture;

/* What the command line asks for. Texts point into argv. */
typedef struct vv_cli_request {
    bool has_command;
    vv_cli_command command;
    vv_cli_words inputs;     /* words after the command, as given */
    const char *const *argv; /* all of it, for the history */
    int argc;

    vv_bytes memory; /* 0: not given */
    int threads;     /* 0: not given */
    int progress;    /* vv_progress_mode */
    int explain;
    const char *log, *placement, *policy, *scratch, *cache, *concat;
    const char *report, *trace; /* files about the run */
    bool stats, quiet, dry_run;
    int bad_chunk; /* VV_CLI_BAD_ */

    vv_bytes size; /* of a benchmark's data; 0: not given */
    int runs;      /* of a benchmark; 0: not given */
    bool weak, on_disk;

    int ranks; /* of the machine that explain speaks of; 0: not given */
    vv_cli_net net;
    double disk; /* 0: not given */

    const char *output;
    const char *args;                 /* for a function of the user's; NULL: none */
    int nodes, cores, ranks_per_node; /* of a batch job; 0: not given */
    const char *wall_time;
    bool overwrite, shuffle, resume;
    double checkpoint; /* seconds; 0: not given */
    int deflate;
    const char *filter, *dtype, *quantize, *unlimited, *format, *writer;
    const char *append; /* "": along the only dimension that can grow; NULL: not given */

    vv_cli_words dims, variables, methods, chunks, quantiles, series;
    const char *definition; /* of quantiles */
    const char *script;     /* of expressions */
    double ddof, least;
    bool skipna, keepdims;
    const char *group, *reference, *frequency, *when;
    const char *weights, *mask, *by;  /* "[FILE:]EXPRESSION" */
    const char *points, *interpolate; /* "lon,lat;lon,lat" or a file; nearest or bilinear */
    const char *stack;                /* files side by side along this dimension */
    const char *align;                /* of operands */
    vv_cli_words bins;                /* a number of them, or edges */
    const char *range;                /* of bins: "LOW:HIGH" */
    bool density;
    const char *base, *threshold; /* of climate indices */
    bool standardize, complete, center;
    int window, min_periods; /* 0: not given */

    const char *per; /* unit of time of a trend */
    bool adjust;
    vv_cli_words lags;
    double pair_ddof;
    int modes, gaps; /* 0: not given; VV_CLI_GAPS_ */
    bool correlation;
    int smooth, harmonics; /* 0: not given */
    vv_cli_picture picture;

    bool json, list, manual, help, version;
} vv_cli_request;

#define VV_CLI_REQUEST_INIT                                                                                            \
    {                                                                                                                  \
        .shuffle = true, .skipna = true, .deflate = -1, .pair_ddof = 1, .picture = {                                   \
            .vmin = (double)NAN,                                                                                       \
            .vmax = (double)NAN                                                                                        \
        }                                                                                                              \
    }

typedef struct vv_cli_option {
    const char *name;    /* "memory" */
    char letter;         /* 0: none */
    const char *value;   /* "SIZE"; NULL for a flag */
    const char *omitted; /* what `--name` without `=value` stands for; NULL: the value is needed */
    bool negatable;      /* --no-name */
    unsigned group;      /* vv_cli_group */
    const char *help;
    vv_status (*set)(const struct vv_cli_option *o, vv_cli_request *r, const char *text); /* NULL text: --no-name */
    size_t field;                                                                         /* offset in the request */
    double low, high;                                                                     /* of numbers */
    const char *const *choices; /* of words, NULL at the end */
} vv_cli_option;

extern const vv_cli_option vv_cli_options[];
extern const int vv_cli_n_options;
enum { VV_CLI_MAX_OPTIONS = 128 }; /* room for them */

/* Fills *r, which the caller has initialised and frees, whatever is returned. Opens nothing. */
VV_WARN_UNUSED vv_status vv_cli_parse(int argc, char *const argv[], vv_cli_request *r);
void vv_cli_request_free(vv_cli_request *r);

#endif
