/* The command line: parsing by the tables, help texts, and whole runs of the program on data without files.
 *
 * The program's main() is called like a function, from its source. */
#define main varve_main
#include "cli/main.c"
#undef main

#include "cli/format.h"
#include "cli/history.h"
#include "cli/inputs.h"
#include "cli/json.h"
#include "cli/units.h"

#include "scratch.h"

#include <ctype.h>
#include <fcntl.h>
#include <math.h>

#define FIELD_FILE "virtual:x?shape=time:4,lat:3&value=index"

static vv_cli_request request;

/* Parses the words after "varve"; the request of the last call stays until the next. */
static vv_status parse(const char *line)
{
    static char text[1040];
    static char *argv[64];
    int argc = 0;
    snprintf(text, sizeof text, "varve %s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) argv[argc++] = word;
    vv_cli_request_free(&request);
    request = (vv_cli_request)VV_CLI_REQUEST_INIT;
    return vv_cli_parse(argc, argv, &request);
}

static void assert_words(const vv_cli_words *w, const char *expected)
{
    char *joined = vv_cli_words_join(w);
    assert_string_equal(expected, joined);
    free(joined);
}

/* --- parsing --- */

static void defaults(void **state)
{
    (void)state;
    must(parse("mean t2m.nc"));
    assert_true(request.has_command);
    assert_string_equal("mean", request.command.name);
    assert_words(&request.inputs, "t2m.nc");
    assert_true(request.shuffle && request.skipna);
    assert_false(request.overwrite || request.keepdims || request.quiet || request.stats);
    assert_int_equal(-1, request.deflate);
    assert_int_equal(VV_PROGRESS_AUTO, request.progress);
    assert_int_equal(VV_CLI_EXPLAIN_NOT, request.explain);
    assert_null(request.output);
    assert_int_equal(0, request.ranks);
    assert_true(request.net.bandwidth == 0 && request.net.latency == 0 && request.disk == 0);
    must(parse("explain mean t2m.nc --net 25GB/s"));
    assert_true(request.net.bandwidth == 25e9 && request.net.latency == 0);
}

static void check_everything(void)
{
    assert_string_equal("mean", request.command.name);
    assert_words(&request.inputs, "in.nc");
    assert_words(&request.dims, "lat,lon,time");
    assert_words(&request.variables, "t2m,u");
    assert_string_equal("out.nc", request.output);
    assert_int_equal(2000000000, request.memory);
    assert_int_equal(3, request.threads);
    assert_int_equal(4, request.deflate);
    assert_int_equal(VV_PROGRESS_ON, request.progress);
    assert_int_equal(VV_CLI_EXPLAIN_JSON, request.explain);
    assert_string_equal("memory", request.policy);
    assert_string_equal("/scr", request.scratch);
    assert_int_equal(4096, request.ranks);
    assert_true(request.net.bandwidth == 25e9 && fabs(request.net.latency - 2e-6) < 1e-12 && request.disk == 2e9);
    assert_true(request.overwrite && request.quiet && request.keepdims);
    assert_false(request.shuffle || request.skipna);
    assert_true(request.ddof == -1.5);
}

/* The same, in every way to write it and at every place. */
static void options_stand_anywhere(void **state)
{
    (void)state;
    static const char *const line[] = {
        "--ranks 4096 --net 25GB/s,2us --disk 2GB/s --policy memory --scratch /scr "
        "--memory 2GB --threads 3 --progress on --explain=json mean -qO -d lat,lon -d time -v t2m,u in.nc -o out.nc "
        "--deflate 4 "
        "--no-shuffle --no-skipna --keepdims --ddof -1.5",
        "--ranks=4096 --net=200Gbit/s,2000ns --disk=2000MB --policy=memory --scratch=/scr -Oq --dim=lat "
        "--dim=lon,lat,time --var=t2m --var=u --keepdims --ddof=-1.5 --no-skipna --explain=json mean "
        "--output=out.nc "
        "--memory=2GB --threads=3 --progress=on --deflate=4 --no-shuffle in.nc",
        "--net 1GB/s,1s --net 25GB/s,0.002ms --disk 2GB/s --ranks 2 --ranks 4096 --policy memory --scratch /scr "
        "-dlat,lon,time -vt2m -vu -oout.nc -O -q --memory 1G --memory 2G mean --threads 3 in.nc --progress off "
        "--progress on --deflate 4 "
        "--shuffle --no-shuffle --skipna --no-skipna --keepdims --explain --explain=json --ddof -1.5",
        "--disk 2GB/s --policy memory --scratch /scr --ranks 4096 --net 25GB/s,2us -qOo out.nc explain mean in.nc -d "
        "lat,lon,time -v t2m,u --memory 2GB --threads 3 --progress on --explain=json "
        "--deflate 4 "
        "--no-shuffle --no-skipna --keepdims --ddof -1.5",
    };
    for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
        must(parse(line[i]));
        check_everything();
    }
}

