/* Groups: labels by the calendars of CF, grouped reductions, and groups matched with what belongs to them. */
#include "array_check.h"

#include "storage/storage.h"

/* A file with v(time) = 0, 1, 2 ... and n times in `units`, `step` apart from `first` on. */
static vv_array *series(const char *units, const char *calendar, vv_index n, double first, double step)
{
    static int files;
    char name[32];
    snprintf(name, sizeof name, "series%d.nc", files++);
    const char *path = scratch_path(name);
    vv_meta *m;
    vv_variable *var;
    vv_writer *w;
    must(vv_meta_new(&m));
    must(vv_meta_add_dim(m, "time", n, false, &(int){0}));
    for (int v = 0; v < 2; v++) {
        must(vv_meta_add_var(m, v ? "v" : "time", VV_F64, &var));
        var->shape = (vv_shape){1, {n}};
        var->deflate = -1;
        if (v) continue;
        if (units) must(vv_attr_set_text(&var->attrs, "units", units));
        if (calendar) must(vv_attr_set_text(&var->attrs, "calendar", calendar));
    }
    double *values = calloc((size_t)n, sizeof *values);
    must(vv_writer_create(path, m, &w));
    for (int v = 0; v < 2; v++) {
        for (vv_index i = 0; i < n; i++) values[i] = v ? (double)i : first + step * (double)i;
        must(vv_writer_put(w, v, values));
    }
    must(vv_writer_close(&w));
    vv_meta_free(&m);
    free(values);
    vv_array *a = vv_dataset_array(vv_dataset_open_in(&context, path), "v");
    must(vv_array_status(a));
    return a;
}

static vv_index label(const vv_array *a, vv_index i)
{
    must(vv_array_status(a));
    return a->group.label->at[i];
}

static double value_of(const vv_array *a, vv_index i)
{
    return label(a, i) < 0 ? -1 : a->group.coord.value->at[label(a, i)];
}

/* Month, day and day of the year of day i of a year whose months are so long. */
static int month_of(const int length[12], int i, int *day)
{
    int m = 0;
    while (i >= length[m]) i -= length[m++];
    *day = i + 1;
    return m + 1;
}

