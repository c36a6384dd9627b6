/* One exchange between ranks, by itself: its input is held in memory before it begins, and its result is held, so that nothing is read or written meanwhile.
 *
 *     mpirun -n 6 exchange t:96,y:600,x:600 4,600,600 "rechunk(v, t=all, y=50, x=50)" 3
 *
 * computes the expression of v, which has this shape and these chunks, three times, and prints a line of JSON: what the plan foretells of one exchange, what was counted
 * in the last one, and the least seconds that one took, with rank 0's processor time in it. tests/slurm/wire.py runs it on an emulated cluster. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <varve/varve.h>

static double foretold(const char *json, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = strstr(json, key);
    return at ? strtod(at + strlen(key), NULL) : -1;
}

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The expression of an array that is held, held itself for a moment. The first time its plan is explained. */
static vv_status exchange(vv_session *s, vv_array *v, const char *text, char **json)
{
    vv_script *x;
    char *line = NULL;
    vv_status status = vv_script_new(s, NULL, &x);
    if (status != VV_OK) return status;
    if (asprintf(&line, "result = %s", text) < 0) status = VV_ERR_NOMEM;
    if (status == VV_OK) status = vv_script_define(x, "v", v);
    if (status == VV_OK) status = vv_script_run(x, line, NULL);
    vv_array *result = status == VV_OK ? vv_script_array(x, 0) : NULL;
    if (status == VV_OK && !*json)
        status = vv_explain_persist(&result, 1, &(vv_explain_options){.form = VV_EXPLAIN_JSON}, json);
    if (status == VV_OK) status = vv_persist(result);
    if (status == VV_OK) vv_unpersist(result);
    vv_script_free(&x);
    free(line);
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    char *json = NULL, path[512];
    double least = 1e9, busy = 0;
    vv_run_stats stats = {0};
    int repeats = argc == 5 ? atoi(argv[4]) : 0;
    if (repeats < 1) return vv_error(VV_ERR_USAGE, "usage: %s SHAPE CHUNK EXPRESSION REPEATS", argv[0]);
    snprintf(path, sizeof path, "virtual:v?shape=%s&chunk=%s", argv[1], argv[2]);
    vv_array *v = vv_open(s, path, "v");
    vv_status status = vv_persist(v);
    for (int i = 0; i < repeats && status == VV_OK; i++) {
        double begin = processor_seconds();
        status = exchange(s, v, argv[3], &json);
        vv_session_stats(s, &stats);
        if (stats.seconds >= least) continue;
        least = stats.seconds;
        busy = processor_seconds() - begin;
    }
    if (status == VV_OK)
        printf("{\"ranks\": %d, \"foretold\": {\"messages\": %.0f, \"moved\": %.0f, \"across\": %.0f}, \"counted\": "
               "{\"messages\": "
               "%lld, \"moved\": %lld, \"across\": %lld, \"sends\": %lld, \"control\": %lld}, \"seconds\": %.4f, "
               "\"cpu\": %.4f}\n",
               vv_session_ranks(s), foretold(json, "messages"), foretold(json, "moved"), foretold(json, "across"),
               (long long)stats.messages, (long long)stats.moved, (long long)stats.across, (long long)stats.sends,
               (long long)stats.control, least, busy);
    vv_release(&v);
    free(json);
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
