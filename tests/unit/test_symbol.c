/* Functions by name: found again in this process and in another one, whatever lies where; what is missing is named. */
#include "scratch.h"

#include "base/symbol.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int twice(int x)
{
    return 2 * x;
}

static void test_static_function(void **state)
{
    vv_symbol s, copy;
    vv_function *f;
    (void)state;
    must(vv_symbol_find((vv_function *)twice, &s));
    assert_true(s.n_id > 0);
    assert_true(strstr(s.module, "unit_symbol") != NULL);
    must(vv_symbol_load(&s, &f));
    assert_int_equal(((int (*)(int))f)(21), 42);
    must(vv_symbol_copy(&s, &copy));
    assert_true(vv_symbol_equal(&s, &copy));
    must(vv_symbol_load(&copy, &f));
    assert_ptr_equal(f, (vv_function *)twice);
    vv_symbol_free(&copy);
    vv_symbol_free(&s);
}

/* The same program, started again: it lies at other addresses. */
static void test_another_process(void **state)
{
    vv_symbol s;
    char number[32], id[2 * VV_SYMBOL_ID + 1];
    (void)state;
    must(vv_symbol_find((vv_function *)twice, &s));
    snprintf(number, sizeof number, "%llu", (unsigned long long)s.offset);
    for (int i = 0; i < s.n_id; i++) snprintf(id + 2 * i, 3, "%02x", s.id[i]);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", s.module, "call", s.module, id, number, (char *)NULL);
        _exit(99);
    }
    int code;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code));
    assert_int_equal(WEXITSTATUS(code), 42);
    vv_symbol_free(&s);
}

static int call_by_name(char **argv)
{
    vv_symbol s = {.module = argv[2], .offset = strtoull(argv[4], NULL, 10)};
    vv_function *f;
    for (; s.n_id < VV_SYMBOL_ID && argv[3][2 * s.n_id]; s.n_id++) {
        char digits[3] = {argv[3][2 * s.n_id], argv[3][2 * s.n_id + 1], 0};
        s.id[s.n_id] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return vv_symbol_load(&s, &f) == VV_OK ? ((int (*)(int))f)(21) : 1;
}

/* Of another build, of a file that is not there, beyond the code, in no file at all. */
static void test_mismatch(void **state)
{
    vv_symbol s;
    vv_function *f;
    (void)state;
    must(vv_symbol_find((vv_function *)twice, &s));
    s.id[0] ^= 1;
    assert_int_equal(vv_symbol_load(&s, &f), VV_ERR_RUN);
    assert_null(f);
    assert_non_null(strstr(vv_last_error(), "another build of 'unit_symbol'"));
    free(s.module);
    s.module = strdup("/nowhere/libnone.so");
    assert_int_equal(vv_symbol_load(&s, &f), VV_ERR_RUN);
    assert_non_null(strstr(vv_last_error(), "has no '/nowhere/libnone.so'"));
    s.id[0] ^= 1;
    s.offset = 1ull << 40;
    assert_int_equal(vv_symbol_load(&s, &f), VV_ERR_RUN);
    vv_symbol_free(&s);
    int data = 0;
    must(vv_symbol_find((vv_function *)(uintptr_t)&data, &s));
    assert_int_equal(s.n_id, 0);
    assert_int_equal(vv_symbol_load(&s, &f), VV_ERR_RUN);
    assert_non_null(strstr(vv_last_error(), "made at run time"));
    vv_symbol_free(&s);
    assert_int_equal(vv_symbol_find(NULL, &s), VV_ERR_USAGE);
}

static void test_library(void **state)
{
    vv_symbol s;
    vv_function *f;
    char name[64];
    (void)state;
    void *symbol = dlsym(RTLD_DEFAULT, "strtol");
    assert_non_null(symbol);
    must(vv_symbol_find((vv_function *)(uintptr_t)symbol, &s));
    must(vv_symbol_load(&s, &f));
    assert_true((uintptr_t)f == (uintptr_t)symbol);
    assert_non_null(vv_symbol_text(&s, f, name, sizeof name));
    vv_symbol_free(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_static_function), cmocka_unit_test(test_another_process),
                                       cmocka_unit_test(test_mismatch), cmocka_unit_test(test_library)};
    if (argc == 5 && !strcmp(argv[1], "call")) return call_by_name(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