static const int real_months[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
static const int leap_months[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
static const int even_months[12] = {30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30};

/* Two years of days from the first of January 2000 on. */
static void test_calendars(void **state)
{
    (void)state;
    static const struct {
        const char *calendar;
        const int *first, *second;
    } known[] = {{"standard", leap_months, real_months},
                 {NULL, leap_months, real_months},
                 {"proleptic_gregorian", leap_months, real_months},
                 {"noleap", real_months, real_months},
                 {"all_leap", leap_months, leap_months},
                 {"360_day", even_months, even_months}};
    for (size_t c = 0; c < sizeof known / sizeof *known; c++) {
        int days[2] = {0, 0};
        for (int m = 0; m < 12; m++) days[0] += known[c].first[m], days[1] += known[c].second[m];
        vv_array *v = series("days since 2000-01-01", known[c].calendar, days[0] + days[1], 0.25, 1);
        vv_array *month = vv_group(v, "time.month"), *day = vv_group(v, "time.day"), *year = vv_group(v, "time.year");
        vv_array *season = vv_group(v, "time.season"), *of_year = vv_group(v, "time.dayofyear");
        for (int i = 0; i < days[0] + days[1]; i++) {
            int second = i >= days[0], d, m;
            m = month_of(second ? known[c].second : known[c].first, second ? i - days[0] : i, &d);
            assert_true(value_of(month, i) == m);
            assert_true(label(month, i) == m - 1);
            assert_true(value_of(day, i) == d);
            assert_true(value_of(year, i) == 2000 + second);
            assert_true(label(year, i) == second);
            assert_true(value_of(of_year, i) == (second ? i - days[0] : i) + 1);
            assert_true(label(season, i) == (m == 12 || m < 3 ? 0 : m < 6 ? 1 : m < 9 ? 2 : 3));
        }
        vv_array *clim = vv_mean(month, "time");
        check_shape(clim, "v (month: 12)");
        check_coordinate(clim, "month", 12, (double[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
        assert_string_equal(vv_attr_text(&clim->attrs, "cell_methods"), "time: mean (by month)");
        assert_int_equal(vv_array_length(vv_mean(of_year, "time"), 0), days[0] > days[1] ? days[0] : days[1]);
    }
}

static void test_hours_and_weekdays(void **state)
{
    (void)state;
    vv_array *v = series("minutes since 1970-01-01 00:00", NULL, 200, 90, 90);
    vv_array *hour = vv_group(v, "time.hour"), *minute = vv_group(v, "time.minute"),
             *weekday = vv_group(v, "time.weekday");
    for (int i = 0; i < 200; i++) {
        int at = 90 * (i + 1);
        assert_true(value_of(hour, i) == at / 60 % 24);
        assert_true(value_of(minute, i) == at % 60);
        assert_true(value_of(weekday, i) == (3 + at / 1440) % 7); /* the first one was a Thursday */
    }
    check_coordinate(vv_sum(minute, "time"), "minute", 2, (double[]){0, 30});
}

static void test_blocks(void **state)
{
    (void)state;
    vv_array *v = series("hours since 2001-02-03 06:00", "noleap", 100, 0, 5);
    vv_array *week = vv_group(v, "time.7D"), *half = vv_group(v, "time.12h"), *short_ = vv_group(v, "time.90MIN");
    for (int i = 0; i < 100; i++) { /* counted from midnight of the first day */
        assert_int_equal(label(week, i), (6 + 5 * i) / (7 * 24));
        assert_int_equal(label(half, i), (6 + 5 * i) / 12);
        assert_int_equal(label(short_, i), (6 + 5 * i) * 60 / 90);
    }
    vv_array *means = vv_mean(week, "time");
    check_shape(means, "v (time_7D: 3)");
    check_coordinate(means, "time_7D", 3, (double[]){-6, 162, 330});
    assert_int_equal(vv_array_length(vv_mean(short_, "time"), 0), (6 + 5 * 99) * 60 / 90 + 1); /* empty ones too */
    assert_string_equal(vv_array_group(week), "time_7D");
}

static void test_grouping_errors(void **state)
{
    (void)state;
    vv_array *v = series("days since 2000-01-01", NULL, 10, 0, 1), *plain = series(NULL, NULL, 10, 0, 1);
    check_inert(vv_group(v, "time.mounth"), VV_ERR_USAGE, "did you mean 'month'");
    check_inert(vv_group(v, "month"), VV_ERR_USAGE, "\"time.month\"");
    check_inert(vv_group(v, "tme.month"), VV_ERR_NOT_FOUND, "did you mean 'time'");
    check_inert(vv_group(v, "time.0D"), VV_ERR_USAGE, "7D, 12H, 30MIN");
    check_inert(vv_group(v, "time.7X"), VV_ERR_USAGE, "7D, 12H, 30MIN");
    check_inert(vv_group(plain, "time.month"), VV_ERR_USAGE, "has no times");
    check_inert(vv_group(vv_slice(v, "time", 0, 0, 1), "time.month"), VV_ERR_SHAPE, "no times along 'time'");
    check_inert(vv_group(series("days since 2000-01-01", "no_such", 3, 0, 1), "time.month"), VV_ERR_FORMAT, "no_such");
    vv_index label[10] = {0};
    check_inert(vv_group_labels(v, "time", label, 9, 1, "g", NULL), VV_ERR_SHAPE, "9 labels");
    check_inert(vv_group_labels(v, "time", label, 10, 0, "g", NULL), VV_ERR_USAGE, "0 groups");
    label[4] = 2;
    check_inert(vv_group_labels(v, "time", label, 10, 2, "g", NULL), VV_ERR_USAGE, "label 2 at position 4");
    vv_array *named = vv_expand(v, "month", 2, 0);
    check_inert(vv_mean(vv_group(named, "time.month"), "time"), VV_ERR_SHAPE, "'month'");
}

/* Three labels along y of v(time, y, x). */
static vv_array *labelled(vv_array *a)
{
    return vv_group_labels(a, "y", (vv_index[]){2, 0, -1, 2}, 4, 3, "region", (double[]){10, 20, 30});
}

static void test_grouped_reductions(void **state)
{
    (void)state;
    vv_array *a = numbered("time:2,y:4,x:2", "f64"), *g = labelled(a);
    assert_string_equal(vv_array_group(g), "region");
    assert_null(vv_array_group(a));
    assert_null(vv_array_group(vv_ungroup(g)));
    assert_ptr_equal(vv_ungroup(a), a);
    vv_array *sum = vv_sum(g, "y");
    check_shape(sum, "v (time: 2, region: 3, x: 2)");
    check_elements(sum, 12, (double[]){2, 3, 0, 0, 6, 8, 10, 11, 0, 0, 22, 24});
    check_coordinate(sum, "region", 3, (double[]){10, 20, 30});
    check_coordinate(sum, "time", 2, (double[]){0, 6});
    assert_null(vv_array_group(sum)); /* done with */
    check_shape(vv_mean(g, "y,time"), "v (region: 3, x: 2)");
    check_shape(vv_mean(g, NULL), "v (region: 3)");
    vv_reduce_options keep = VV_REDUCE_OPTIONS_INIT;
    keep.keep_dims = true;
    check_shape(vv_reduce(g, "mean", "y,x", &keep), "v (time: 2, region: 3, x: 1)");
    vv_array *other = vv_mean(g, "time"); /* still there to be grouped by */
    check_shape(other, "v (y: 4, x: 2)");
    assert_string_equal(vv_array_group(other), "region");
    check_elements(vv_sum(other, "y"), 6, (double[]){6, 7, 0, 0, 14, 16});
    check_no_coordinate(vv_mean(vv_group_labels(a, "y", (vv_index[4]){0}, 4, 1, "g", NULL), "y"), "g");
}

static void test_anomalies(void **state)
{
    (void)state;
    vv_array *a = numbered("time:2,y:4,x:2", "f64"), *g = labelled(a);
    vv_array *clim = vv_mean(g, "y,time"); /* [region, x] */
    vv_array *anomaly = vv_sub(g, clim);
    double want[16];
    double mean[3][2] = {{6, 7}, {0, 0}, {7, 8}};
    static const int label[4] = {2, 0, -1, 2};
    for (int i = 0; i < 16; i++) {
        int y = i / 2 % 4, x = i % 2;
        want[i] = label[y] < 0 ? (double)NAN : i - mean[label[y]][x];
    }
    check_shape(anomaly, "v (time: 2, y: 4, x: 2)");
    check_elements(anomaly, 16, want);
    vv_array *seen = anomaly->input[1];
    assert_int_equal(seen->n_parts, 1);
    assert_ptr_equal(seen->part[0].table, g->group.label);
    for (int i = 0; i < 16; i++) want[i] = -want[i];
    check_elements(vv_transpose(vv_sub(clim, g), "time,y,x"), 16, want); /* the groups' dimension stands for theirs */
    check_shape(vv_sub(clim, g), "v (y: 4, x: 2, time: 2)");             /* in the first operand's order */
    check_elements(vv_sum(anomaly, "y,time"), 6, (double[]){0, 0, 0, 0, 0, 0}); /* the result is grouped, too */
    check_shape(vv_sub(a, clim), "v (time: 2, y: 4, x: 2, region: 3)");
    check_shape(vv_sub(vv_mul(g, g), vv_at(clim, "x", 0)), "v (time: 2, y: 4, x: 2)");
    vv_array *four = vv_expand(vv_node_scalar(&context, 1), "region", 4, 0); /* without values to match by */
    check_inert(vv_sub(g, four), VV_ERR_SHAPE, "4 elements along 'region' for 3 groups");
    check_elements(vv_sub(g, vv_expand(vv_node_scalar(&context, 16), "region", 3, 0)), 16,
                   (double[]){-16, -15, -14, -13, NAN, NAN, -10, -9, -8, -7, -6, -5, NAN, NAN, -2, -1});
}

/* Transposed in between and broadcast to more: what was [y, x] is seen right. */
static void test_anomaly_elements(void **state)
{
    (void)state;
    vv_array *a = numbered("y:4,x:3", "f64");
    vv_array *g = vv_group_labels(vv_transpose(a, "x,y"), "y", (vv_index[]){1, 1, 0, 1}, 4, 2, "g", NULL);
    vv_array *anomaly = vv_sub(g, vv_transpose(vv_sum(g, "y"), "g,x"));
    double want[12], sum[2][3] = {{0}};
    static const int label[4] = {1, 1, 0, 1};
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 3; x++) sum[label[y]][x] += y * 3 + x;
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 3; x++) want[x * 4 + y] = y * 3 + x - sum[label[y]][x];
    check_shape(anomaly, "v (x: 3, y: 4)");
    check_elements(anomaly, 12, want);
}

/* A climatology of all months, and a series that has only some: months are matched by what they are. */
static void test_matching_by_value(void **state)
{
    (void)state;
    vv_array *v = series("days since 2001-01-01", NULL, 365, 0, 1);
    vv_array *clim = vv_mean(vv_group(v, "time.month"), "time");
    vv_array *spring = vv_slice(v, "time", 59, 59 + 92, 1); /* March to May */
    vv_array *anomaly = vv_sub(vv_group(spring, "time.month"), clim);
    check_shape(anomaly, "v (time: 92)");
    double want[92];
    for (int i = 0; i < 92; i++) want[i] = 59 + i - (i < 31 ? 59 + 15 : i < 61 ? 59 + 31 + 14.5 : 59 + 61 + 15);
    check_elements(anomaly, 92, want);
    vv_array *only = vv_mean(vv_group(vv_slice(v, "time", 59, 59 + 31, 1), "time.month"), "time"); /* March */
    anomaly = vv_sub(vv_group(spring, "time.month"), only);
    for (int i = 0; i < 92; i++) want[i] = i < 31 ? i - 15 : (double)NAN; /* the others have nothing to compare with */
    check_elements(anomaly, 92, want);
    vv_array *whole = vv_sum(vv_group(numbered("time:4", "i32"), "time.hour"), "time");
    assert_int_equal(vv_array_dtype(whole), VV_I64);
    vv_array *some = vv_group(numbered("time:5", "i32"), "time.hour"); /* six-hourly: all hours of `whole` */
    assert_int_equal(vv_array_dtype(vv_sub(some, whole)), VV_I64);
    assert_int_equal(vv_array_dtype(vv_sub(some, vv_slice(whole, "hour", 1, VV_END, 1))), VV_F64); /* with gaps */
}

/* Labels move with their elements. */
static void test_views_of_groups(void **state)
{
    (void)state;
    vv_array *g = labelled(numbered("time:2,y:4,x:2", "f64"));
    vv_array *flipped = vv_sum(vv_flip(g, "y"), "y,x"), *other = vv_sum(vv_transpose(g, "x,y,time"), "y,x");
    check_elements(flipped, 6, (double[]){5, 0, 14, 21, 0, 46});
    check_elements(other, 6, (double[]){5, 21, 0, 0, 14, 46});
    check_elements(vv_sum(vv_slice(g, "y", 1, VV_END, 1), "y,x"), 6, (double[]){5, 0, 13, 21, 0, 29});
    vv_array *padded = vv_pad(g, "y", 1, 0, "constant", 100);
    assert_int_equal(label(padded, 0), -1);
    check_elements(vv_sum(padded, "y,x"), 6, (double[]){5, 0, 14, 21, 0, 46});
    assert_null(vv_array_group(vv_at(g, "y", 0)));
    assert_string_equal(vv_array_group(vv_rechunk(g, "x:1")), "region");
    check_shape(vv_sum(vv_rename(g, "y", "lat"), "lat"), "v (time: 2, region: 3, x: 2)");
}

/* Files of a series that count their times from different dates are one series. */
static void test_times_are_joined(void **state)
{
    (void)state;
    vv_array *a = series("days since 2000-01-01", "standard", 2, 0, 1);
    vv_array *b = series("hours since 2000-01-03", "standard", 3, 0, 12);
    vv_array *c = vv_node_concat(&context, (vv_array *[]){a, b}, 2, "time");
    check_coordinate(c, "time", 5, (double[]){0, 1, 2, 2.5, 3});
    check_elements(vv_at(c, "time", 3), 1, (double[]){1});
    vv_array *other = series("days since 2000-01-03", "360_day", 3, 0, 1);
    check_inert(vv_node_concat(&context, (vv_array *[]){a, other}, 2, "time"), VV_ERR_SHAPE, "360_day");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_calendars),        TEST(test_hours_and_weekdays), TEST(test_blocks),
        TEST(test_grouping_errors),  TEST(test_grouped_reductions), TEST(test_anomalies),
        TEST(test_anomaly_elements), TEST(test_matching_by_value),  TEST(test_views_of_groups),
        TEST(test_times_are_joined),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
