/* The list of commands. */
#include "cli/commands.h"

#include "cli/options.h"
#include "varve/array.h"

#define EVERY_REDUCTION "Reductions"

enum {
    REDUCING = VV_CLI_SELECT | VV_CLI_REDUCE | VV_CLI_OUTPUT,
    STATISTIC = REDUCING | VV_CLI_AREA | VV_CLI_LABELS /* of the globe, too */
};

static const char reduction_about[] =
    "Several files (names, or a quoted pattern) are one dataset, joined along the dimension along which they differ, "
    "or along --concat DIM, in the order of its "
    "coordinate.\n"
    "Every data variable of FILE that has the dimensions of -d (or those of -v) is reduced over them, in one pass over "
    "the "
    "data that is split among the ranks. Packed values are unpacked, missing ones left out.\n"
    "With --weights, only weights of values that are there count. --by gives a value for each basin, county or "
    "whatever a "
    "variable of one dimension or more tells apart, --mask leaves out what is not of interest; either may be of "
    "another "
    "file, whose latitudes and longitudes may lie in another order. A zonal mean is mean -d lon, a meridional one mean "
    "-d lat; "
    "mean -d member FILE FILE ... is that of an ensemble, file by file.\n"
    "The other dimensions stay as they are. OUTPUT also gets what the command does not touch: coordinates, bounds, "
    "grid "
    "mappings, variables without these dimensions, attributes. Its history gets a line with this command.\n"
    "Without -o, results of up to 20 values are printed.";

static const char reduce_about[] = "As a single reduction does, but several at once: the input is read and inflated "
                                   "once. A result is called VAR_NAME, "
                                   "such as t2m_mean and t2m_std.";

static const char quantile_about[] =
    "Exact quantiles of every data variable that has the dimensions of -d (or those of -v), whatever its chunks: all "
    "values along these dimensions are brought to one rank, as many lanes at a time as memory allows. Missing ones are "
    "left out. Between two values NumPy's definitions count (--method).\n"
    "With -g or -f group by group along the time, as clim and resample have them: all Januaries, all Februaries; with "
    "-w also "
    "with the times around each one: -g dayofyear -w 5 -q 0.9 is the 90th percentile of the five days around each day "
    "of the year, of "
    "all years. Days are counted as the calendar has them: day 60 is the 29th of February in leap years and the 1st of "
    "March in others, day "
    "366 is there in leap years only. The window goes from one year into the next; at the begin and the end of the "
    "data it has "
    "fewer times. That is what xarray's rolling(time=5, center=True).construct(), grouped, gives; nothing is "
    "bootstrapped.\n"
    "With --weights, a quantile is of the cumulated weight of the values that are there, by the definition that xarray "
    "has "
    "(Akinshin's, with "
    "Kish's effective number of values); with equal weights it is the plain one. --by gives a value for each basin or "
    "whatever a variable tells apart.\n"
    "Of this command -q is --quantile; --quiet has no letter.";

static const char info_about[] = "Dimensions (* can grow), coordinates with their range and step, time in its "
                                 "calendar, variables with element type, "
                                 "chunks, filters, bytes in the file and in memory, attributes. With -v only these "
                                 "variables, with their attributes.\n"
                                 "A quoted pattern is shown as the one dataset that its files make, several names one "
                                 "after the other unless --concat DIM joins them. No data but "
                                 "coordinates is read.";

static const char explain_about[] =
    "The same as --explain: the steps, tasks, bytes read, moved between ranks and written, the memory per rank and the "
    "expected time of a command, before it runs. Nothing is computed or written.\n"
    "With --ranks, --net and --disk it speaks of a machine that is not here. --explain=json and --explain=svg are for "
    "programs and as a picture.";

static const char graph_about[] =
    "The same as --explain=svg, on standard output: boxes are steps, with what they read, move, write, hold and take; "
    "lines say how "
    "elements get from one to the next. --explain=dot is for Graphviz. Nothing is computed or written. What a run "
    "really "
    "did, thread by thread, is in --report and --trace.";