static void words_after_two_dashes_are_inputs(void **state)
{
    (void)state;
    must(parse("mean -q -- -o --explain"));
    assert_words(&request.inputs, "-o,--explain");
    assert_null(request.output);
    must(parse("mean -"));
    assert_words(&request.inputs, "-");
}

static void explain_goes_before_a_command(void **state)
{
    (void)state;
    must(parse("explain mean in.nc"));
    assert_string_equal("mean", request.command.name);
    assert_int_equal(VV_CLI_EXPLAIN_TEXT, request.explain);
    must(parse("mean --explain in.nc"));
    assert_int_equal(VV_CLI_EXPLAIN_TEXT, request.explain);
    assert_words(&request.inputs, "in.nc");
}

static void errors_are_clear(void **state)
{
    (void)state;
    static const char *const row[][2] = {
        {"", "no command given"},
        {"maen in.nc", "unknown command 'maen'; did you mean 'mean'?"},
        {"mean --memroy 2GB", "unknown option '--memroy'; did you mean '--memory'?"},
        {"mean --zzzzzzzzz", "unknown option '--zzzzzzzzz'"},
        {"mean -x", "unknown option '-x'"},
        {"mean -qx", "unknown option '-x' in '-qx'"},
        {"mean -o", "option -o needs OUTPUT"},
        {"mean -d -o out.nc", "option -d needs DIM[,DIM]"},
        {"mean --output= in.nc", "--output needs OUTPUT"},
        {"mean --quiet=1", "option --quiet takes no value"},
        {"mean --no-quiet", "unknown option '--no-quiet'"},
        {"mean -d a,,b", "--dim 'a,,b' has an empty name"},
        {"mean --threads 0", "--threads takes a whole number from 1 to 1024, not '0'"},
        {"mean --threads 2x", "not '2x'"},
        {"mean --deflate 12", "from 0 to 9, not '12'"},
        {"mean --memory banana", "--memory takes a size such as 512MB or 1.5G, not 'banana'"},
        {"mean --memory 0", "not '0'"},
        {"mean --ddof one", "--ddof takes a number, not 'one'"},
        {"mean --ddof inf", "--ddof takes a number, not 'inf'"},
        {"mean --progress sometimes", "--progress is one of auto|on|off, not 'sometimes'"},
        {"mean --explain=yaml", "--explain is one of text|json|svg|dot, not 'yaml'"},
        {"mean --ranks 4 in.nc", "--ranks describes the machine that --explain is to speak of; add --explain"},
        {"--disk 2GB/s info in.nc", "--disk describes the machine"},
        {"mean in.nc --net 25GB/s", "--net describes the machine"},
        {"info --explain --ranks 4 in.nc", "info has no plan to explain"},
        {"mean --explain --ranks 0", "--ranks takes a whole number from 1 to 10000000, not '0'"},
        {"mean --explain --disk 2", "--disk takes bytes per second such as 2GB/s or 500MB/s, not '2'"},
        {"mean --explain --disk 0GB/s", "not '0GB/s'"},
        {"mean --explain --net 25Gb/s", "such as 25GB/s,2us or 200Gbit/s, not '25Gb/s'"},
        {"mean --explain --net 25GB/s,", "not '25GB/s,'"},
        {"mean --explain --net 25GB/s,2", "not '25GB/s,2'"},
        {"mean --explain --net ,2us", "not ',2us'"},
        {"info --ddof 1 in.nc", "info takes no option --ddof"},
        {"--method mean mean in.nc", "mean takes no option --method"},
        {"info --explain in.nc", "info has no plan to explain"},
        {"explain info in.nc", "'info' has no plan"},
        {"explain maen in.nc", "did you mean 'mean'?"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_int_equal(VV_ERR_USAGE, parse(row[i][0]));
        assert_message(row[i][1]);
    }
}

/* --- the tables --- */

static void option_table_is_sound(void **state)
{
    (void)state;
    assert_true(vv_cli_n_options <= VV_CLI_MAX_OPTIONS);
    for (int i = 0; i < vv_cli_n_options; i++) {
        const vv_cli_option *o = &vv_cli_options[i];
        assert_true(o->set && o->field > 0 && o->field < sizeof request);
        assert_true(o->help && *o->help && o->group);
        assert_true(!o->negatable || !o->value);
        assert_true(!o->choices || o->choices[0]);
        for (int j = 0; j < i; j++) {
            /* names and letters are those of one option, in every command that has its own */
            bool together = o->group & vv_cli_options[j].group;
            assert_true(!together || strcmp(o->name, vv_cli_options[j].name) != 0);
            assert_true(!together || !o->letter || o->letter != vv_cli_options[j].letter);
            /* the same option of other commands may be explained in other words */
            assert_true(o->field != vv_cli_options[j].field || !strcmp(o->name, vv_cli_options[j].name));
        }
    }
}

static void every_reduction_is_a_command(void **state)
{
    (void)state;
    vv_cli_command c;
    for (int i = 0; vv_reduction_name(i); i++) {
        must(vv_cli_command_find(vv_reduction_name(i), &c));
        assert_string_equal(vv_reduction_name(i), c.name);
        assert_string_equal(vv_reduction_help(i), c.help);
        assert_true(c.plans && c.run == vv_cli_reduction);
    }
    assert_false(vv_cli_command_at(-1, &c));
    assert_false(vv_cli_command_at(1000, &c));
}

static char *printed(void (*print)(FILE *, const vv_cli_command *), const vv_cli_command *c)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    print(out, c);
    fclose(out);
    return text;
}

