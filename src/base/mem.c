#include "base/mem.h"

#include <ctype.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* In front of each block, one cache line, so that the block itself is aligned. In front of that of a large block is what is left of its page. */
typedef struct header {
    vv_bytes bytes;
    bool rests; /* kept, and the system may have taken its pages */
} header;
enum { HEADER = 64, PAGE = 4096 };

/* More than any machine has: products that saturated end here instead of overflowing further on. */
static const vv_bytes most = (vv_bytes)1 << 56;

static _Atomic vv_bytes used;
static _Atomic vv_bytes peak;
static _Atomic vv_bytes at_reset; /* what was in use and kept then */
static vv_bytes budget;
static vv_bytes baseline;

/* Freed large blocks, oldest first. A sanitizer should see every block freed. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define KEEPING false
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define KEEPING false
#endif
#endif
#ifndef KEEPING
#define KEEPING true
#endif
enum { MOST_KEPT = 256 };
static struct {
    pthread_mutex_t lock;
    int n;
    header *block[MOST_KEPT];
    _Atomic vv_bytes bytes; /* changes under the lock */
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

vv_bytes vv_mem_budget(void)
{
    return budget;
}

vv_bytes vv_mem_used(void)
{
    return atomic_load(&used);
}

vv_bytes vv_mem_peak(void)
{
    return atomic_load(&peak);
}

vv_bytes vv_mem_kept(void)
{
    return atomic_load(&kept.bytes);
}

static vv_bytes lead(vv_bytes whole)
{
    return whole < VV_MEM_LARGE ? 0 : PAGE - HEADER;
}

/* Large blocks in large pages, where the system has any: a page fault for 2 MiB instead of 512, and fewer look-ups of where a page is. Blocks are accounted in
 * full, so that pages of which only a part is used do not matter. */
static void ask_for_large_pages(char *raw, vv_bytes whole)
{
#ifdef MADV_HUGEPAGE
    enum { LARGE_PAGES = 4 << 20 };
    if (whole < LARGE_PAGES) return;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = (page - (uintptr_t)raw % page) % page;
    (void)madvise(raw + skip, (size_t)whole - skip,
                  MADV_HUGEPAGE); /* a wish: nothing changes where it is not granted */
#else
    (void)raw, (void)whole;
#endif
}

static header *from_system(vv_bytes whole)
{
    bool large = lead(whole) > 0;
    vv_bytes all = large ? (lead(whole) + whole + PAGE - 1) / PAGE * PAGE : whole;
    char *raw = whole < most ? aligned_alloc(large ? PAGE : 64, (size_t)all) : NULL;
    if (!raw) return NULL;
    ask_for_large_pages(raw, all);
    header *h = (header *)(void *)(raw + lead(whole));
    *h = (header){.bytes = whole};
    return h;
}

static void to_system(header *h)
{
    if (h) free((char *)h - lead(h->bytes));
}

static header *take_out(int i)
{
    header *h = kept.block[i];
    kept.n--;
    memmove(&kept.block[i], &kept.block[i + 1], sizeof *kept.block * (size_t)(kept.n - i));
    atomic_fetch_sub(&kept.bytes, h->bytes);
    return h;
}

/* Frees the oldest until no more than `room` is kept. */
static void shrink(vv_bytes room)
{
    pthread_mutex_lock(&kept.lock);
    while (kept.n > 0 && atomic_load(&kept.bytes) > room) to_system(take_out(0));
    pthread_mutex_unlock(&kept.lock);
}

void vv_mem_trim(void)
{
    shrink(0);
}

void vv_mem_reset_peak(void)
{
    atomic_store(&peak, atomic_load(&used));
    atomic_store(&at_reset, atomic_load(&used) + atomic_load(&kept.bytes));
}

/* Kept blocks do not count against a budget, so they have to fit into what it leaves. */
void vv_mem_set_budget(vv_bytes new_budget, vv_bytes new_baseline)
{
    budget = new_budget;
    baseline = new_baseline;
    vv_bytes left = budget - baseline - atomic_load(&used);
    if (budget && atomic_load(&kept.bytes) > left) shrink(left > 0 ? left : 0);
}

