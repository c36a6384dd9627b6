/* The table of options and the functions that turn an option's text into a field. */
#include "cli/options.h"

#include "cli/units.h"
#include "cli/when.h"
#include "varve/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *field(const vv_cli_option *o, vv_cli_request *r)
{
    return (char *)r + o->field;
}

static vv_status set_flag(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    *(bool *)field(o, r) = text != NULL;
    return VV_OK;
}

static vv_status set_text(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    if (!*text) return vv_error(VV_ERR_USAGE, "--%s needs %s", o->name, o->value);
    *(const char **)field(o, r) = text;
    return VV_OK;
}

/* An empty text is fine. */
static vv_status set_any(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    *(const char **)field(o, r) = text;
    return VV_OK;
}

static vv_status set_list(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    char what[32] = "--";
    strncat(what, o->name, sizeof what - 3);
    return vv_cli_words_split(field(o, r), text, what);
}

static vv_status set_bytes(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    vv_bytes n;
    if (vv_parse_bytes(text, &n) != VV_OK || n <= 0)
        return vv_error(VV_ERR_USAGE, "--%s takes a size such as 512MB or 1.5G, not '%s'", o->name, text);
    *(vv_bytes *)field(o, r) = n;
    return VV_OK;
}

static vv_status set_whole(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || (double)n < o->low || (double)n > o->high)
        return vv_error(VV_ERR_USAGE, "--%s takes a whole number from %.0f to %.0f, not '%s'", o->name, o->low, o->high,
                        text);
    *(int *)field(o, r) = (int)n;
    return VV_OK;
}

static vv_status set_number(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x))
        return vv_error(VV_ERR_USAGE, "--%s takes a number, not '%s'", o->name, text);
    *(double *)field(o, r) = x;
    return VV_OK;
}

static vv_status set_duration(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    bool plain = end != text && !*end && isfinite(x) && x > 0;
    if (plain) *(double *)field(o, r) = x;
    if (plain || vv_cli_seconds(text, field(o, r))) return VV_OK;
    return vv_error(VV_ERR_USAGE, "--%s takes a time such as 90s, 10m or 1h, not '%s'", o->name, text);
}

static vv_status set_condition(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    const char *op;
    double value;
    *(const char **)field(o, r) = text;
    return vv_cli_condition(text, &op, &value);
}

static vv_status set_bandwidth(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    if (vv_cli_bandwidth(text, strlen(text), field(o, r))) return VV_OK;
    return vv_error(VV_ERR_USAGE, "--%s takes bytes per second such as 2GB/s or 500MB/s, not '%s'", o->name, text);
}

static vv_status set_net(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    vv_cli_net net = {0, 0};
    size_t length = strcspn(text, ",");
    bool good = vv_cli_bandwidth(text, length, &net.bandwidth);
    if (good && text[length]) good = vv_cli_seconds(text + length + 1, &net.latency);
    if (!good)
        return vv_error(VV_ERR_USAGE,
                        "--%s takes a bandwidth and, if you like, a latency, such as 25GB/s,2us or 200Gbit/s, not '%s'",
                        o->name, text);
    *(vv_cli_net *)field(o, r) = net;
    return VV_OK;
}

/* The field becomes `low` plus the position of the word among the choices. */
static vv_status set_choice(const vv_cli_option *o, vv_cli_request *r, const char *text)
{
    for (int i = 0; o->choices[i]; i++)
        if (!strcmp(text, o->choices[i])) {
            *(int *)field(o, r) = (int)o->low + i;
            return VV_OK;
        }
    return vv_error(VV_ERR_USAGE, "--%s is one of %s, not '%s'", o->name, o->value, text);
}

static const char *const progress_modes[] = {"auto", "on", "off", NULL};
static const char *const gap_modes[] = {"fail", "skip", NULL};
static const char *const bad_chunks[] = {"fail", "fill", NULL};
static const char *const explain_forms[] = {"text", "json", "svg", "dot", NULL};