static void assert_fits(const char *text)
{
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        if (length > 80) fail_msg("longer than 80 characters: %.*s", (int)length, at);
        if (length && at[length - 1] == ' ') fail_msg("ends in a space: '%.*s'", (int)length, at);
        at += length + (at[length] == '\n');
    }
}

static void help_texts(void **state)
{
    (void)state;
    vv_cli_command c;
    char *all = printed(vv_cli_print_help, NULL), term[64];
    assert_fits(all);
    for (int i = 0; vv_cli_command_at(i, &c); i++) {
        char *one = printed(vv_cli_print_help, &c), line[80];
        assert_fits(one);
        snprintf(line, sizeof line, "\n  %s ", c.name);
        assert_non_null(strstr(all, line));
        for (int o = 0; o < vv_cli_n_options; o++) {
            vv_cli_option_term(&vv_cli_options[o], term, sizeof term);
            bool taken = vv_cli_options[o].group & (c.groups | VV_CLI_GENERAL | (c.plans ? VV_CLI_EVERYWHERE : 0));
            char beside[80], above[80];
            snprintf(beside, sizeof beside, "\n  %s  ", term);
            snprintf(above, sizeof above, "\n  %s\n", term);
            if (taken != (strstr(one, beside) || strstr(one, above))) fail_msg("%s: %s", c.name, term);
        }
        free(one);
    }
    free(all);
}

/* A line of a manual page that begins with a dot is a request that roff knows. */
static void assert_roff(const char *text)
{
    static const char *const known[] = {".TH ", ".SH ", ".SS ",  ".TP\n", ".B ",  ".BR ",
                                        ".I ",  ".IR ", ".PP\n", ".nf\n", ".fi\n"};
    assert_int_equal(0, strncmp(text, ".TH ", 4));
    for (const char *at = text; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
        bool fine = *at != '.' && *at != '\'';
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            fine = fine || !strncmp(at, known[i], strlen(known[i]));
        if (!fine) fail_msg("not roff: %.40s", at);
    }
}

static void manual_pages(void **state)
{
    (void)state;
    vv_cli_command c;
    char *all = printed(vv_cli_print_manual, NULL);
    assert_roff(all);
    assert_non_null(strstr(all, "\\-\\-keepdims"));
    for (const vv_cli_topic *t = vv_cli_topics; t->title; t++)
        if (t->about) assert_non_null(strstr(all, "Neither ranks nor data have to be there"));
    free(all);
    for (int i = 0; vv_cli_command_at(i, &c); i++) {
        char *one = printed(vv_cli_print_manual, &c);
        assert_roff(one);
        assert_non_null(strstr(one, c.name));
        free(one);
    }
}

/* --- inputs, history, values --- */

static void inputs(void **state)
{
    (void)state;
    char line[1024];
    vv_cli_inputs in;
    assert_int_equal(0, shell("touch '%s/b.nc' '%s/a.nc' '%s/odd:name.nc'", scratch, scratch, scratch));
    snprintf(line, sizeof line,
             "mean %s/[ab].nc %s/a.nc:u,v %s/odd:name.nc virtual:x?shape=a:3 nowhere.nc:w nowhere.nc:/g/w -v t,u",
             scratch, scratch, scratch);
    must(parse(line));
    must(vv_cli_inputs_find(&request, &in));
    assert_int_equal(7, in.n);
    static const char *const expected[][2] = {{"/a.nc", "t,u"},
                                              {"/b.nc", "t,u"},
                                              {"/a.nc", "u,v,t"},
                                              {"/odd:name.nc", "t,u"},
                                              {"virtual:x?shape=a:3", "t,u"},
                                              {"nowhere.nc", "w,t,u"},
                                              {"nowhere.nc", "/g/w,t,u"}};
    for (int i = 0; i < in.n; i++) {
        const char *path = in.item[i].path, *end = expected[i][0];
        assert_true(strlen(path) >= strlen(end));
        assert_string_equal(end, path + strlen(path) - strlen(end));
        assert_words(&in.item[i].variables, expected[i][1]);
    }
    vv_cli_inputs_free(&in);
    must(parse("mean no-such-*.nc"));
    assert_int_equal(VV_ERR_NOT_FOUND, vv_cli_inputs_find(&request, &in));
    vv_cli_inputs_free(&in);
    must(parse("mean"));
    assert_int_equal(VV_ERR_USAGE, vv_cli_inputs_find(&request, &in));
    assert_message("mean needs an input file");
    vv_cli_inputs_free(&in);
}

