/* Spilling: what is written comes back, from any thread; damage, a full disk and a missing directory are told; nothing is left behind. */
#include "scratch.h"

#include "exec/push/spill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    return x ^ x >> 29;
}

static void make_bytes(char *out, vv_bytes n, uint64_t seed)
{
    for (vv_bytes i = 0; i < n; i++) out[i] = (char)mix(seed * 1000003u + (uint64_t)i);
}

static int entries(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

enum { N = 200, LARGEST = 70000 };

static void *writer(void *argument)
{
    vv_spill *s = argument;
    vv_extent extent[N];
    char *bytes = malloc(LARGEST), *back = malloc(LARGEST);
    uint64_t me = (uint64_t)(uintptr_t)&extent;
    for (int i = 0; i < N; i++) {
        vv_bytes n = (vv_bytes)(mix(me + (uint64_t)i) % (i % 10 ? 300 : LARGEST));
        make_bytes(bytes, n, me + (uint64_t)i);
        if (vv_spill_write(s, bytes, n, &extent[i]) != VV_OK) return (void *)1;
    }
    for (int i = N - 1; i >= 0; i--) {
        make_bytes(bytes, extent[i].size, me + (uint64_t)i);
        if (vv_spill_read(s, &extent[i], back) != VV_OK) return (void *)1;
        if (memcmp(bytes, back, (size_t)extent[i].size) != 0) return (void *)2;
        if (i % 3 == 0) vv_spill_drop(s, &extent[i]);
    }
    free(bytes);
    free(back);
    return NULL;
}

static void gives_back_what_it_got(void **state)
{
    (void)state;
    vv_spill *s;
    pthread_t thread[3];
    must(vv_spill_open(scratch, &s));
    assert_int_equal(entries(scratch), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&thread[i], NULL, writer, s), 0);
    for (int i = 0; i < 3; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    assert_true(vv_spill_written(s) > 3 * LARGEST);
    assert_int_equal(entries(scratch), 0); /* the file has no name */
    vv_spill_close(&s);
    assert_null(s);
}

/* The only file of this process that is open in the scratch directory. */
static int spill_file(void)
{
    char path[64], target[512];
    for (int fd = 3; fd < 100; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n > 0 && !strncmp(target, scratch, strlen(scratch))) return fd;
    }
    fail_msg("no open file in %s", scratch);
    return -1;
}

static void damage_is_found(void **state)
{
    (void)state;
    vv_spill *s;
    vv_extent e;
    char bytes[1000], back[1000];
    for (int at = 0; at < 1000; at += 37) {
        must(vv_spill_open(scratch, &s));
        make_bytes(bytes, 1000, 5);
        must(vv_spill_write(s, bytes, 1000, &e));
        must(vv_spill_read(s, &e, back));
        char flipped = (char)(bytes[at] ^ 4);
        assert_int_equal(pwrite(spill_file(), &flipped, 1, e.at + at), 1);
        assert_int_equal(vv_spill_read(s, &e, back), VV_ERR_CORRUPT);
        assert_message(scratch);
        assert_int_equal(ftruncate(spill_file(), e.at + at), 0);
        assert_int_equal(vv_spill_read(s, &e, back), VV_ERR_CORRUPT);
        assert_message("shorter");
        vv_spill_close(&s);
    }
}

static void dropped_bytes_leave_the_disk(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20 };
    vv_spill *s;
    vv_extent e[2];
    struct stat before, after;
    char *bytes = malloc(BYTES);
    make_bytes(bytes, BYTES, 1);
    must(vv_spill_open(scratch, &s));
    for (int i = 0; i < 2; i++) must(vv_spill_write(s, bytes, BYTES, &e[i]));
    assert_int_equal(fstat(spill_file(), &before), 0);
    if (fallocate(spill_file(), 3, 0, 0) < 0 && errno == EOPNOTSUPP) skip();
    vv_spill_drop(s, &e[0]);
    assert_int_equal(fstat(spill_file(), &after), 0);
    assert_true(after.st_blocks < before.st_blocks);
    must(vv_spill_read(s, &e[1], bytes));
    vv_spill_close(&s);
    free(bytes);
}

static void failures_are_told(void **state)
{
    (void)state;
    vv_spill *s;
    vv_extent e;
    char *bytes = calloc(1, 1 << 20);
    must(vv_spill_open("/nowhere/at/all", &s));
    assert_int_equal(vv_spill_write(s, bytes, 10, &e), VV_ERR_WRITE);
    assert_message("/nowhere/at/all");
    vv_spill_close(&s);
    /* A file that may not grow stands for a full disk. */
    struct rlimit old, small = {100000, RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    must(vv_spill_open(scratch, &s));
    must(vv_spill_write(s, bytes, 50000, &e));
    assert_int_equal(vv_spill_write(s, bytes, 60000, &e), VV_ERR_WRITE);
    assert_message(scratch);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    vv_spill_close(&s);
    free(bytes);
}

static void the_default_directory_is_temporary(void **state)
{
    (void)state;
    vv_spill *s;
    setenv("TMPDIR", "/some/where", 1);
    must(vv_spill_open(NULL, &s));
    assert_string_equal(vv_spill_directory(s), "/some/where");
    vv_spill_close(&s);
    unsetenv("TMPDIR");
    must(vv_spill_open(NULL, &s));
    assert_string_equal(vv_spill_directory(s), "/tmp");
    vv_spill_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_it_got),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(dropped_bytes_leave_the_disk),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(the_default_directory_is_temporary),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