static const char *const picture_kinds[] = {"auto", "map", "line", "histogram", NULL};

#define FIELD(name) .field = offsetof(vv_cli_request, name)

const vv_cli_option vv_cli_options[] = {
    {"dim", 'd', "DIM[,DIM]", .group = VV_CLI_REDUCE | VV_CLI_JOIN, .set = set_list, FIELD(dims),
     .help = "dimensions to reduce over; may be repeated; default: all dimensions of each variable; of climate "
             "commands: the time. For concat and "
             "stack: the one dimension along which files are put together"},
    {"method", 'm', "NAME[,NAME]", .group = VV_CLI_METHODS, .set = set_list, FIELD(methods),
     .help = "reductions to do in one pass, such as mean,std,min,max; default, where there is one: mean"},
    {"quantile", 'q', "Q[,Q]", .group = VV_CLI_QUANTILES, .set = set_list, FIELD(quantiles),
     .help = "which quantiles, 0 to 1; several lie along a new first dimension 'quantile'"},
    {"method", 'm', "DEFINITION", .group = VV_CLI_QUANTILES | VV_CLI_INDICES, .set = set_text, FIELD(definition),
     .help = "NumPy's name of how a quantile between two elements is defined: linear (the default), inverted_cdf, "
             "averaged_inverted_cdf, closest_observation, interpolated_inverted_cdf, hazen, weibull, median_unbiased, "
             "normal_unbiased, lower, higher, midpoint or nearest; of indices median_unbiased is the default"},
    {"base-period", 0, "PERIOD", .group = VV_CLI_INDICES, .set = set_text, FIELD(base),
     .help = "the years that percentiles are of, such as 1961:1990; default: all"},
    {"threshold", 0, "X", .group = VV_CLI_INDICES, .set = set_text, FIELD(threshold),
     .help = "instead of the index's own: in degrees Celsius or mm, from 0 to 1 of a percentile"},
    {"series", 0, "KIND=VAR,...", .group = VV_CLI_INDICES, .set = set_list, FIELD(series),
     .help =
         "which variables are daily maximum (tx), minimum (tn) and mean (tg) temperature and precipitation (pr), where "
         "their names do not tell"},
    {"list", 0, NULL, .group = VV_CLI_INDICES, .set = set_flag, FIELD(list), .help = "what indices there are"},
    {"weights", 0, "cos(lat)|area|VAR|EXPR", .group = VV_CLI_AREA, .set = set_text, FIELD(weights),
     .help = "mean, sum, var, std, median and quantile weighted by cos(lat) (degrees), by the area of the cells (of "
             "cell_measures, else "
             "of their "
             "bounds or the middles between them), a variable, FILE:VAR, or an expression; only weights of values that "
             "are there "
             "count"},
    {"mask", 0, "VAR|EXPR", .group = VV_CLI_AREA, .set = set_text, FIELD(mask),
     .help = "only where this variable, FILE:VAR or expression, such as 'sftlf > 50', is there and not 0"},
    {"stack", 0, "DIM", .group = VV_CLI_LABELS, .set = set_text, FIELD(stack),
     .help = "files side by side along a new dimension, over which -d DIM then reduces; -d member does so by itself"},
    {"points", 0, "LON,LAT[;LON,LAT]|FILE", .group = VV_CLI_POINTS, .set = set_text, FIELD(points),
     .help = "values at these points along a dimension 'station' instead of all of latitudes and longitudes; a file "
             "has a point a "
             "line, 'longitude latitude', and perhaps a name behind"},
    {"interpolate", 0, "nearest|bilinear", .group = VV_CLI_POINTS, .set = set_text, FIELD(interpolate),
     .help = "with --points: the cell at the least distance on a great circle (the default; the file tells how far), "
             "or between "
             "four neighbours, over the date line and the poles where the grid goes round"},
    {"bins", 'b', "N|EDGES", .group = VV_CLI_BINS, .set = set_list, FIELD(bins),
     .help = "so many bins of equal width, from the least value to the greatest; or ascending edges, such as "
             "220,240,260,280"},
    {"range", 0, "LOW:HIGH", .group = VV_CLI_BINS, .set = set_text, FIELD(range),
     .help = "bins of equal width from here to there; values outside are not counted"},
    {"density", 0, NULL, .group = VV_CLI_BINS, .set = set_flag, FIELD(density),
     .help = "divided by the total and the width of the bin, so that the integral is 1"},
    {"args", 0, "TEXT", .group = VV_CLI_KERNEL, .set = set_any, FIELD(args),
     .help = "for the function: it gets the text as it is"},
    {"group", 'g', "GROUP[+GROUP]", .group = VV_CLI_GROUPS, .set = set_text, FIELD(group),
     .help =
         "year, season (DJF, MAM, JJA, SON), month, dayofyear, day, hour, minute or weekday in the file's calendar, a "
         "pair of them such as month+hour, or a length such as 5D"},
    {"by", 'g', "VAR|EXPR", .group = VV_CLI_LABELS, .set = set_text, FIELD(by),
     .help =
         "a result for each value of this variable (basins, counties: numbers or strings, of one dimension or more) or "
         "FILE:VAR; of its dimensions unless -d names more"},
    {"reference", 0, "FILE|PERIOD", .group = VV_CLI_ANOMALY, .set = set_text, FIELD(reference),
     .help = "deviations from what this file has (as clim wrote it), or from the mean of a period such as 1981:2010; "
             "default: from the mean of all"},
    {"standardize", 0, NULL, .group = VV_CLI_ANOMALY, .set = set_flag, FIELD(standardize),
     .help = "deviations in units of the standard deviation (of the group, within the reference)"},
    {"freq", 'f', "FREQUENCY", .group = VV_CLI_PERIODS, .set = set_text, FIELD(frequency),
     .help =
         "periods, as xarray names them: 6h, 1D, 5D; 1M (labelled by its last day) or MS (by its first), Q or QS, "
         "1Y or "
         "YS; QS-DEC: quarters that begin with December, which are the seasons; of index also year, season or month"},
    {"complete", 0, NULL, .group = VV_CLI_PERIODS, .set = set_flag, FIELD(complete),
     .help = "only periods that have all of their times"},
    {"window", 'w', "LENGTH", .group = VV_CLI_WINDOWS | VV_CLI_SPREAD, .set = set_whole, FIELD(window), .low = 1,
     .high = 1e9,
     .help = "elements of a window; of quantile -g: times around each one, centred, that count as its group's, too"},
    {"center", 0, NULL, .group = VV_CLI_WINDOWS, .set = set_flag, FIELD(center),
     .help = "the window lies around each element; default: it ends there"},
    {"min-periods", 0, "N", .group = VV_CLI_WINDOWS, .set = set_whole, FIELD(min_periods), .low = 1, .high = 1e9,
     .help = "missing where fewer than N elements of the window are there; default: where one is not"},
    {"dim", 'd', "DIMENSION", .group = VV_CLI_TRENDS, .set = set_list, FIELD(dims),
     .help = "the dimension along which lines go; default: the one that has times"},
    {"method", 'm', "STATISTIC[,STATISTIC]", .group = VV_CLI_LINES, .set = set_list, FIELD(methods),
     .help = "what to write: slope, intercept, stderr (of the slope), t, p (two-sided), corr, n; default: slope, "
             "intercept, stderr and p"},
    {"per", 0, "UNIT", .group = VV_CLI_TRENDS, .set = set_text, FIELD(per),
     .help = "slopes per year (the default of times; as long as the calendar's years are in the mean), decade, "
             "century, day, hour, minute, second; unit: of the coordinate itself (the default of others); step: per "
             "element"},
    {"dim", 'd', "ALONG[,ALONG]", .group = VV_CLI_PAIRS, .set = set_list, FIELD(dims),
     .help = "dimensions along which pairs lie, such as time, or lat,lon; default: the one that has times"},
    {"method", 'm', "WHAT[,WHAT]", .group = VV_CLI_PAIRS, .set = set_list, FIELD(methods),
     .help = "what to write, in one pass: corr, cov, n; of the line by which B follows A slope, intercept, stderr (of "
             "the slope), t, p (two-sided, which is that of the correlation); default: what the command is called"},
    {"lag", 0, "N[,N]|FROM:TO[:STEP]", .group = VV_CLI_PAIRS, .set = set_list, FIELD(lags),
     .help = "pairs of A and what B is N steps later (earlier, when negative), each along a first dimension 'lag'; "
             "both ends of a range are included: --lag=-12:12"},
    {"modes", 'n', "N", .group = VV_CLI_PATTERNS, .set = set_whole, FIELD(modes), .low = 1, .high = 1e6,
     .help = "how many patterns; default 10, or as many as there are"},
    {"dim", 'd', "ALONG", .group = VV_CLI_PATTERNS, .set = set_list, FIELD(dims),
     .help = "the dimension along which series lie; default: the one that has times"},
    {"correlation", 0, NULL, .group = VV_CLI_PATTERNS, .set = set_flag, FIELD(correlation),
     .help = "anomalies are divided by their standard deviation first: patterns of correlations"},
    {"gaps", 0, "fail|skip", .group = VV_CLI_PATTERNS, .set = set_choice, FIELD(gaps), .choices = gap_modes,
     .low = VV_CLI_GAPS_FAIL,
     .help = "points where values are missing at some times only are an error (fail, the default), or are left out "
             "(skip), as those where all are missing always are"},
    {"smooth", 0, "LENGTH", .group = VV_CLI_SMOOTH, .set = set_whole, FIELD(smooth), .low = 1, .high = 1e6,
     .help = "climatologies are smoothed by a running mean of LENGTH groups around each one, where January follows "
             "December: -g dayofyear --smooth 31"},
    {"harmonics", 0, "N", .group = VV_CLI_SMOOTH, .set = set_whole, FIELD(harmonics), .low = 1, .high = 1000,
     .help = "climatologies are smoothed to their mean and first N waves around the year: -g dayofyear --harmonics 4"},
    {"adjust", 0, NULL, .group = VV_CLI_LINES, .set = set_flag, FIELD(adjust),
     .help = "significance by the effective number of values n (1 - r) / (1 + r), where r is the correlation of "
             "neighbours in what the line leaves over; the input is read twice"},
    {"var", 'v', "VAR[,VAR]", .group = VV_CLI_SELECT, .set = set_list, FIELD(variables),
     .help = "variables to work on; may be repeated; FILE:VAR says the same; default: every data variable that has "
             "the dimensions"},
    {"file", 'f', "SCRIPT", .group = VV_CLI_EXPRESSIONS, .set = set_text, FIELD(script),
     .help = "statements from a file, in front of those of the command line; - is standard input"},
    {"align", 0, "exact|inner", .group = VV_CLI_EXPRESSIONS, .set = set_text, FIELD(align),
     .help = "how operands line up: by labels that must be the same, in whatever order (exact, the default), or by "
             "those that all "
             "of them have (inner)"},
    {"concat", 0, "DIM", .group = VV_CLI_SELECT | VV_CLI_EXPRESSIONS, .set = set_text, FIELD(concat),
     .help = "dimension along which several input files are joined; default: the one along which they differ"},
    {"skipna", 0, NULL, .negatable = true, .group = VV_CLI_REDUCE, .set = set_flag, FIELD(skipna),
     .help = "leave missing values out (the default); with --no-skipna a missing value makes the result missing"},
    {"ddof", 0, "N", .group = VV_CLI_REDUCE | VV_CLI_PATTERNS, .set = set_number, FIELD(ddof),
     .help = "variances and standard deviations divide by the number of values minus N; default 0"},
    {"ddof", 0, "NUMBER", .group = VV_CLI_PAIRS, .set = set_number, FIELD(pair_ddof),
     .help = "cov divides by the number of pairs minus NUMBER; default 1"},
    {"least", 0, "N", .group = VV_CLI_REDUCE, .set = set_number, FIELD(least),
     .help = "longest_run, runs, run_total, first_run and last_run: only runs of at least N values; default 1"},
    {"when", 0, "CONDITION", .group = VV_CLI_REDUCE, .set = set_condition, FIELD(when),
     .help = "of whether values fulfil a condition such as '>298.15' (1 or 0; missing ones stay missing), instead of "
             "the values"},
    {"keepdims", 0, NULL, .group = VV_CLI_REDUCE, .set = set_flag, FIELD(keepdims),
     .help = "reduced dimensions stay, with length 1"},
    {"dim", 'd', "AXIS[,AXIS]", .group = VV_CLI_PICTURE, .set = set_text, FIELD(picture.dims),
     .help =
         "dimensions along the axes: time for a line, level,lat for a section; default: longitude and latitude, else "
         "what else makes a picture"},
    {"select", 's', "DIM=WHAT,...", .group = VV_CLI_PICTURE, .set = set_text, FIELD(picture.select),
     .help = "part of it, as the command select takes it: time=1990-07,level=850; dimensions that are not drawn are "
             "taken at "
             "their first position"},
    {"panels", 0, "DIM", .group = VV_CLI_PICTURE, .set = set_text, FIELD(picture.panels),
     .help = "a panel for each position along a dimension, with the same colours; several variables are panels, too"},
    {"kind", 0, "auto|map|line|histogram", .group = VV_CLI_PICTURE, .set = set_choice, FIELD(picture.kind),
     .choices = picture_kinds, .low = VV_PLOT_AUTO,
     .help = "auto, the default: colours over two dimensions, a line along one; histogram: of all values"},
    {"cmap", 0, "NAME", .group = VV_CLI_PICTURE, .set = set_text, FIELD(picture.cmap),
     .help = "colours: viridis (the default), cividis, magma, plasma, gray, rain, and, around a centre, balance and "
             "drywet; "
             "NAME_r the other way round"},
    {"center", 0, "VALUE|none", .group = VV_CLI_PICTURE, .set = set_text, FIELD(picture.center),
     .help =
         "colours diverge from this value, as far on both sides; default: from 0 where values lie on both sides of it"},
    {"vmin", 0, "VALUE", .group = VV_CLI_PICTURE, .set = set_number, FIELD(picture.vmin),
     .help =
         "where colours, or the axis of a line's values, begin; what lies beyond gets the last colour, and an arrow"},
    {"vmax", 0, "VALUE", .group = VV_CLI_PICTURE, .set = set_number, FIELD(picture.vmax), .help = "and where they end"},
    {"robust", 0, NULL, .group = VV_CLI_PICTURE, .set = set_flag, FIELD(picture.robust),
     .help =
         "colours from the 2nd to the 98th percentile of what is shown, so that a few extremes do not take them all"},
    {"levels", 0, "N|LIST", .group = VV_CLI_PICTURE, .set = set_text, FIELD(picture.levels),
     .help = "classes of one colour each: about N with round borders, or between the borders of a list: -4,-2,0,2,4"},
    {"bins", 0, "N", .group = VV_CLI_PICTURE, .set = set_whole, FIELD(picture.bins), .low = 1, .high = 10000,
     .help = "about so many bins of a histogram; exactly, with --vmin and --vmax; default: 40"},
    {"title", 0, "TEXT", .group = VV_CLI_PICTURE | VV_CLI_BENCH, .set = set_any, FIELD(picture.title),
     .help = "instead of what attributes say"},
    {"size", 0, "WIDTHxHEIGHT", .group = VV_CLI_PICTURE, .set = set_text, FIELD(picture.size),
     .help = "in pixels, such as 1600x900; 1600 alone: as high as suits"},
    {"dpi", 0, "N", .group = VV_CLI_PICTURE, .set = set_whole, FIELD(picture.dpi), .low = 20, .high = 1200,
     .help =
         "pixels of an inch, which letters and lines are measured in; default: 100; --dpi 200: twice as many pixels"},
    {"json", 0, NULL, .group = VV_CLI_INFO, .set = set_flag, FIELD(json),
     .help = "everything as JSON: an object for one file, an array of objects for several"},
    {"man", 0, NULL, .group = VV_CLI_MANUAL, .set = set_flag, FIELD(manual),
     .help = "write the manual page (roff) instead"},
    {"output", 'o', "OUTPUT", .group = VV_CLI_OUTPUT, .set = set_text, FIELD(output),
     .help = "file to write: NetCDF-4 (of bench JSON, a CSV table or a picture); it appears under its name only when "
             "complete"},

    {"overwrite", 'O', NULL, .group = VV_CLI_WRITE, .set = set_flag, FIELD(overwrite),
     .help = "replace the output if it exists"},
    {"append", 0, "DIM", .omitted = "", .group = VV_CLI_WRITE, .set = set_any, FIELD(append),
     .help =
         "add to the output along its unlimited dimension, stored as it stores what it has: types, packing, units "
         "of time, chunks and filters are its own; DIM where several can grow. The coordinate must go on. An output "
         "that is not there is made"},
    {"deflate", 0, "LEVEL", .group = VV_CLI_WRITE, .set = set_whole, FIELD(deflate), .low = 0, .high = 9,
     .help = "compress the output: 1 fast to 9 small, 0 not at all; default: as the input where its data is only "
             "moved, else not"},
    {"shuffle", 0, NULL, .negatable = true, .group = VV_CLI_WRITE, .set = set_flag, FIELD(shuffle),
     .help = "sort bytes before compressing, which makes numbers smaller (the default)"},
    {"filter", 0, "NAME[:LEVEL]", .group = VV_CLI_WRITE, .set = set_text, FIELD(filter),
     .help = "compress with deflate:1 to 9, with zstd:1 to 19 (smaller and faster; others read it if they have HDF5's "
             "zstd plug-in), or none"},
    {"chunk", 'c', "DIM=N[,DIM=N]|auto", .group = VV_CLI_WRITE, .set = set_list, FIELD(chunks),
     .help = "chunks of the output, such as time=1,lat=361 (-1: all); dimensions that are not named: rechunk leaves "
             "theirs, others take as much as 4 MiB allow; auto: about 1 MiB, for readers of maps and of series alike"},
    {"dtype", 0, "TYPE[:packed]", .group = VV_CLI_WRITE, .set = set_text, FIELD(dtype),
     .help =
         "element type of results: i8 to i64, u8 to u64, f32, f64; values that do not fit are an error. "
         "i16:packed packs floats by their range, which is found first; i16:packed,scale=0.01,offset=273.15 as said"},
    {"quantize", 0, "DIGITS", .group = VV_CLI_WRITE, .set = set_text, FIELD(quantize),
     .help = "floats keep so many significant digits and compress better: BitGroom; or granular:DIGITS, bitround:BITS"},
    {"unlimited", 0, "DIM[,DIM]|none", .group = VV_CLI_WRITE, .set = set_text, FIELD(unlimited),
     .help = "dimensions of the output that can grow; default: those that can in the input"},
    {"format", 0, "netcdf4|hdf5", .group = VV_CLI_WRITE, .set = set_text, FIELD(format),
     .help = "hdf5: dimension scales and labels, without what only netCDF knows; the default for OUTPUT.h5"},
    {"writer", 0, "direct|hdf5", .group = VV_CLI_WRITE, .set = set_text, FIELD(writer),
     .help = "advanced: direct, the default: every rank writes its own bytes; hdf5: all ranks together, at the end, by "
             "parallel HDF5's collective calls; values are the same"},

    {"checkpoint", 0, "TIME", .omitted = "5m", .group = VV_CLI_WRITE, .set = set_duration, FIELD(checkpoint),
     .help = "keep a journal of partial results beside OUTPUT, written so often, on SIGUSR1 and before a Slurm job's "
             "time is over, so that --resume can go on with a run that was ended; default: none, or 5m when resumed"},
    {"resume", 0, NULL, .group = VV_CLI_WRITE, .set = set_flag, FIELD(resume),
     .help = "go on with the run that was to write OUTPUT, from its journal, on any number of ranks; begin it when "
             "there is none"},

    {"memory", 0, "SIZE", .group = VV_CLI_RUN, .set = set_bytes, FIELD(memory),
     .help = "memory that each rank may use, such as 512MB or 4G; default: what Slurm or the control group grants, "
             "else a share of the machine's"},
    {"threads", 0, "N", .group = VV_CLI_RUN, .set = set_whole, FIELD(threads), .low = 1, .high = 1024,
     .help = "threads of each rank; default: the cores it may use"},
    {"progress", 0, "auto|on|off", .group = VV_CLI_RUN, .set = set_choice, FIELD(progress), .choices = progress_modes,
     .low = VV_PROGRESS_AUTO,
     .help = "show progress on standard error; auto, the default: a bar on a terminal, now and then a line in the log "
             "of a batch "
             "job, nothing elsewhere"},
    {"explain", 0, "text|json|svg|dot", .omitted = "text", .group = VV_CLI_RUN, .set = set_choice, FIELD(explain),
     .choices = explain_forms, .low = VV_CLI_EXPLAIN_TEXT,
     .help =
         "print the plan with its bytes read, moved and written, its memory and its expected time; do not run it; svg "
         "is a picture, dot one for Graphviz"},
    {"dry-run", 0, NULL, .group = VV_CLI_RUN, .set = set_flag, FIELD(dry_run),
     .help =
         "check everything that can be checked without the data, say what would be read, written and held, and end; "
         "--explain tells step by step"},
    {"stats", 0, NULL, .group = VV_CLI_RUN, .set = set_flag, FIELD(stats),
     .help = "afterwards, print what the run did to standard error: seconds, tasks, bytes, peak memory, and what was "
             "predicted for each step beside what was measured"},
    {"report", 0, "FILE.html", .group = VV_CLI_RUN, .set = set_text, FIELD(report),
     .help =
         "afterwards, a page with what the run did: figures, the plan, what was predicted beside what was measured, "
         "and what every thread did when"},
    {"trace", 0, "FILE.json", .group = VV_CLI_RUN, .set = set_text, FIELD(trace),
     .help = "afterwards, what every thread did when, for ui.perfetto.dev or chrome://tracing"},
    {"on-bad-chunk", 0, "fail|fill", .group = VV_CLI_RUN, .set = set_choice, FIELD(bad_chunk), .choices = bad_chunks,
     .low = VV_CLI_BAD_FAIL,
     .help = "a damaged chunk of an input ends the run (fail, the default) or becomes missing values (fill); it says "
             "which and how many"},
    {"scratch", 0, "DIR", .group = VV_CLI_RUN, .set = set_text, FIELD(scratch),
     .help = "directory, best on a disk of each machine's own, for what does not fit in memory; default: $TMPDIR, "
             "else /tmp"},
    {"cache", 0, "DIR", .group = VV_CLI_RUN, .set = set_text, FIELD(cache),
     .help =
         "directory where headers of input files are kept, so that files that have not changed open at once the next "
         "time; default: $VARVE_CACHE, else none are kept"},
    {"placement", 0, "NAME", .group = VV_CLI_RUN, .set = set_text, FIELD(placement),
     .help = "advanced: which rank does what: auto, outputs, leaves or cyclic; results are the same"},
    {"policy", 0, "NAME", .group = VV_CLI_RUN, .set = set_text, FIELD(policy),
     .help = "advanced: which work goes first: critical-path (the default) or memory; results are the same"},
    {"log", 0, "LEVEL", .group = VV_CLI_RUN, .set = set_text, FIELD(log),
     .help = "log lines on standard error: error, warn (the default), info or debug"},
    {"quiet", 'q', NULL, .group = VV_CLI_RUN, .set = set_flag, FIELD(quiet),
     .help = "nothing on standard error but errors and what was asked for"},

    {"size", 0, "SIZE", .group = VV_CLI_BENCH, .set = set_bytes, FIELD(size),
     .help = "bytes of data on all ranks together, with --weak on each; default: 256MB"},
    {"weak", 0, NULL, .group = VV_CLI_BENCH, .set = set_flag, FIELD(weak),
     .help = "weak scaling: the data grows with the ranks; without it all ranks together have as much as one would"},
    {"disk", 0, NULL, .group = VV_CLI_BENCH, .set = set_flag, FIELD(on_disk),
     .help =
         "reductions and rechunking read a file that is written for it beside the table, and rechunking writes one; "
         "without it they have data in memory"},
    {"runs", 0, "N", .group = VV_CLI_BENCH, .set = set_whole, FIELD(runs), .low = 1, .high = 1000,
     .help = "how often each is run; the middle one counts; default: 3"},

    {"nodes", 0, "N", .group = VV_CLI_JOB | VV_CLI_MODEL, .set = set_whole, FIELD(nodes), .low = 1, .high = 100000,
     .help = "so many nodes, which share the ranks evenly; default: 1"},
    {"time", 0, "H:MM:SS", .group = VV_CLI_JOB, .set = set_text, FIELD(wall_time),
     .help = "time limit, in the batch system's words; default: 01:00:00"},
    {"cores", 0, "N", .group = VV_CLI_JOB | VV_CLI_MODEL, .set = set_whole, FIELD(cores), .low = 1, .high = 4096,
     .help = "cores of a node; default: as many as this machine has, or to --explain with --ranks: enough"},
    {"ranks-per-node", 0, "N", .group = VV_CLI_JOB, .set = set_whole, FIELD(ranks_per_node), .low = 1, .high = 4096,
     .help = "ranks of a node, which share its cores; default: one for four cores"},

    {"ranks", 0, "N", .group = VV_CLI_MODEL, .set = set_whole, FIELD(ranks), .low = 1, .high = 10000000,
     .help = "so many ranks, which need not be here"},
    {"net", 0, "RATE[,LATENCY]", .group = VV_CLI_MODEL, .set = set_net, FIELD(net),
     .help = "bytes per second between ranks - with --nodes: of different nodes -, for each rank, and time of a "
             "message, such "
             "as 25GB/s,2us"},
    {"disk", 0, "RATE", .group = VV_CLI_MODEL, .set = set_bandwidth, FIELD(disk),
     .help = "bytes per second that each rank reads or writes, such as 2GB/s"},

    {"help", 'h', NULL, .group = VV_CLI_GENERAL, .set = set_flag, FIELD(help),
     .help = "show help, of the command if one is given"},
    {"version", 0, NULL, .group = VV_CLI_GENERAL, .set = set_flag, FIELD(version), .help = "show the version"},
};
const int vv_cli_n_options = sizeof vv_cli_options / sizeof *vv_cli_options;

void vv_cli_request_free(vv_cli_request *r)
{
    vv_cli_words_free(&r->inputs);
    vv_cli_words_free(&r->dims);
    vv_cli_words_free(&r->variables);
    vv_cli_words_free(&r->methods);
    vv_cli_words_free(&r->chunks);
    vv_cli_words_free(&r->quantiles);
    vv_cli_words_free(&r->lags);
    vv_cli_words_free(&r->bins);
    vv_cli_words_free(&r->series);
}