static void history(void **state)
{
    (void)state;
    const char *const argv[] = {"/usr/bin/varve", "mean", "-d", "time", "it's here.nc", "*.nc", "", "-o", "out.nc"};
    char *line;
    setenv("SOURCE_DATE_EPOCH", "1000000000", 1);
    must(vv_cli_history(9, argv, &line));
    char expected[200];
    snprintf(expected, sizeof expected,
             "Sun Sep 09 01:46:40 2001: varve mean -d time 'it'\\''s here.nc' '*.nc' '' -o out.nc # varve %s",
             vv_version());
    assert_string_equal(expected, line);
    free(line);
    setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
    line = NULL;
    assert_int_equal(VV_ERR_USAGE, vv_cli_history(9, argv, &line));
    unsetenv("SOURCE_DATE_EPOCH");
}

static void values_read_back(void **state)
{
    (void)state;
    uint64_t seed = 42;
    char text[VV_CLI_VALUE];
    for (int i = 0; i < 100000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double d;
        float f;
        uint32_t half = (uint32_t)(seed >> 32);
        memcpy(&d, &seed, sizeof d);
        memcpy(&f, &half, sizeof f);
        if (!isnan(d)) assert_true(strtod(vv_cli_value(VV_F64, &d, 0, text), NULL) == d);
        if (!isnan(f)) assert_true(strtof(vv_cli_value(VV_F32, &f, 0, text), NULL) == f);
    }
    float tenth[] = {0.1f, 278.15f};
    assert_string_equal("0.1", vv_cli_value(VV_F32, tenth, 0, text));
    assert_string_equal("278.15", vv_cli_value(VV_F32, tenth, 1, text));
    assert_string_equal("nan", vv_cli_value(VV_F64, &(double){-NAN}, 0, text));
    assert_string_equal("-128", vv_cli_value(VV_I8, &(int8_t){-128}, 0, text));
    assert_string_equal("18446744073709551615", vv_cli_value(VV_U64, &(uint64_t){UINT64_MAX}, 0, text));
    assert_string_equal("1.5-2i", vv_cli_value(VV_C128, &(vv_c128){1.5, -2}, 0, text));
    assert_string_equal("true", vv_cli_value(VV_BOOL, &(uint8_t){1}, 0, text));
}

static void tables_line_up(void **state)
{
    (void)state;
    static const char *const cells[][4] = {{"name", "", "", "value"}, {"°K", "", "1", "2"}, {"a", "", "", "1000"}};
    vv_cli_table t = {0};
    for (size_t r = 0; r < 3; r++) {
        vv_cli_table_row(&t);
        for (size_t c = 0; c < 4; c++) vv_cli_table_cell(&t, "%s", cells[r][c]);
    }
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    must(vv_cli_table_print(&t, out, "llrr"));
    fclose(out);
    assert_string_equal("  name     value\n  °K    1      2\n  a         1000\n", text);
    free(text);
}

static void json_text_is_utf8(void **state)
{
    (void)state;
    static const char *const row[][2] = {
        {"plain", "\"plain\""},
        {"a \"b\" \\ \n\t\x01", "\"a \\\"b\\\" \\\\ \\u000a\\u0009\\u0001\""},
        {"2 \xc2\xb0K \xe2\x80\x94 \xf0\x9f\x8c\x8d", "\"2 \xc2\xb0K \xe2\x80\x94 \xf0\x9f\x8c\x8d\""},
        {"Latin \xb0", "\"Latin \\u00b0\""},
        {"\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x80",
         "\"\\u00c0\\u0080 \\u00ed\\u00a0\\u0080 \\u00f4\\u0090\\u0080\\u0080 \\u00e2\\u0080\""},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        vv_cli_json_text(out, row[i][0]);
        fclose(out);
        assert_string_equal(row[i][1], text);
        free(text);
    }
}

/* --- whole runs --- */

static char out_text[65536], err_text[65536];

static void slurp(const char *name, char *out, size_t size)
{
    FILE *f = fopen(scratch_path(name), "r");
    assert_non_null(f);
    out[fread(out, 1, size - 1, f)] = 0;
    fclose(f);
}

static int redirect(int fd, const char *name)
{
    int kept = dup(fd), file = open(scratch_path(name), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(kept >= 0 && file >= 0 && dup2(file, fd) == fd);
    close(file);
    return kept;
}

static void restore(int fd, int kept)
{
    dup2(kept, fd);
    close(kept);
}

/* Runs the program; its exit status, with what it wrote in out_text and err_text. */
static int run(const char *line)
{
    char text[1024];
    char *argv[64] = {"varve"};
    int argc = 1;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) argv[argc++] = word;
    fflush(NULL);
    int out = redirect(STDOUT_FILENO, "stdout"), err = redirect(STDERR_FILENO, "stderr");
    int code = varve_main(argc, argv);
    fflush(NULL);
    restore(STDOUT_FILENO, out);
    restore(STDERR_FILENO, err);
    slurp("stdout", out_text, sizeof out_text);
    slurp("stderr", err_text, sizeof err_text);
    return code;
}