static const char jobscript_about[] =
    "Prints a script for Slurm (sbatch) or PBS (qsub) that runs the command under mpirun: nodes, ranks, threads, and "
    "the "
    "memory that the command's plan foretells, with room to spare. The input has to be there: its metadata is read, "
    "and "
    "a command line that is wrong is found now. What a site wants besides (partition, account, modules) goes where the "
    "script says SITE.\n"
    "A command that saves a file keeps a journal (--checkpoint). Under Slurm the script is told before its time is "
    "over, and goes back into the queue, where the command goes on; under PBS it goes on when it is submitted again.";

static const char status_about[] =
    "A run that saves an output keeps a small file beside it, .NAME.varve-status, from its second second to its end: "
    "how "
    "far each rank is, its memory, the time. This command reads it, from any computer that sees the file, such as a "
    "login node; nothing is sent to the run.\n"
    "With a directory all runs that write there are shown. A run that was killed leaves its file behind; then the last "
    "sign of life is an old one. With --json a line for each run is for programs.";

static const char run_about[] =
    "NAME is a VV_KERNEL of the shared object, a small struct (varve/kernel.h) that says which C function it is, and "
    "what it wants to see: chunks with so many elements around them, whole dimensions, or files. Ranks call it "
    "for their own chunks of every data variable (or those of -v), as with vv_map_overlap() and vv_map_blocks(); of "
    "files each is a task, and what it returns is printed.\n"
    "TEXT of --args comes to the function as it is. All ranks load the same library by its path.";

static const char bench_about[] =
    "machine: measures how fast a thread of this machine reads, inflates, computes and writes, which takes some "
    "seconds, and "
    "stores the rates: what --explain expects a run to take comes from them. The machine should have nothing else to "
    "do. The network, and what ranks write to one file together, are measured on two ranks or more; tasks, and a rank "
    "that is alone with a file, on one. What these ranks cannot measure keeps its rate, so that two calls measure "
    "everything. The second is best made with as many ranks of a node as runs have.\n"
    "Without -o the rates go to where --explain looks for them: $VARVE_MACHINE, else varve/machine.json in the user's "
    "configuration. --scratch names the directory, and with it the disk, that is written to.\n"
    "scaling [NAME,...]: how fast these ranks do what programs spend their time with: reduce (mean and standard "
    "deviation along "
    "the first "
    "dimension), rechunk (from maps to series), matmul (a matrix product of f64) and write (a file, synced); all of "
    "them "
    "unless some are "
    "named. It uses the ranks that it was started with, and adds a row for each benchmark to the table of -o (CSV), "
    "with the "
    "machine and "
    "where the ranks were, so that calls on 1, 2, 4 ... ranks collect in one file; -O begins it anew. Without -o rows "
    "are only "
    "shown. "
    "Data is made up, of any --size; files lie beside the table and are removed. jobscripts/slurm_scaling.sh does this "
    "over "
    "nodes.\n"
    "compare [NAME,...]: the same done by varve and by others that are installed, in turn: cdo, nco (ncwa), nccopy, "
    "xarray with "
    "dask's threads, h5py with NumPy. mean, mean-deflate (of compressed chunks), std, anom (less each month's mean) "
    "and rechunk, of a file of --size that is made up "
    "beside the table of -o and removed. All get as many threads as varve; each is a process that is measured from its "
    "start to its end (wall and processor time, memory), the "
    "middle of --runs counts, and what it has written is compared with what varve has: the largest difference, in "
    "parts of the largest value. Who is not installed is "
    "named; what takes longer than two minutes is stopped.\n"
    "plot TABLE: time, efficiency, rate and memory over the ranks, beside what they would be at best (pale), as a "
    "picture "
    "(-o curves.png).";

#define CLIMATE "Climate"

#define ALONG_TIME                                                                                                     \
    "\nThe time is the dimension whose coordinate has units such as \"hours since 1990-01-01\", in any calendar of "   \
    "CF; -d "                                                                                                          \
    "names it where there are several, and may name more to reduce with it."

static const char histogram_about[] =
    "How many values of every data variable that has the dimensions of -d (or those of -v) are in each bin, over these "
    "dimensions or all: VAR_histogram has the others and VAR_bin, whose coordinate is the middle of each bin; OUTPUT "
    "also gets "
    "VAR_bin_edges. A value on an edge is in the bin that begins there, on the last edge in the last bin; missing ones "
    "are not counted. Without --range a number of bins reaches from the least value to the greatest, which are found "
    "first. "
    "With --weights the weights in each bin are added up, such as areas.\n"
    "Without -o, results of up to 20 values are printed.";

