/* Expressions: what texts mean, as lazy arrays whose elements are worked out one by one; and what errors say, beside tests/data/expression_errors.txt. */
#include "array_check.h"

#include "expr/token.h"
#include "expr/value.h"

#define FIELDS "virtual:v?shape=time:5,y:4,x:3&value=index&dtype=f64"

static vv_script *script;

static int begin(void **state)
{
    (void)fresh(state);
    vv_dataset *d = vv_dataset_open_in(&context, FIELDS);
    must(vv_dataset_status(d));
    must(vv_script_begin(&context, d, &script));
    return 0;
}

static int end(void **state)
{
    vv_script_free(&script);
    return done(state);
}

/* The result `r` of statements. */
static vv_array *value(const char *text)
{
    vv_script *x;
    must(vv_script_begin(&context, script->dataset, &x));
    vv_status status = vv_script_run(x, text, NULL);
    if (status != VV_OK) fail_msg("%s", vv_last_error());
    vv_array *r = NULL;
    for (int i = 0; i < vv_script_n_results(x); i++)
        if (!strcmp(vv_script_name(x, i), "r")) r = vv_script_array(x, i);
    vv_script_free(&x);
    assert_non_null(r);
    return r;
}

static void check_number(const char *text, double expected)
{
    char whole[300];
    snprintf(whole, sizeof whole, "r = %s", text);
    vv_array *r = value(whole);
    assert_int_equal(r->shape.nd, 0);
    double x = r->fill;
    vv_index at[1] = {0};
    x = element(r, at);
    if (x != expected && !(isnan(x) && isnan(expected))) fail_msg("%s is %.17g, not %.17g", text, x, expected);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } row[] = {{"1 + 2 * 3", 7},
               {"(1 + 2) * 3", 9},
               {"2 ^ 3 ^ 2", 512},
               {"2 ** -1", 0.5},
               {"-2 ^ 2", -4},
               {"(-2) ^ 2", 4},
               {"7 // 2", 3},
               {"-7 // 2", -4},
               {"-7 % 3", 2},
               {"7 / 2", 3.5},
               {"10 - 4 - 3", 3},
               {"2 * 3 % 4", 2},
               {"1 < 2", 1},
               {"1 < 2 < 2", 0},
               {"3 > 2 >= 2 != 1", 1},
               {"1 == 1.0", 1},
               {"not 1 == 2", 1},
               {"not 0 and 0", 0},
               {"1 or 0 and 0", 1},
               {"6 & 3 | 8", 10},
               {"1 << 3 + 1", 16},
               {"~5", -6},
               {"5 & 3 == 1", 1},
               {"1 ? 2 : 3", 2},
               {"0 ? 2 : 0 ? 3 : 4", 4},
               {"1 + (0 ? 1 : 2)", 3},
               {"1e3 + .5 + 2.", 1002.5},
               {"sqrt(16)", 4},
               {"abs(-3)", 3},
               {"maximum(2, 3)", 3},
               {"where(1, 2, 3)", 2},
               {"nan", NAN},
               {"inf - inf", NAN},
               {"cos(pi)", -1},
               {"2 ** 70", 1180591620717411303424.0},
               {"9007199254740993 - 1", 9007199254740991},
               {"+3 - -3", 6},
               {"(1 + # comment\n 1)", 2},
               {"1 +\n 2", 3},
               {"1 + \\\n 2", 3},
               {"5 % -3", -1},
               {"true + true", 2}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) check_number(row[i].text, row[i].value);
}

/* Elements of the result, in row-major order, and its type. */
static void check(const char *text, const char *dtype, int n, const double expected[])
{
    vv_array *r = value(text);
    if (strcmp(dtype, vv_dtype_name(r->dtype)) != 0) fail_msg("%s is of %s", text, vv_dtype_name(r->dtype));
    check_elements(r, n, expected);
}
#define ELEMENTS(...)                                                                                                  \
    (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[])                                                \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static void test_positions(void **state)
{
    (void)state;
    check("r = v[0, :, 0]", "f64", ELEMENTS(0, 3, 6, 9));
    check("r = v[0, 1:3, ::2]", "f64", ELEMENTS(3, 5, 6, 8));
    check("r = v[..., -1][-1]", "f64", ELEMENTS(50, 53, 56, 59));
    check("r = v[-1, ..., 0]", "f64", ELEMENTS(48, 51, 54, 57));
    check("r = v[time=0, y=-1]", "f64", ELEMENTS(9, 10, 11));
    check("r = v.isel(time=0, y=3:1:-1, x=0)", "f64", ELEMENTS(9, 6));
    check("let i = 2; r = v[i, i - 1, [0, 2, 2]]", "f64", ELEMENTS(27, 29, 29));
    check("r = sel(v, y=1:2, x=2)[0]", "f64", ELEMENTS(5, 8));
    check("r = v.sel(y=~1.4, x=[2, 0])[-1]", "f64", ELEMENTS(53, 51));
    check("r = sel(v, time=\"1990-01-01\")[:, 0, 0]", "f64", ELEMENTS(0, 12, 24, 36));
    check_shape(value("r = v[time=0]"), "v (y: 4, x: 3)");
    check_shape(value("r = v[time=0:1]"), "v (time: 1, y: 4, x: 3)");
    check_shape(value("r = sel(v, y=2)"), "v (time: 5, x: 3)");
    check_shape(value("r = sel(v, y=2:2)"), "v (time: 5, y: 1, x: 3)");
}