static int lines_with(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) n++;
    return n;
}

static void small_results_are_printed(void **state)
{
    (void)state;
    assert_int_equal(0, run("mean " FIELD_FILE));
    assert_string_equal("  x  5.5\n", out_text);
    assert_string_equal("", err_text);
    assert_int_equal(0, run("mean -d lat " FIELD_FILE));
    assert_string_equal("  x  time=1990-01-01         1\n  x  time=1990-01-01 06:00   4\n"
                        "  x  time=1990-01-01 12:00   7\n  x  time=1990-01-01 18:00  10\n",
                        out_text);
    assert_int_equal(0, run("reduce -m min,max,count -d time,lat " FIELD_FILE));
    assert_string_equal("  x_min     0\n  x_max    11\n  x_count  12\n", out_text);
    assert_int_equal(0, run("max -d time --keepdims --stats " FIELD_FILE));
    assert_string_equal("  x  lat=0   9\n  x  lat=1  10\n  x  lat=2  11\n", out_text);
    assert_int_equal(0, strncmp(err_text, "varve: ranks: 1 on 1 node; ", 27));
    assert_non_null(strstr(err_text, "\nvarve: stats seconds="));
    assert_non_null(strstr(err_text, "\npredicted / measured"));
    assert_int_equal(1, lines_with(err_text, "reduce x"));
    assert_int_equal(0, run("reduce -m min,max --stats " FIELD_FILE));
    assert_int_equal(2, lines_with(err_text, "reduce x")); /* two computations, two reports */
    assert_int_equal(1, lines_with(err_text, "varve: stats"));
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        vv_status status;
        const char *says;
    } row[] = {
        {"mean -d time virtual:x?shape=time:2,lat:21", VV_ERR_USAGE,
         "21 values, too many to print; give a file for them with -o OUTPUT"},
        {"mean -d tim " FIELD_FILE, VV_ERR_NOT_FOUND, "did you mean 'time'?"},
        {"mean -v y " FIELD_FILE, VV_ERR_NOT_FOUND, "no variable 'y'"},
        {"mean -d lat -v time " FIELD_FILE, VV_ERR_SHAPE, "variable 'time' has no dimension 'lat'"},
        {"mean virtual:x?shape=", VV_ERR_SHAPE, "no data variable with dimensions"},
        {"mean " FIELD_FILE " " FIELD_FILE " -o x.nc", VV_ERR_USAGE, "is given twice"},
        {"mean " FIELD_FILE " virtual:x?shape=time:2,lat:7 -o x.nc", VV_ERR_SHAPE, "differ along two dimensions"},
        {"mean --concat tim " FIELD_FILE " virtual:x?shape=time:2,lat:7", VV_ERR_NOT_FOUND, "did you mean 'time'?"},
        {"mean " FIELD_FILE " nowhere.nc", VV_ERR_USAGE, "-o nowhere.nc"},
        {"reduce " FIELD_FILE, VV_ERR_USAGE, "reduce needs -m"},
        {"reduce -m mean,stdd " FIELD_FILE, VV_ERR_USAGE, "unknown reduction 'stdd'; did you mean 'std'?"},
        {"mean --placement everywhere " FIELD_FILE, VV_ERR_USAGE, "everywhere"},
        {"mean --log loud " FIELD_FILE, VV_ERR_USAGE, "loud"},
        {"help maen", VV_ERR_USAGE, "did you mean 'mean'?"},
        {"mean --policy fifo " FIELD_FILE, VV_ERR_USAGE, "no policy 'fifo'; there are: critical-path, memory"},
        {"reduce -m mean,max --explain=svg " FIELD_FILE, VV_ERR_USAGE, "give -o OUTPUT or one -v"},
        {"bench", VV_ERR_USAGE, "bench needs what to measure"},
        {"bench machin", VV_ERR_USAGE, "unknown benchmark 'machin'; did you mean 'machine'?"},
        {"bench machine twice", VV_ERR_USAGE, "bench machine takes no 'twice'"},
        {"bench scaling reduce,writ", VV_ERR_USAGE, "unknown benchmark 'writ'; did you mean 'write'?"},
        {"bench scaling reduce write", VV_ERR_USAGE, "bench scaling takes no 'write'"},
        {"bench compare meen", VV_ERR_USAGE, "unknown trial 'meen'; did you mean 'mean'?"},
        {"bench scaling --size 0", VV_ERR_USAGE, "--size takes a size such as 512MB"},
        {"bench plot", VV_ERR_USAGE, "a table that 'varve bench scaling -o' has made"},
        {"bench plot table.csv", VV_ERR_USAGE, "a picture to write"},
        {"bench plot nowhere.csv -o x.svg", VV_ERR_NOT_FOUND, "cannot read nowhere.csv"},
        {"bench plot /dev/null -o x.svg", VV_ERR_USAGE, "is no table of this version's"},
        {"bench machine -o /dev/null", VV_ERR_EXISTS, "output /dev/null exists"},
        {"bench machine --memory 100MB", VV_ERR_BUDGET, "needs a memory budget of 537 MB, but 100 MB was given"},
        {"bench machine --scratch /nowhere/at/all", VV_ERR_USAGE, "scratch directory /nowhere/at/all cannot be used"},
        {"explain", VV_ERR_USAGE, "explain needs a command"},
        {"", VV_ERR_USAGE, "varve --help"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_int_equal(vv_status_exit(row[i].status), run(row[i].line));
        assert_int_equal(0, strncmp(err_text, "varve: ", 7));
        if (!strstr(err_text, row[i].says)) fail_msg("'%s' does not say '%s'", err_text, row[i].says);
        assert_string_equal("", out_text);
        assert_string_equal("\n", strchr(err_text, '\n'));
    }
}