static const char completion_about[] = "Writes a script that completes commands and options of varve in bash or zsh, "
                                       "made from the tables that --help is made of. "
                                       "Installing varve puts both where shells look for them; otherwise: eval "
                                       "\"$(varve completion bash)\" in ~/.bashrc, or for zsh "
                                       "varve completion zsh > DIR/_varve with a directory of $fpath.";

static const char clim_about[] =
    "A climatology: every data variable that has the time is reduced group by group, in one pass: all Januaries, all "
    "Februaries. The groups become a dimension in the place of the time: month, with the coordinate 1 to 12. Pairs "
    "make two: "
    "-g month+hour." ALONG_TIME;

static const char anom_about[] =
    "Anomalies: each value less the mean of its group, -g month: of its month; without -g less the mean of all. With "
    "--standardize divided by the group's standard deviation. The shape stays." ALONG_TIME;

static const char resample_about[] = "Every data variable that has the time is reduced over periods of the calendar "
                                     "that follow each other, which have times "
                                     "again, with bounds: -f 1D makes daily means. Labels are xarray's. A period that "
                                     "the input begins or ends within is "
                                     "there, too, unless --complete; one without any time in it is missing." ALONG_TIME;

static const char rolling_about[] =
    "Statistics of a window that moves along a dimension, the time unless -d says another: mean, sum, min, max, var, "
    "std "
    "or count. The shape stays; where the window is not full values are missing, unless --min-periods allows it.";

#define WHICH_TIME                                                                                                     \
    "\nThe time is the dimension whose coordinate has units such as \"hours since 1990-01-01\", in any calendar of "   \
    "CF; -d names another one."

static const char trend_about[] =
    "Straight lines through every series along the time, by least squares: how much it rises, and whether that is more "
    "than chance. Of each data variable VAR_slope, VAR_intercept (the line at the first time), VAR_stderr (the slope's "
    "standard error) and VAR_p (the two-sided p-value of Student's t with n - 2 degrees of freedom), or those of -m. "
    "Missing values are left out; with less than three there is no p.\n"
    "Slopes are per year of the calendar unless --per says otherwise, and times count as they are, not by their "
    "numbers: CDO's trend and a plain polyfit are --per step. The input is read once." WHICH_TIME;

static const char detrend_about[] =
    "What is left of every series without its straight line (see 'varve trend --help'): its mean and its slope along "
    "the time are gone. The shape stays. The input is read twice." WHICH_TIME;

#define PAIRED                                                                                                         \
    "\nA and B are FILE:VAR each, or FILE where it has one variable only; or two of one file, -v A,B. Pairs of which " \
    "one is missing are left out. Two files are lined up by their coordinates, times by their dates: what both have "  \
    "is taken, and it says how much that is. With -d lat,lon there is a value for each time; --weights cos(lat) then " \
    "makes small cells count less. The input is read once."

static const char corr_about[] =
    "Correlation of two variables along the time or other dimensions, as xarray.corr; with -m corr,p also whether it "
    "is more than chance. The result is called A_B_corr." PAIRED;

static const char cov_about[] =
    "Covariance of two variables along the time or other dimensions, as xarray.cov; divided "
    "by the number of pairs less 1. The result is called A_B_cov." PAIRED;

static const char eof_about[] =
    "Empirical orthogonal functions: the patterns along which a variable varies most in time. Of each data variable "
    "VAR_eof (mode, lat, lon), VAR_pc (time, mode), VAR_fraction (mode) of all variance, and VAR_variance.\n"
    "A principal component has mean 0 and variance 1 (--ddof counts), and a pattern is what goes with one unit of it, "
    "in the "
    "units of the variable: products of both, added up, are the anomalies. Patterns are as CDO's or eofs' but for that "
    "factor. In each the value farthest from 0 is positive.\n"
    "Points count by their area, cos(lat) of a latitude, unless --weights says otherwise (--weights none: all alike): "
    "anomalies are multiplied by the square root. Points that are always missing are left out. The input is read "
    "four times, and a square matrix of times (or points, if these are fewer) has to fit in memory." WHICH_TIME;