static void test_calls(void **state)
{
    (void)state;
    check_shape(value("r = mean(v, y, x)"), "v (time: 5)");
    check_shape(value("r = v.mean(dims=[y, x], keepdims=true)"), "v (time: 5, y: 1, x: 1)");
    check_shape(value("r = v.mean(\"y,x\")"), "v (time: 5)");
    check_shape(value("r = transpose(v, x, y, time)"), "v (x: 3, y: 4, time: 5)");
    check_shape(value("r = zeros(a=2, b=3) + ones(b:3, c:4)"), "full (a: 2, b: 3, c: 4)");
    check_shape(value("r = reshape(v, time=5, cell=-1)"), "v (time: 5, cell: 12)");
    check_shape(value("r = concat(v, v, v, dim=x)"), "v (time: 5, y: 4, x: 9)");
    check_shape(value("r = stack([v, v], dim=m)"), "v (m: 2, time: 5, y: 4, x: 3)");
    check_shape(value("r = quantile(v, [0.1, 0.5], y, x)"), "v (quantile: 2, time: 5)");
    check_shape(value("r = expand(v, m=2)"), "v (m: 2, time: 5, y: 4, x: 3)");
    check_shape(value("r = rename(v, x=lon, y=lat)"), "v (time: 5, lat: 4, lon: 3)");
    check_shape(value("r = v.group(time.month).mean()"), "v (month: 1, y: 4, x: 3)");
    check_shape(value("r = resample(v, \"1D\").max()"), "v (time: 2, y: 4, x: 3)");
    check_shape(value("r = coarsen(v, y=2, x=3).mean()"), "v (time: 5, y: 2, x: 1)");
    check_shape(value("r = rolling(v, y=2, x=3, min_periods=1).max()"), "v (time: 5, y: 4, x: 3)");
    check("r = roll(v, x=1, y=1)[0, 0]", "f64", ELEMENTS(11, 9, 10));
    check("r = slice(v, y=0:4:2)[0, :, 0]", "f64", ELEMENTS(0, 6));
    check("let k = 1; r = roll(v, x, k)[0, 0]", "f64", ELEMENTS(2, 0, 1));
    check("r = shift(v, x=1, value=nan)[0, 0]", "f64", ELEMENTS(NAN, 0, 1));
    check("r = diff(v, time)[0, 0]", "f64", ELEMENTS(12, 12, 12));
    check("r = drop_labels(v[1:], time)[:1, 0] - drop_labels(v[:-1], time)[:1, 0]", "f64", ELEMENTS(12, 12, 12));
    check_shape(value("r = fillna(shift(v, x, 1), -1)[0, 0]"), "v (x: 3)");
    check("r = arange(n, 3)", "i64", ELEMENTS(0, 1, 2));
    check("r = arange(n, 1, 2, 0.5)", "f64", ELEMENTS(1, 1.5));
    check_shape(value("r = (v > 1 ? v : -v)[0, 0]"), "v (x: 3)");
    check_shape(value("r = where(v[0] < 2, v[0], nan)[0]"), "v (x: 3)");
    check_shape(value("r = 1 <= v[0, 0] < 2"), "v (x: 3)");
}

/* As NumPy has it: a whole number leaves integers what they are. */
static void test_types(void **state)
{
    (void)state;
    static const struct {
        const char *text, *dtype;
    } row[] = {{"i + 1", "i16"},         {"i + 1.5", "f64"}, {"i * 70000", "i32"}, {"i // 2", "i16"},
               {"i / 2", "f64"},         {"i ** 2", "i16"},  {"i ** -1", "f64"},   {"u - 1", "u8"},
               {"u + 300", "u16"},       {"u + -1", "i16"},  {"i & 3", "i16"},     {"i > 1", "bool"},
               {"(i > 1) + 1", "i64"},   {"f + 1", "f32"},   {"f + 1.5", "f32"},   {"f > 1 ? i : 0", "i16"},
               {"~(i > 1)", "bool"},     {"-i", "i16"},      {"f * i", "f32"},     {"minimum(i, 0)", "i16"},
               {"astype(i, f32)", "f32"}};
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        char text[200];
        snprintf(
            text, sizeof text,
            "let i = arange(x, 0, 5, dtype=i16); let u = arange(x, 0, 5, dtype=u8); let f = full(x:5, 1, f32); r = %s",
            row[k].text);
        vv_array *r = value(text);
        if (strcmp(vv_dtype_name(r->dtype), row[k].dtype) != 0)
            fail_msg("%s is of %s, not %s", row[k].text, vv_dtype_name(r->dtype), row[k].dtype);
    }
}