static void output_is_not_the_input(void **state)
{
    (void)state;
    char line[1024];
    assert_int_equal(0, shell("echo precious > '%s/in.nc'; ln -f '%s/in.nc' '%s/same.nc'", scratch, scratch, scratch));
    snprintf(line, sizeof line, "mean %s/in.nc -O -o %s/same.nc", scratch, scratch);
    assert_int_equal(vv_status_exit(VV_ERR_EXISTS), run(line));
    assert_non_null(strstr(err_text, "is the input"));
    assert_int_equal(0, shell("grep -q precious '%s/in.nc'", scratch));
}

static void explaining_writes_nothing(void **state)
{
    (void)state;
    char line[1024];
    snprintf(line, sizeof line, "explain mean -d time %s -o %s/plan.nc", FIELD_FILE, scratch);
    assert_int_equal(0, run(line));
    assert_non_null(strstr(out_text, "mean"));
    assert_int_equal(-1, access(scratch_path("plan.nc"), F_OK));
    assert_int_equal(0, run("mean --explain=json " FIELD_FILE));
    assert_int_equal('{', out_text[0]);
    assert_int_equal(0, run("reduce -m mean,max --explain=json " FIELD_FILE));
    assert_int_equal('[', out_text[0]);
    assert_int_equal(0, run("mean --explain=svg " FIELD_FILE));
    assert_int_equal(0, strncmp(out_text, "<svg", 4));
    assert_non_null(strstr(out_text, "</svg>"));
}

/* Ranks that are not here are in the plan; a slower network and disk take longer. */
static void other_machines_are_explained(void **state)
{
    (void)state;
    assert_int_equal(0, run("explain mean -d lat " FIELD_FILE " --ranks 4096 --net 25GB/s,2us --disk 2GB/s"));
    assert_non_null(strstr(out_text, "4096 ranks x "));
    assert_non_null(strstr(out_text, "messages per rank"));
    assert_int_equal(0, run("explain mean -d lat " FIELD_FILE " --ranks 2 --disk 1B/s"));
    assert_non_null(strstr(out_text, "read 48"));
}

static void units_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double rate; /* 0: none */
    } row[] = {{"25GB/s", 25e9},    {"25GB", 25e9},
               {"1.5 MB/s", 1.5e6}, {"1GiB/s", 1073741824.0},
               {"8Gbit/s", 1e9},    {"100 kbit", 12500},
               {"25", 0},           {"25G/s", 0},
               {"25Gb/s", 0},       {"8GBbit/s", 0},
               {"-1GB/s", 0},       {"0B/s", 0},
               {"GB/s", 0},         {"", 0},
               {"2GB/h", 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        double x = 0;
        assert_int_equal(row[i].rate > 0, vv_cli_bandwidth(row[i].text, strlen(row[i].text), &x));
        assert_true(x == row[i].rate);
    }
    static const char *const good[] = {"1500us", "1500 us", "1.5ms", "0.0015s", "1500000ns", "1500µs"};
    static const char *const bad[] = {"", "2", "us", "2 d", "0us", "-2us", "inf s", "2usx"};
    double x = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(vv_cli_seconds(good[i], &x));
        assert_true(fabs(x - 1.5e-3) < 1e-12);
    }
    assert_true(vv_cli_seconds("1.5h", &x) && x == 5400);
    assert_true(vv_cli_seconds("10m", &x) && x == 600);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(vv_cli_seconds(bad[i], &x));
    char text[32];
    assert_string_equal("7.4 GB/s", vv_cli_rate(7.4e9, "B/s", text));
    assert_string_equal("850 k/s", vv_cli_rate(850123, "/s", text));
    assert_string_equal("1 M/s", vv_cli_rate(999999, "/s", text));
    assert_string_equal("12 /s", vv_cli_rate(12, "/s", text));
}