static const char index_about[] =
    "Climate indices of daily temperature and precipitation for each year (or --freq month, season), as the Expert "
    "Team on Climate "
    "Change Detection and Indices (ETCCDI) defines them: --list shows all. The variables are found by their names "
    "(tasmax, tasmin, "
    "pr ...) or CF's standard names; -v or --series say others. Several indices are one pass over the data; files with "
    "different "
    "series may be given together.\n"
    "Units are minded: K, degC or degF; mm, mm/day, kg m-2, kg m-2 s-1, m. Values must be daily. A missing day fulfils "
    "no condition and ends a spell; spells are "
    "cut where a period ends, a sum of five days belongs to the period of the last one. Percentiles are those of the "
    "five days around each day of the year in the base period (that is what "
    "varve quantile -g dayofyear -w 5 makes), or of wet days; nothing is bootstrapped. Each result says in its "
    "attributes what it is.";

#define MOVING "Move data"

#define AS_IT_WAS                                                                                                      \
    "\nValues are moved as they are stored: packed ones stay packed, and OUTPUT has the chunks and filters of the "    \
    "input unless options say otherwise. Chunks that stay whole are copied, not decompressed; --explain tells "        \
    "which.\nEverything else in the file is carried over; its history gets a line with this command."

static const char select_about[] =
    "Part of a file, or of several that are joined: SELECTION is DIM=WHAT, or several of them with commas between; "
    "with "
    "--points it may be left out.\n"
    "WHAT are values of the coordinate: lat=-30:30 from one to the other, both included, in either order; level=850 "
    "the "
    "one; lat=~47.3 the nearest; time=1990-01:1999-12 from the begin of a date to the end of another, time=1990 all of "
    "that year, in the file's calendar; station=OSLO where the coordinate holds strings. Or positions, with #: "
    "time=#0:10:2, level=#-1 as Python counts them. Several are level=850,500,~300. "
    "Dimensions "
    "stay, with length 1 if need be.\n"
    "Longitudes mean the same whether counted from 0 to 360 or from -180 to 180, and a range of them goes eastwards: "
    "lon=170:-170 and lon=350:10 are 20 degrees wide; longitudes go on from the first one as it was written.\n"
    "Times are also selected by parts of their dates: season=DJF (any row of months by their letters, such as JJAS), "
    "month=6:8, month=11:2 over the turn of the year, year=1990:1999, dayofyear, day, hour=0,12, minute, weekday.\n"
    "With --points there is a dimension station instead of those of latitudes and longitudes, with the latitude and "
    "longitude "
    "of each, its name if the file of points has some, and the distance of the nearest cell in m. Distances are those "
    "on "
    "great circles; cells that are curvilinear (lat and lon of two dimensions) have nearest ones, too." AS_IT_WAS;

static const char concat_about[] =
    "Files one behind the other along a dimension, in the order of its coordinate. The other dimensions must agree, "
    "and "
    "files must not overlap. Times that count from different dates are converted; a variable that is packed in another "
    "way in some file is unpacked." AS_IT_WAS;

static const char stack_about[] = "Files side by side along a new dimension, in the order given: data variables get it "
                                  "as their first dimension." AS_IT_WAS;

static const char rechunk_about[] = "Rewrites a file with chunks of another shape: every data variable that has one of "
                                    "the dimensions, or those of -v." AS_IT_WAS;

static const char eval_about[] =
    "A statement is 'NAME = EXPRESSION', a variable of OUTPUT, or 'let NAME = EXPRESSION', which only gives a name to "
    "what "
    "later statements use. Each is an argument, or a line of a script (-f); ';' stands between several, '#' begins a "
    "comment. All of them are one plan: what they share is read and computed once.\n"
    "In an expression are numbers, variables of the input (`in backquotes` where a name is none of letters and "
    "digits), "
    "+ - * / // % and ** or ^, comparisons, also a < b < c, and or not, condition ? a : b, nan, inf, pi, true and "
    "false, and functions. Precedence "
    "is Python's; & | ~ are of bits. x.mean(time) is the same as mean(x, time). Arrays line up by the names of their "
    "dimensions; where coordinates differ, that is an error.\n"
    "x[0:10, :, ::2] and x[time=0] are positions, from the end when negative; sel(x, lat=-30:30, "
    "time=\"1990-01\":\"1999-12\", level=~850) labels. "
    "x.group(month).mean() has a value for each month, x.group(month) - x.group(month).mean() takes each month's own "
    "away. resample(x, \"1D\").mean(), rolling(x, time=30, center=true).mean(), coarsen(x, lat=2, lon=2).mean(), "
    "mean(x, lat, lon, weights=cos(lat)), where cos of weights takes degrees.\n"
    "OUTPUT gets the results with their coordinates, bounds and grid mappings, and the global attributes; its history "
    "gets a line with this "
    "command. Without -o, results of up to 20 values are printed.";

