/* Planted faults: sites, visits, ranks, kills, and values that are refused. */
#include "scratch.h"

#include "base/fault.h"

#include <signal.h>
#include <sys/wait.h>

static int unplant(void **state)
{
    (void)state;
    unsetenv("VV_FAULT");
    vv_set_rank(0, 1);
    return vv_fault_setup();
}

static vv_status plant(const char *text)
{
    setenv("VV_FAULT", text, 1);
    return vv_fault_setup();
}

static void test_nothing_planted(void **state)
{
    (void)state;
    for (int i = 0; i < VV_FAULT_SITES; i++)
        for (int k = 0; k < 3; k++) assert_int_equal(vv_fault((vv_fault_site)i), VV_OK);
    must(plant(""));
    for (int i = 0; i < VV_FAULT_SITES; i++) assert_int_equal(vv_fault((vv_fault_site)i), VV_OK);
}

static void test_every_site(void **state)
{
    (void)state;
    for (int site = 0; site < VV_FAULT_SITES; site++)
        for (int visit = 1; visit < 4; visit++) {
            char text[64];
            snprintf(text, sizeof text, "%s:%d", vv_fault_name((vv_fault_site)site), visit);
            must(plant(text));
            for (int k = 1; k < 6; k++)
                for (int other = 0; other < VV_FAULT_SITES; other++) {
                    vv_status status = vv_fault((vv_fault_site)other);
                    assert_int_equal(status, other == site && k == visit ? VV_ERR_FAULT : VV_OK);
                    if (status == VV_OK) continue;
                    assert_message(vv_fault_name((vv_fault_site)site));
                    assert_message("planted");
                }
        }
}

static void test_ranks(void **state)
{
    (void)state;
    for (int rank = 0; rank < 4; rank++) {
        vv_set_rank(rank, 4);
        must(plant("read:2@2"));
        must(vv_fault(VV_FAULT_READ_CHUNK));
        assert_int_equal(vv_fault(VV_FAULT_READ_CHUNK), rank == 2 ? VV_ERR_FAULT : VV_OK);
        must(vv_fault(VV_FAULT_READ_CHUNK));
    }
    for (int rank = 0; rank < 4; rank++) { /* everywhere */
        vv_set_rank(rank, 4);
        must(plant("read:1"));
        assert_int_equal(vv_fault(VV_FAULT_READ_CHUNK), VV_ERR_FAULT);
    }
}

static void test_setup_starts_over(void **state)
{
    (void)state;
    must(plant("task:2"));
    must(vv_fault(VV_FAULT_TASK));
    must(plant("task:2"));
    must(vv_fault(VV_FAULT_TASK));
    assert_int_equal(vv_fault(VV_FAULT_TASK), VV_ERR_FAULT);
    assert_int_equal(plant("task:nonsense"), VV_ERR_USAGE); /* and nothing stays planted */
    for (int i = 0; i < 5; i++) must(vv_fault(VV_FAULT_TASK));
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "read",       ":",          "read:",         ":1",        "reads:1",
        "rea:1",      "READ:1",     "read:0",        "read:-1",   "read:x",
        "read:1x",    "read:1@",    "read:1@x",      "read:1@-1", "read:1@2x",
        "read:1!",    "read:1!kil", "read:1!killed", "read:1@2!", "read:1@!kill",
        "read:!kill", "read:1@2@3", "read 1",        "read:1 @2", "read:1!wait!",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (plant(bad[i]) != VV_ERR_USAGE) fail_msg("'%s' was taken", bad[i]);
        assert_message(bad[i]);
    }
    static const char *const good[] = {"read:1",       "plan-send:12",   "inflate:1@0",  "sync:3@17",
                                       "write:1!kill", "write:1@2!kill", "task:1@2!wait"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) must(plant(good[i]));
}

static void test_kill(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (plant("finish:2!kill") != VV_OK || vv_fault(VV_FAULT_FINISH) != VV_OK) _exit(1);
        _exit(vv_fault(VV_FAULT_FINISH) == VV_OK ? 2 : 3);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void ignore(int number)
{
    (void)number;
}

/* It says that it waits, goes on with a signal, and the visit does not fail. */
static void test_wait(void **state)
{
    (void)state;
    int said[2];
    char first;
    assert_int_equal(pipe(said), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        sigaction(SIGUSR1, &(struct sigaction){.sa_handler = ignore}, NULL);
        dup2(said[1], STDERR_FILENO);
        if (plant("finish:2!wait") != VV_OK || vv_fault(VV_FAULT_FINISH) != VV_OK) _exit(1);
        _exit(vv_fault(VV_FAULT_FINISH) == VV_OK ? 0 : 2);
    }
    int status;
    assert_int_equal(read(said[0], &first, 1), 1);
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    kill(child, SIGUSR1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(said[0]);
    close(said[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_planted, unplant, unplant),
        cmocka_unit_test_setup_teardown(test_every_site, unplant, unplant),
        cmocka_unit_test_setup_teardown(test_ranks, unplant, unplant),
        cmocka_unit_test_setup_teardown(test_setup_starts_over, unplant, unplant),
        cmocka_unit_test_setup_teardown(test_malformed, unplant, unplant),
        cmocka_unit_test_setup_teardown(test_kill, unplant, unplant),
        cmocka_unit_test_setup_teardown(test_wait, unplant, unplant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