/* Whatever the rates are, each is told, stored, and found again by explain; a damaged file is replaced. */
static void the_machine_is_measured(void **state)
{
    (void)state;
    char line[1024], text[4096];
    setenv("VARVE_MACHINE", scratch_path("rates/machine.json"), 1);
    assert_int_equal(0, run("mean --explain " FIELD_FILE));
    assert_non_null(strstr(out_text, "by usual rates"));
    assert_int_equal(0,
                     shell("mkdir -p '%s/rates'; echo '{\"read\": -1}' > '%s/rates/machine.json'", scratch, scratch));
    assert_int_equal(vv_status_exit(VV_ERR_FORMAT), run("mean --explain " FIELD_FILE));
    snprintf(line, sizeof line, "bench machine --scratch %s", scratch);
    assert_int_equal(0, run(line));
    assert_string_equal("", err_text);
    slurp("rates/machine.json", text, sizeof text);
    static const char *const rate[] = {"read",    "inflate", "deflate", "fold",  "copy",  "operation", "function",
                                       "element", "window",  "random",  "flops", "write", "network",   "messages",
                                       "tasks",   "file",    "outputs", "pages", "plans"};
    for (size_t i = 0; i < sizeof rate / sizeof *rate; i++) {
        snprintf(line, sizeof line, "  \"%s\": ", rate[i]);
        const char *at = strstr(text, line);
        assert_non_null(at);
        assert_true(strtod(at + strlen(line), NULL) > 0);
        snprintf(line, sizeof line, "  %s ", rate[i]);
        assert_non_null(strstr(out_text, line));
    }
    /* One rank: no network, messages, files of several ranks or agreements; of the others one may drown in noise. */
    assert_in_range(lines_with(out_text, "(not measured here)"), 4, 5);
    assert_non_null(strstr(out_text, "/rates/machine.json\n"));
    assert_int_equal(0, run("mean --explain " FIELD_FILE));
    assert_non_null(strstr(out_text, "by measured rates"));
    assert_int_equal(0, shell("test -z \"$(find '%s' -name 'varve-bench*' -o -name '*.part')\"", scratch));
    unsetenv("VARVE_MACHINE");
}

/* A table gets a row for each benchmark and call, and becomes curves. */
static void scaling_is_measured(void **state)
{
    (void)state;
    char line[1024], text[16384];
    snprintf(line, sizeof line, "bench scaling --size 1MB --runs 1 -o %s/scaling.csv", scratch);
    assert_int_equal(0, run(line));
    assert_int_equal(4, lines_with(out_text, " strong "));
    snprintf(line, sizeof line, "bench scaling reduce,rechunk --disk --weak --size 1MB --runs 2 -o %s/scaling.csv",
             scratch);
    assert_int_equal(0, run(line));
    slurp("scaling.csv", text, sizeof text);
    assert_int_equal(7, lines_with(text, "\n"));
    static const char *const row[] = {"\"reduce\",\"strong\",\"memory\",1,1,", "\"rechunk\",\"strong\",\"memory\",1,1,",
                                      "\"matmul\",\"strong\",\"memory\",1,1,", "\"write\",\"strong\",\"memory\",1,1,",
                                      "\"reduce\",\"weak\",\"disk\",1,1,",     "\"rechunk\",\"weak\",\"disk\",1,1,"};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) assert_non_null(strstr(text, row[i]));
    assert_int_equal(0, shell("test -z \"$(find '%s' -name '.varve-bench*')\"", scratch));
    /* Four ranks, twice as fast as one: half of the efficiency. */
    assert_int_equal(
        0, shell("sed -n '1p;2p' '%s/scaling.csv' >'%s/two.csv'; sed -n 2p '%s/scaling.csv' | awk -F, -v OFS=, "
                 "'{$4 = 4; $10 /= 2; $11 *= 2; print}' >>'%s/two.csv'",
                 scratch, scratch, scratch, scratch));
    snprintf(line, sizeof line, "bench plot %s/two.csv -o %s/curves.svg", scratch, scratch);
    assert_int_equal(0, run(line));
    slurp("curves.svg", text, sizeof text);
    for (const char *const *p =
             (const char *const[]){"strong scaling: time", "strong scaling: efficiency", "strong scaling: rate",
                                   "strong scaling: memory of a rank", "reduce", NULL};
         *p; p++)
        assert_non_null(strstr(text, *p));
    assert_int_equal(vv_status_exit(VV_ERR_EXISTS), run(line));
    assert_int_equal(0, shell("head -c -40 '%s/two.csv' >'%s/cut.csv'", scratch, scratch));
    snprintf(line, sizeof line, "bench plot %s/cut.csv -o %s/cut.svg", scratch, scratch);
    assert_int_equal(vv_status_exit(VV_ERR_FORMAT), run(line));
    assert_non_null(strstr(err_text, "row 2 is broken"));
}