static const char plot_about[] =
    "A picture of a variable, or of any expression: OUTPUT.png, .svg or .pdf; without -o, or with -o -, it is drawn in "
    "the "
    "terminal. Every other command draws its result, too, when its OUTPUT is called so.\n"
    "What lies along which axis follows from the coordinates: two dimensions are a map, a section (levels upwards, "
    "pressure and "
    "depth downwards) or a Hovmoeller diagram, one is a line, with dates of the file's calendar; --kind histogram "
    "counts all "
    "values. Several lines in the same units share a panel. Title, units and ticks come from attributes and "
    "coordinates. Of dimensions that are not drawn the first position is taken, or that of --select; --panels draws "
    "all.\n"
    "Colours are perceptually uniform; values on both sides of zero get a diverging map centred there. Missing values "
    "are "
    "hatched. Of a large field means of blocks of cells are drawn, which the ranks make; it is never gathered.";

static const vv_cli_command before[] = {
    {"Look at files", "info", "what is in a file: dimensions, coordinates, variables, storage", "[-v VAR,...] FILE...",
     info_about, "varve info t2m.nc\nvarve info --json t2m.nc | jq .variables.t2m.chunk", VV_CLI_SELECT | VV_CLI_INFO,
     false, false, vv_cli_info},
    {"Look at files", "plot", "maps, sections, lines, histograms: PNG, SVG, PDF or terminal",
     "[EXPRESSION]... [FILE[:VAR]...] [-o OUTPUT]", plot_about,
     "varve plot t2m.nc:t2m --select time=1990-07-01 -o map.png\n"
     "varve plot 't2m.mean(time) - t2m.mean(time, lon)' t2m.nc -o departure.png\n"
     "varve plot 't2m.group(season).mean()' t2m.nc --panels season -o seasons.svg\n"
     "varve plot 'mean(t2m, lat, lon, weights=cos(lat))' t2m.nc -o series.png\n"
     "varve plot t2m.nc:t2m --kind histogram -o histogram.png\n"
     "varve mean -d time t2m.nc -v t2m -o mean.png",
     VV_CLI_SELECT | VV_CLI_PICTURE | VV_CLI_OUTPUT, true, false, vv_cli_plot},
};

/* Name and help of a reduction come from the registry. */
static const vv_cli_command any_reduction = {EVERY_REDUCTION,
                                             NULL,
                                             NULL,
                                             "[-d DIM,...] [-v VAR,...] FILE... [-o OUTPUT]",
                                             reduction_about,
                                             NULL,
                                             STATISTIC,
                                             true,
                                             false,
                                             vv_cli_reduction};

