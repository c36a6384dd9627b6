/* 11: functions that run on any rank while the driver goes on.
 *
 *     mpirun -n 2 ./11_hello_tasks
 *
 * Expected output:
 *
 *     hello, Ada
 *     hello, Emmy
 *     hello, Grace
 *     the shortest greeting has 10 letters
 *     a task failed: task '...' on rank ...: no greeting for nobody
 *
 * vv_submit() hands a call to the ranks and returns at once with a future: the result to come. vv_gather() waits for it. A future among the arguments of another call is a
 * dependence: the function gets its result. Data stays where it was made until somebody needs it. */
#include <stdio.h>
#include <string.h>
#include <varve/varve.h>

static int greet(vv_task *t)
{
    char text[100];
    const char *name = vv_task_string(t, 0);
    if (!*name) return vv_error(VV_ERR_RUN, "no greeting for nobody");
    int n = snprintf(text, sizeof text, "hello, %s", name);
    return vv_return_bytes(t, text, n + 1);
}

/* Of texts, as a list. */
static int shortest(vv_task *t)
{
    int64_t least = 100;
    for (vv_index i = 0; i < vv_task_length(t, 0); i++) {
        int64_t length = (int64_t)strlen(vv_task_element(t, 0, i).data);
        if (length < least) least = length;
    }
    return vv_return_i64(t, least);
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    static const char *const name[] = {"Ada", "Emmy", "Grace"};
    vv_future greeting[3], least, bad;
    vv_arg all[3];
    vv_status status = VV_OK;
    for (int i = 0; i < 3 && status == VV_OK; i++) {
        status = vv_submit(s, greet, VV_ARGS(vv_string(name[i])), NULL, &greeting[i]);
        all[i] = vv_of(greeting[i]);
    }
    if (status == VV_OK) status = vv_submit(s, shortest, VV_ARGS(vv_list(all, 3)), NULL, &least);
    for (int i = 0; i < 3 && status == VV_OK; i++) {
        char text[100];
        status = vv_gather(s, greeting[i], text, sizeof text, NULL);
        if (status == VV_OK) puts(text);
    }
    int64_t letters;
    if (status == VV_OK) status = vv_gather_i64(s, least, &letters);
    if (status != VV_OK) return status;
    printf("the shortest greeting has %d letters\n", (int)letters);
    status = vv_submit(s, greet, VV_ARGS(vv_string("")), NULL, &bad);
    if (status == VV_OK && vv_gather_i64(s, bad, &letters) != VV_OK) printf("a task failed: %s\n", vv_last_error());
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}