/* The list of errors, and what they must look like; VV_UPDATE=1 writes the file anew. */
static void test_errors(void **state)
{
    (void)state;
    static const char path[] = VV_SOURCE_DIR "/tests/data/expression_errors.txt";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    vv_buf all = {0}, made = {0};
    char line[1024], text[1024] = "";
    int n = 0;
    while (fgets(line, sizeof line, f)) {
        vv_buf_text(&all, line);
        if (*line == '#') vv_buf_text(&made, line);
        if (*line != '>') continue;
        vv_buf_printf(&made, "\n%s", line);
        line[strcspn(line, "\n")] = 0;
        snprintf(text, sizeof text, "%s", line + 2);
        vv_script *x;
        vv_dataset *d = vv_dataset_open_in(&context, FIELDS);
        must(vv_script_begin(&context, d, &x));
        if (vv_script_run(x, text, NULL) == VV_OK)
            vv_buf_text(&made, "fine\n");
        else
            vv_buf_printf(&made, "%s\n", vv_last_error());
        vv_script_free(&x);
        n++;
    }
    fclose(f);
    if (getenv("VV_UPDATE")) {
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(made.data, f);
        fclose(f);
    } else {
        assert_string_equal(made.data, all.data);
    }
    vv_buf_free(&all);
    vv_buf_free(&made);
    assert_true(n >= 50);
}

static void test_file_and_line(void **state)
{
    (void)state;
    assert_int_equal(VV_ERR_NOT_FOUND, vv_script_run(script, "# a script\nlet a = v\n\nr = a +\n   w\n", "wind.vv"));
    assert_string_equal(vv_last_error(), "wind.vv:5: there is no 'w'; the input has v, time, y, x\n       w\n       ^");
    must(vv_script_run(script, "r = a", "wind.vv"));
    assert_int_equal(1, vv_script_n_results(script));
}

/* Long texts are shown around the place; characters of several bytes are one column. */
static void test_windows(void **state)
{
    (void)state;
    char text[400] = "r = ";
    for (int i = 0; i < 30; i++) strcat(text, "v + 1 + ");
    strcat(text, "\xc3\xa4\xc3\xb6 + 1");
    assert_int_equal(VV_ERR_NOT_FOUND, vv_script_run(script, text, NULL));
    const char *lines = strchr(vv_last_error(), '\n'), *mark = strrchr(vv_last_error(), '\n');
    assert_non_null(strstr(lines, "\xc3\xa4\xc3\xb6"));
    assert_int_equal(strcspn(strstr(lines + 1, "..."), "\xc3"), strcspn(mark + 5, "^"));
    assert_string_equal(strchr(mark, '^'), "^~");
}

static void check_refused(char *text, const char *says)
{
    if (vv_script_run(script, text, NULL) == VV_OK) fail_msg("accepted: %.60s...", text);
    if (!strstr(vv_last_error(), says)) fail_msg("%s", vv_last_error());
    free(text);
}

static char *repeated(const char *first, const char *piece, int n, const char *last)
{
    char *text = malloc(strlen(first) + strlen(piece) * (size_t)n + strlen(last) + 1), *at = text;
    assert_non_null(text);
    at = stpcpy(at, first);
    for (int i = 0; i < n; i++) at = stpcpy(at, piece);
    strcpy(at, last);
    return text;
}

static void test_giants(void **state)
{
    (void)state;
    check_refused(repeated("r = ", "(", 100000, "1"), "nested more than");
    check_refused(repeated("r = ", "-", 100000, "1"), "nested more than");
    check_refused(repeated("r = ", "not ", 100000, "1"), "nested more than");
    check_refused(repeated("r = ", "2^", 100000, "1"), "nested more than");
    check_refused(repeated("r = ", "[", 100000, "1"), "nested more than");
    check_refused(repeated("r = ", "1 ? 1 : ", 100000, "1"), "nested more than");
    check_refused(repeated("r = ", "abs(", 100000, "1"), "nested more than");
    check_refused(repeated("r = 1", " + 1", 100000, ""), "operations upon one another");
    check_refused(repeated("r = v", ".abs()", 100000, ""), "operations upon one another");
    check_refused(repeated("r = v", "[0:1]", 100000, ""), "operations upon one another");
    check_refused(repeated("r = [", "1,", 100000, "]"), "more than 10000 items");
    check_refused(repeated("r = ", "1 + ", 1 << 19, "1"), "an expression of 2097157 bytes");
    check_refused(repeated("r = ", "9", 1000, ""), "a number of more than");
    char *long_chain = repeated("r = 1", " < 2", 5000, "");
    must(vv_script_run(script, long_chain, NULL)); /* as long as there is no nesting in it */
    free(long_chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers, begin, end),
        cmocka_unit_test_setup_teardown(test_positions, begin, end),
        cmocka_unit_test_setup_teardown(test_calls, begin, end),
        cmocka_unit_test_setup_teardown(test_types, begin, end),
        cmocka_unit_test_setup_teardown(test_errors, begin, end),
        cmocka_unit_test_setup_teardown(test_file_and_line, begin, end),
        cmocka_unit_test_setup_teardown(test_windows, begin, end),
        cmocka_unit_test_setup_teardown(test_giants, begin, end),
    };
    return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}