static const vv_cli_command after[] = {
    {EVERY_REDUCTION, "reduce", "several of these in one pass",
     "-m NAME,... [-d DIM,...] [-v VAR,...] FILE... [-o OUTPUT]", reduce_about,
     "varve reduce -m mean,std,min,max -d time t2m.nc -o stats.nc", STATISTIC | VV_CLI_METHODS, true, false,
     vv_cli_reduce},
    {EVERY_REDUCTION, "quantile", "quantiles, exactly, of all or by group",
     "-q Q[,Q] [-d DIM,...] [-g GROUP] FILE... [-o OUTPUT]", quantile_about,
     "mpirun -n 2 varve quantile -q 0.05,0.5,0.95 -d time t2m.nc -o percentiles.nc\n"
     "varve quantile -g month -q 0.1,0.9 t2m.nc -o monthly.nc\n"
     "varve quantile -q 0.5 -d lat,lon --weights area t2m.nc -o half.nc\n"
     "varve quantile -g dayofyear -w 5 -q 0.9 tasmax.nc -o tx90.nc",
     STATISTIC | VV_CLI_QUANTILES | VV_CLI_GROUPS | VV_CLI_PERIODS | VV_CLI_SPREAD, true, false, vv_cli_quantile},
    {EVERY_REDUCTION, "histogram", "counts of values in bins",
     "-b N|EDGES [-d DIM,...] [-v VAR,...] FILE... [-o OUTPUT]", histogram_about,
     "varve histogram -b 220,240,260,280,300,320 t2m.nc\nvarve histogram -b 50 --range 220:320 -d time t2m.nc -o "
     "counts.nc\n"
     "varve histogram -b 20 --density --weights cos(lat) t2m.nc -o density.nc",
     VV_CLI_SELECT | VV_CLI_JOIN | VV_CLI_OUTPUT | VV_CLI_AREA | VV_CLI_BINS, true, false, vv_cli_histogram},
    {CLIMATE, "clim", "a climatology: statistics of all Januaries, all Februaries ...",
     "-g GROUP [-m NAME,...] [-v VAR,...] FILE... [-o OUTPUT]", clim_about,
     "mpirun -n 4 varve clim -g month 't2m_*.nc' -o clim.nc\nvarve clim -g season -m mean,std t2m.nc -o seasons.nc",
     REDUCING | VV_CLI_AREA | VV_CLI_METHODS | VV_CLI_GROUPS | VV_CLI_SMOOTH, true, false, vv_cli_clim},
    {CLIMATE, "anom", "anomalies: values less the mean of their group", "[-g GROUP] [-v VAR,...] FILE... [-o OUTPUT]",
     anom_about,
     "varve anom -g month t2m.nc -o anomalies.nc\nvarve anom -g dayofyear --reference 1981:2010 --standardize t2m.nc "
     "-o "
     "index.nc",
     REDUCING | VV_CLI_AREA | VV_CLI_GROUPS | VV_CLI_ANOMALY | VV_CLI_SMOOTH, true, false, vv_cli_anom},
    {CLIMATE, "resample", "means of days, months, seasons, years ...",
     "-f FREQ [-m NAME,...] [-v VAR,...] FILE... [-o OUTPUT]", resample_about,
     "varve resample -f 1D -m mean,max t2m.nc -o daily.nc\nvarve resample -f QS-DEC --complete t2m.nc -o seasons.nc",
     REDUCING | VV_CLI_AREA | VV_CLI_METHODS | VV_CLI_PERIODS, true, false, vv_cli_resample},
    {CLIMATE, "rolling", "running means and other statistics of a moving window",
     "-w LENGTH [-m NAME,...] [-d DIM] FILE... [-o OUTPUT]", rolling_about,
     "varve rolling -w 30 --center t2m_daily.nc -o smooth.nc", REDUCING | VV_CLI_METHODS | VV_CLI_WINDOWS, true, false,
     vv_cli_rolling},
    {CLIMATE, "trend", "how much values rise with time, and whether that is significant",
     "[-d DIM] [-m NAME,...] [--per UNIT] FILE... [-o OUTPUT]", trend_about,
     "varve trend t2m.nc -o trend.nc\nvarve trend --per decade -m slope,p --adjust 't2m_*.nc' -o trend.nc\n"
     "varve trend -d time --per step t2m.nc -o as_cdo.nc",
     VV_CLI_SELECT | VV_CLI_TRENDS | VV_CLI_LINES | VV_CLI_OUTPUT, true, false, vv_cli_trend},
    {CLIMATE, "detrend", "values less the straight line through them", "[-d DIM] [-v VAR,...] FILE... -o OUTPUT",
     detrend_about, "varve detrend t2m.nc -o left.nc", VV_CLI_SELECT | VV_CLI_TRENDS | VV_CLI_OUTPUT, true, false,
     vv_cli_detrend},
    {CLIMATE, "corr", "correlation of two variables", "[-d DIM,...] [--lag N,...] A B [-o OUTPUT]", corr_about,
     "varve corr t2m.nc sst.nc -o corr.nc\nvarve corr -m corr,p --lag 0:12 nino.nc:nino34 rain.nc:rain -o lags.nc\n"
     "varve corr -d lat,lon --weights 'cos(lat)' -v t2m,z500 era5.nc -o pattern.nc",
     VV_CLI_SELECT | VV_CLI_PAIRS | VV_CLI_AREA | VV_CLI_OUTPUT, true, false, vv_cli_relate},
    {CLIMATE, "cov", "covariance of two variables", "[-d DIM,...] [--lag N,...] A B [-o OUTPUT]", cov_about,
     "varve cov t2m.nc sst.nc -o cov.nc\nvarve cov -m cov,slope,n -v u,v wind.nc -o uv.nc",
     VV_CLI_SELECT | VV_CLI_PAIRS | VV_CLI_AREA | VV_CLI_OUTPUT, true, false, vv_cli_relate},
    {CLIMATE, "eof", "patterns that vary most, and their series", "[-n MODES] [-d DIM] [-v VAR,...] FILE... -o OUTPUT",
     eof_about,
     "mpirun -n 2 varve eof -n 4 slp_monthly.nc -o eof.nc\nvarve eof -n 10 --correlation --gaps skip sst.nc -o eof.nc",
     VV_CLI_SELECT | VV_CLI_PATTERNS | VV_CLI_AREA | VV_CLI_OUTPUT, true, false, vv_cli_eof},
    {CLIMATE, "index", "climate indices: summer days, dry spells, heavy rain ...",
     "NAME[,NAME] [-f FREQ] FILE... [-o OUTPUT]", index_about,
     "varve index SU,TXx tasmax.nc -o hot.nc\n"
     "varve index CDD,Rx5day --freq season pr_daily.nc -o rain.nc\n"
     "mpirun -n 4 varve index WSDI --base-period 1961:1990 'tasmax_*.nc' -o wsdi.nc\n"
     "varve index DTR tasmax.nc tasmin.nc -o dtr.nc\nvarve index --list",
     VV_CLI_SELECT | VV_CLI_PERIODS | VV_CLI_INDICES | VV_CLI_OUTPUT, true, false, vv_cli_index},
    {MOVING, "select", "part of a file, by labels or positions", "SELECTION [-v VAR,...] FILE... -o OUTPUT",
     select_about,
     "varve select 'time=1990-01:1999-12,lat=-30:30' t2m.nc -o tropics.nc\nvarve select 'time=#::4,level=~850' "
     "t.nc -o part.nc\nvarve select season=DJF,lon=-30:40,lat=35:70 t2m.nc -o winters.nc\n"
     "varve select --points '10.7,59.9;12.5,41.9' t2m.nc -o cities.nc",
     VV_CLI_SELECT | VV_CLI_POINTS | VV_CLI_OUTPUT, true, false, vv_cli_select},
    {MOVING, "concat", "files one behind the other along a dimension", "-d DIM [-v VAR,...] FILE... -o OUTPUT",
     concat_about, "varve concat -d time t2m_1990.nc t2m_1991.nc -o t2m.nc\nvarve concat -d time 't2m_*.nc' -o t2m.nc",
     VV_CLI_SELECT | VV_CLI_JOIN | VV_CLI_OUTPUT, true, false, vv_cli_concat},
    {MOVING, "stack", "files side by side along a new dimension", "-d DIM [-v VAR,...] FILE... -o OUTPUT", stack_about,
     "varve stack -d member run1.nc run2.nc run3.nc -o ensemble.nc", VV_CLI_SELECT | VV_CLI_JOIN | VV_CLI_OUTPUT, true,
     false, vv_cli_stack},
    {MOVING, "rechunk", "a file with other chunks, and filters", "-c DIM=N,... [-v VAR,...] FILE... -o OUTPUT",
     rechunk_about,
     "varve rechunk -c time=-1,lat=16,lon=16 t2m.nc -o series.nc\nvarve rechunk -c time=1 --deflate 4 t2m.nc -o "
     "maps.nc",
     VV_CLI_SELECT | VV_CLI_OUTPUT, true, false, vv_cli_rechunk},
    {"Calculate", "run", "a C function of yours over chunks or files",
     "LIBRARY.so:NAME [--args TEXT] [-v VAR,...] FILE... [-o OUTPUT]", run_about,
     "varve run ./mine.so:smooth t2m.nc --args 0.25 -o smooth.nc\nvarve run ./mine.so:sizes '*.txt'",
     VV_CLI_SELECT | VV_CLI_KERNEL | VV_CLI_OUTPUT, true, false, vv_cli_run},
    {"Calculate", "eval", "expressions: any calculation with the variables of files",
     "'NAME = EXPRESSION'... [-f SCRIPT] [FILE...] [-o OUTPUT]", eval_about,
     "varve eval 'warmest = max(t2m) - 273.15' t2m.nc\n"
     "varve eval 'speed = sqrt(u10^2 + v10^2).mean(time)' wind.nc -o speed.nc\n"
     "varve eval 'let s = hypot(u, v)' 'a = s.mean()' 'b = s.std()' uv.nc\n"
     "varve eval 'a = t2m.group(month) - t2m.group(month).mean()' t2m.nc -o a.nc\n"
     "mpirun -n 2 varve eval -f wind.vv 'era5_*.nc' -o wind.nc",
     VV_CLI_EXPRESSIONS | VV_CLI_OUTPUT, true, false, vv_cli_eval},
    {"Find out more", "explain", "what a command would do, and what that costs", "COMMAND ...", explain_about,
     "varve explain mean -d time t2m.nc\nmpirun -n 16 varve explain mean -d time t2m.nc --memory 1G\n"
     "varve explain mean -d time t2m.nc --ranks 4096 --net 25GB/s,2us --disk 2GB/s",
     VV_CLI_MODEL, false, false, vv_cli_explain},
    {"Find out more", "graph", "the plan of a command as a picture", "COMMAND ...", graph_about,
     "varve graph mean -d time t2m.nc >plan.svg\n"
     "varve graph --explain=dot anom -g month t2m.nc -o a.nc | dot -Tpng >plan.png",
     VV_CLI_MODEL, false, false, vv_cli_graph},
    {"Find out more", "status", "how a run is getting on", "OUTPUT|DIRECTORY...", status_about,
     "varve status clim.nc\nwatch -n 5 varve status .", VV_CLI_INFO, false, true, vv_cli_status},
    {"Find out more", "jobscript", "a batch script for a command, sized by its plan",
     "slurm|pbs [--nodes N] [--time H:MM:SS] -- COMMAND ...", jobscript_about,
     "varve jobscript slurm --nodes 4 -- clim -g month t2m.nc -o clim.nc >clim.sh\n"
     "sbatch clim.sh",
     VV_CLI_JOB, false, true, vv_cli_jobscript},
    {"Find out more", "bench", "how fast this machine is, how programs scale, others beside",
     "machine|scaling [NAME,...]|compare [NAME,...]|plot TABLE", bench_about,
     "varve bench machine\nmpirun -n 2 varve bench machine\n"
     "for n in 1 2 4; do mpirun -n $n varve bench scaling -o scaling.csv; done\n"
     "mpirun -n 4 varve bench scaling reduce,write --weak --size 500MB -o weak.csv\n"
     "varve bench plot scaling.csv -o scaling.png\n"
     "varve bench compare --size 1GB -o compare.csv\nvarve bench compare mean,rechunk",
     VV_CLI_OUTPUT | VV_CLI_BENCH, false, false, vv_cli_bench},
    {"Find out more", "help", "help on a command, the same as 'varve COMMAND --help'", "[--man] [COMMAND]", NULL,
     "varve help mean\nvarve help --man mean | man -l -", VV_CLI_MANUAL, false, true, vv_cli_help},
    {"Find out more", "completion", "completion of commands and options in a shell", "bash|zsh", completion_about,
     "eval \"$(varve completion bash)\"\nvarve completion zsh > ~/.zsh/_varve", 0, false, true, vv_cli_completion},
    {"Find out more", "version", "the version of this program", "", NULL, NULL, 0, false, true, vv_cli_version},
};

enum { N_BEFORE = sizeof before / sizeof *before, N_AFTER = sizeof after / sizeof *after };

static int n_reductions(void)
{
    int n = 0;
    while (vv_reduction_name(n)) n++;
    return n;
}

bool vv_cli_command_at(int i, vv_cli_command *out)
{
    int n = n_reductions(), last = i - N_BEFORE - n;
    if (i < 0 || last >= N_AFTER) return false;
    if (i < N_BEFORE) {
        *out = before[i];
    } else if (last < 0) {
        *out = any_reduction;
        out->name = vv_reduction_name(i - N_BEFORE);
        out->help = vv_reduction_help(i - N_BEFORE);
    } else {
        *out = after[last];
    }
    return true;
}
