#include "kernels/cpu.h"

#include "base/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_name[VV_CPU_LEVELS] = {
#define NAME(ENUM, name) name,
    VV_CPU_LIST(NAME)
#undef NAME
};

static atomic_int in_use = -1;

const char *vv_cpu_name(vv_cpu_level level)
{
    return level_name[level];
}

bool vv_cpu_has(vv_cpu_level level)
{
    switch (level) {
    case VV_CPU_PORTABLE: return true;
#if defined(__x86_64__)
    case VV_CPU_SSE2: return true;
    case VV_CPU_AVX2: return __builtin_cpu_supports("avx2");
    case VV_CPU_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    case VV_CPU_NEON: return true;
#endif
    default: return false;
    }
}

static vv_cpu_level best(void)
{
    int level = VV_CPU_LEVELS - 1;
    while (!vv_cpu_has((vv_cpu_level)level)) level--;
    return (vv_cpu_level)level;
}

/* The environment's wish where it can be met. An unmet wish costs speed or nothing, never a result: worth a warning, not a failure. */
static vv_cpu_level detect(void)
{
    const char *wish = getenv("VV_CPU");
    if (!wish || !*wish) return best();
    for (int level = 0; level < VV_CPU_LEVELS; level++)
        if (!strcmp(level_name[level], wish) && vv_cpu_has((vv_cpu_level)level)) return (vv_cpu_level)level;
    vv_say(VV_LOG_WARN, "VV_CPU='%s' is not available here; using %s", wish, level_name[best()]);
    return best();
}

vv_cpu_level vv_cpu(void)
{
    int level = atomic_load_explicit(&in_use, memory_order_relaxed);
    if (level < 0) {
        level = (int)detect();
        atomic_store_explicit(&in_use, level, memory_order_relaxed);
    }
    return (vv_cpu_level)level;
}

bool vv_cpu_set(vv_cpu_level level)
{
    if (!vv_cpu_has(level)) return false;
    atomic_store(&in_use, (int)level);
    return true;
}