/* Whole pages of a block. */
static char *pages_of(header *h, size_t *bytes)
{
    *bytes = (size_t)((h->bytes - HEADER) / PAGE * PAGE);
    return (char *)h + HEADER;
}

void vv_mem_rest(void)
{
#ifdef MADV_FREE
    pthread_mutex_lock(&kept.lock);
    for (int i = 0; i < kept.n; i++) {
        size_t bytes;
        char *at = pages_of(kept.block[i], &bytes);
        if (!kept.block[i]->rests && madvise(at, bytes, MADV_FREE) == 0) kept.block[i]->rests = true;
    }
    pthread_mutex_unlock(&kept.lock);
#else
    vv_mem_trim();
#endif
}

/* Bytes of a resting block that the system has left where they were. */
static vv_bytes left_of(header *h)
{
    enum { LOOK = 1024 };
    unsigned char there[LOOK];
    vv_bytes left = 0;
    size_t bytes;
    char *at = pages_of(h, &bytes);
    for (size_t done = 0; done < bytes; done += (size_t)LOOK * PAGE) {
        size_t some = bytes - done < (size_t)LOOK * PAGE ? bytes - done : (size_t)LOOK * PAGE;
        if (mincore(at + done, some, there) != 0) return h->bytes;
        for (size_t i = 0; i < some / PAGE; i++) left += there[i] % 2 ? PAGE : 0;
    }
    return left;
}

vv_bytes vv_mem_baseline(void)
{
    vv_bytes left = 0;
    pthread_mutex_lock(&kept.lock);
    for (int i = 0; i < kept.n; i++) left += kept.block[i]->rests ? left_of(kept.block[i]) : kept.block[i]->bytes;
    pthread_mutex_unlock(&kept.lock);
    return vv_mem_resident() - atomic_load(&used) - left;
}

/* The youngest block of just this size: the likeliest one to be in a cache. */
static header *reuse(vv_bytes whole)
{
    header *found = NULL;
    if (whole < VV_MEM_LARGE || atomic_load(&kept.bytes) < whole) return NULL;
    pthread_mutex_lock(&kept.lock);
    for (int i = kept.n - 1; i >= 0 && !found; i--)
        if (kept.block[i]->bytes == whole) found = take_out(i);
    pthread_mutex_unlock(&kept.lock);
    if (found) found->rests = false;
    return found;
}

static bool keep(header *h)
{
    header *oldest = NULL;
    if (!KEEPING || h->bytes < VV_MEM_LARGE) return false;
    pthread_mutex_lock(&kept.lock);
    if (kept.n == MOST_KEPT) oldest = take_out(0);
    kept.block[kept.n++] = h;
    atomic_fetch_add(&kept.bytes, h->bytes);
    pthread_mutex_unlock(&kept.lock);
    to_system(oldest);
    return true;
}

/* What is in use and what is kept stay below what was in use at once, or below what there was at the begin. */
static void keep_to_peak(void)
{
    vv_bytes most_yet = atomic_load(&peak), began = atomic_load(&at_reset);
    vv_bytes room = (most_yet > began ? most_yet : began) - atomic_load(&used);
    if (atomic_load(&kept.bytes) > room) shrink(room);
}

static void note_peak(vv_bytes now)
{
    vv_bytes seen = atomic_load(&peak);
    while (now > seen && !atomic_compare_exchange_weak(&peak, &seen, now))
        ;
}

/* The C library keeps what small blocks leave behind, wherever it lies: pages that nobody uses, and that nobody counts. From time to time it gives them
 * back: after so many bytes of small blocks, and when there is more in use than ever. */
static void tidy(vv_bytes bytes)
{
#ifdef __GLIBC__
    enum { OFTEN = 16 << 20 };
    static _Atomic vv_bytes since;
    if (!budget || atomic_fetch_add(&since, bytes) + bytes < OFTEN) return;
    atomic_store(&since, 0);
    malloc_trim(0);
#else
    (void)bytes;
#endif
}