static void files_are_written(void **state)
{
    (void)state;
    char line[1024];
    snprintf(line, sizeof line, "reduce -m mean,max -d time %s -o %s/out.nc", FIELD_FILE, scratch);
    assert_int_equal(0, run(line));
    assert_string_equal("", out_text);
    assert_string_equal("", err_text);
    assert_int_equal(vv_status_exit(VV_ERR_EXISTS), run(line));
    snprintf(line, sizeof line, "sum %s/out.nc:x_max", scratch);
    assert_int_equal(0, run(line));
    assert_string_equal("  x_max  30\n", out_text);
    snprintf(line, sizeof line, "info %s/out.nc", scratch);
    assert_int_equal(0, run(line));
    assert_non_null(strstr(out_text, ": varve reduce -m mean,max -d time '" FIELD_FILE "' -o "));
}

static void info_tells(void **state)
{
    (void)state;
    assert_int_equal(0, run("info " FIELD_FILE " virtual:y?shape=lon:721&dtype=f64"));
    static const char *const parts[] = {
        "  time  4\n",   "time  f64  1990-01-01 .. 1990-01-01 18:00, step 6 hours",
        "x (time, lat)", "  lon  721\n",
        "y (lon)",       "0 .. 720, step 1",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(out_text, parts[i])) fail_msg("no '%s' in\n%s", parts[i], out_text);
    assert_int_equal(0, run("info -v x " FIELD_FILE));
    assert_non_null(strstr(out_text, "x (time, lat)"));
    assert_null(strstr(out_text, "step 6 hours"));
    assert_int_equal(3, run("info -v z " FIELD_FILE));
}

static void info_json_is_json(void **state)
{
    (void)state;
    if (shell("%s -c 'import json' 2>/dev/null", python())) skip();
    assert_int_equal(0, run("info --json " FIELD_FILE));
    assert_int_equal(
        0, shell("%s -c \"import json; d = json.load(open('%s/stdout')); x = d['variables']['x']; "
                 "assert x['shape'] == [4, 3] and x['role'] == 'data' and x['dimensions'] == ['time', 'lat'], x; "
                 "t = d['variables']['time']; assert t['last_time'] == '1990-01-01 18:00' and t['step'] == 6, t; "
                 "assert d['dimensions']['lat'] == {'length': 3, 'unlimited': False}\"",
                 python(), scratch));
    assert_int_equal(0, run("info --json -v x " FIELD_FILE " " FIELD_FILE));
    assert_int_equal(0, shell("%s -c \"import json; d = json.load(open('%s/stdout')); "
                              "assert [list(f['variables']) for f in d] == [['x'], ['x']]\"",
                              python(), scratch));
}

static void help_needs_no_session(void **state)
{
    (void)state;
    static const char *const line[] = {
        "--help", "-h", "help", "help mean", "mean --help", "help --man", "help --man info", "--version", "version"};
    setenv("VV_FAULT", "nonsense:1", 1); /* a session would refuse to start */
    for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
        assert_int_equal(0, run(line[i]));
        assert_non_null(strcasestr(out_text, "varve"));
        assert_string_equal("", err_text);
    }
    setenv("OMPI_COMM_WORLD_RANK", "1", 1); /* one of the ranks says it */
    assert_int_equal(0, run("--help"));
    assert_string_equal("", out_text);
    setenv("OMPI_COMM_WORLD_RANK", "0", 1);
    setenv("SLURM_PROCID", "3", 1); /* of the job that mpirun runs in */
    assert_int_equal(0, run("--help"));
    assert_non_null(strstr(out_text, "varve"));
    unsetenv("SLURM_PROCID");
    unsetenv("OMPI_COMM_WORLD_RANK");
    assert_int_equal(2, run("mean " FIELD_FILE));
    unsetenv("VV_FAULT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(words_after_two_dashes_are_inputs),
        cmocka_unit_test(explain_goes_before_a_command),
        cmocka_unit_test(errors_are_clear),
        cmocka_unit_test(option_table_is_sound),
        cmocka_unit_test(every_reduction_is_a_command),
        cmocka_unit_test(help_texts),
        cmocka_unit_test(manual_pages),
        cmocka_unit_test(inputs),
        cmocka_unit_test(history),
        cmocka_unit_test(values_read_back),
        cmocka_unit_test(tables_line_up),
        cmocka_unit_test(json_text_is_utf8),
        cmocka_unit_test(small_results_are_printed),
        cmocka_unit_test(refusals),
        cmocka_unit_test(output_is_not_the_input),
        cmocka_unit_test(explaining_writes_nothing),
        cmocka_unit_test(other_machines_are_explained),
        cmocka_unit_test(units_are_read),
        cmocka_unit_test(the_machine_is_measured),
        cmocka_unit_test(scaling_is_measured),
        cmocka_unit_test(files_are_written),
        cmocka_unit_test(info_tells),
        cmocka_unit_test(info_json_is_json),
        cmocka_unit_test(help_needs_no_session),
    };
    int failed = cmocka_run_group_tests(tests, make_scratch, drop_scratch);
    vv_cli_request_free(&request);
    return failed;
}