vv_status vv_mem_get(void *out, vv_bytes bytes, const char *what)
{
    void **block = out;
    *block = NULL;
    if (bytes < 0) return vv_fail(VV_ERR_INTERNAL, "negative size for %s", what);
    vv_bytes whole = HEADER + ((bytes < most ? bytes : most) + 63) / 64 * 64;
    vv_bytes now = atomic_fetch_add(&used, whole) + whole;
    if (budget && now + baseline > budget) {
        atomic_fetch_sub(&used, whole);
        char need[32], have[32];
        return vv_fail(VV_ERR_BUDGET, "%s needs %s more than the memory budget of %s allows; raise --memory", what,
                       vv_bytes_text(now + baseline - budget, need), vv_bytes_text(budget, have));
    }
    header *h = reuse(whole);
    if (!h) h = from_system(whole);
    if (!h) {
        atomic_fetch_sub(&used, whole);
        char size[32];
        return vv_fail(VV_ERR_NOMEM, "the system refused %s for %s", vv_bytes_text(bytes, size), what);
    }
    if (now > atomic_load(&peak)) tidy(now - atomic_load(&peak));
    note_peak(now);
    keep_to_peak();
    *block = (char *)h + HEADER;
    return VV_OK;
}

void vv_mem_put(void *block_address)
{
    void **block = block_address;
    if (!*block) return;
    header *h = (header *)(void *)((char *)*block - HEADER);
    vv_bytes bytes = h->bytes;
    atomic_fetch_sub(&used, bytes);
    if (bytes < VV_MEM_LARGE) tidy(bytes);
    if (keep(h))
        keep_to_peak();
    else
        to_system(h);
    *block = NULL;
}

vv_bytes vv_mem_resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1) pages = 0;
    fclose(f);
    return (vv_bytes)pages * sysconf(_SC_PAGESIZE);
}

/* VmHWM rather than getrusage: that one remembers the process which started this one. */
vv_bytes vv_mem_resident_peak(void)
{
    char line[256];
    long long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %lld", &kb) == 1) break;
    if (f) fclose(f);
    if (kb > 0) return (vv_bytes)kb * 1024;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (vv_bytes)u.ru_maxrss * 1024;
}

vv_status vv_new(void *out, size_t count, size_t size)
{
    void **p = out;
    *p = calloc(count ? count : 1, size ? size : 1);
    if (!*p) return vv_fail(VV_ERR_NOMEM, "the system refused %zu x %zu bytes", count, size);
    return VV_OK;
}

vv_status vv_grow_now(void *list, int64_t n, size_t size, const char *what)
{
    void *at; /* copied as bytes: the list's own pointer has another type */
    memcpy(&at, list, sizeof at);
    at = realloc(at, (n ? 2 * (size_t)n : 1) * size);
    if (!at) return vv_fail(VV_ERR_NOMEM, "no memory for %lld %s", (long long)n + 1, what);
    memcpy(list, &at, sizeof at);
    return VV_OK;
}

vv_status vv_strdup(char **out, const char *text)
{
    size_t n = strlen(text) + 1;
    VV_TRY(vv_new(out, n, 1));
    memcpy(*out, text, n);
    return VV_OK;
}

const char *vv_bytes_text(vv_bytes n, char out[32])
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)n;
    int u = 0;
    while (fabs(v) >= 999.5 && u < 6) {
        v /= 1000;
        u++;
    }
    snprintf(out, 32, u == 0 || fabs(v) >= 99.95 ? "%.0f %s" : fabs(v) >= 9.995 ? "%.1f %s" : "%.2f %s", v, unit[u]);
    return out;
}

vv_status vv_bytes_parse(const char *text, vv_bytes *out)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || !isfinite(v) || v < 0)
        return vv_fail(VV_ERR_USAGE, "'%s' is not a size such as 512MB or 1.5G", text);
    while (*end == ' ') end++;
    static const char letters[] = "kmgtpe";
    const char *at = *end ? strchr(letters, tolower((unsigned char)*end)) : NULL;
    if (at) {
        bool binary = end[1] == 'i';
        v *= pow(binary ? 1024 : 1000, (double)(at - letters + 1));
        end += binary ? 2 : 1;
    }
    if (*end == 'B' || *end == 'b') end++;
    if (*end || v > 9e18) return vv_fail(VV_ERR_USAGE, "'%s' is not a size such as 512MB or 1.5G", text);
    *out = (vv_bytes)rint(v); /* 1.001 kB is not 1000.99... */
    return VV_OK;
}
