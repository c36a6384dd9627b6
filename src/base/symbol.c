#include "base/symbol.h"

#include "base/mem.h"
#include "base/text.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- modules of this process --- */

typedef struct module {
    char path[4096];
    uintptr_t base;
    unsigned char id[VV_SYMBOL_ID];
    int n_id;
} module;

static bool is_code(const ElfW(Phdr) * p)
{
    return p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0;
}

static bool has_code_at(const struct dl_phdr_info *m, uint64_t offset)
{
    for (int i = 0; i < m->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &m->dlpi_phdr[i];
        if (is_code(p) && offset >= p->p_vaddr && offset - p->p_vaddr < p->p_memsz) return true;
    }
    return false;
}

/* The GNU build id among the notes of a segment. */
static bool id_in_notes(const char *at, size_t size, module *out)
{
    enum { ALIGNED = 3 };
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) n;
        memcpy(&n, at, sizeof n);
        size_t name = (n.n_namesz + ALIGNED) & ~(size_t)ALIGNED,
               all = sizeof n + name + ((n.n_descsz + ALIGNED) & ~(size_t)ALIGNED);
        if (all > size) return false;
        if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && !memcmp(at + sizeof n, "GNU", 4) && n.n_descsz > 0) {
            out->n_id = n.n_descsz < VV_SYMBOL_ID ? (int)n.n_descsz : VV_SYMBOL_ID;
            memcpy(out->id, at + sizeof n + name, (size_t)out->n_id);
            return true;
        }
        at += all;
        size -= all;
    }
    return false;
}

/* The linker was told to write none: then what is called is what counts. Code is the same in every process, as nothing in it is relocated. */
static void hash_code(const struct dl_phdr_info *m, module *out)
{
    uint64_t hash = 0;
    for (int i = 0; i < m->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &m->dlpi_phdr[i];
        if (is_code(p)) hash = 31 * hash + vv_hash((const char *)m->dlpi_addr + p->p_vaddr, p->p_memsz); /* NOLINT */
    }
    out->n_id = sizeof hash;
    memcpy(out->id, &hash, sizeof hash);
}

/* What a module is called and known by. */
static void describe(const struct dl_phdr_info *m, module *out)
{
    *out = (module){.base = m->dlpi_addr};
    if (m->dlpi_name && *m->dlpi_name)
        snprintf(out->path, sizeof out->path, "%s", m->dlpi_name);
    else if (readlink("/proc/self/exe", out->path, sizeof out->path - 1) < 0) /* the program itself */
        snprintf(out->path, sizeof out->path, "the program");
    for (int i = 0; i < m->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &m->dlpi_phdr[i];
        if (p->p_type == PT_NOTE && id_in_notes((const char *)m->dlpi_addr + p->p_vaddr, p->p_memsz, out))
            return; /* NOLINT */
    }
    hash_code(m, out);
}

/* --- finding --- */

typedef struct search {
    uintptr_t address; /* of a function; 0: by `wanted` */
    const vv_symbol *wanted;
    bool found;
    module module;
    bool alike; /* a module of the same file name is another build */
    module other;
} search;

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int look_for_address(struct dl_phdr_info *m, size_t size, void *context)
{
    search *s = context;
    (void)size;
    s->found = s->address >= m->dlpi_addr && has_code_at(m, s->address - m->dlpi_addr);
    if (s->found) describe(m, &s->module);
    return s->found;
}

static int look_for_id(struct dl_phdr_info *m, size_t size, void *context)
{
    search *s = context;
    module here;
    (void)size;
    describe(m, &here);
    bool same = here.n_id == s->wanted->n_id && !memcmp(here.id, s->wanted->id, (size_t)here.n_id);
    s->found = same && has_code_at(m, s->wanted->offset);
    if (s->found) s->module = here;
    if (!same && !strcmp(file_name(here.path), file_name(s->wanted->module))) {
        s->alike = true;
        s->other = here;
    }
    return s->found;
}

vv_status vv_symbol_find(vv_function *f, vv_symbol *out)
{
    search s = {.address = (uintptr_t)f};
    *out = (vv_symbol){.offset = s.address};
    if (!f) return vv_fail(VV_ERR_USAGE, "a function is NULL");
    dl_iterate_phdr(look_for_address, &s);
    VV_TRY(vv_strdup(&out->module, s.found ? s.module.path : "memory"));
    if (!s.found) return VV_OK;
    out->offset = s.address - s.module.base;
    out->n_id = s.module.n_id;
    memcpy(out->id, s.module.id, sizeof out->id);
    return VV_OK;
}

static void id_text(const unsigned char id[], int n, char out[2 * VV_SYMBOL_ID + 1])
{
    *out = 0;
    for (int i = 0; i < n; i++) sprintf(out + 2 * i, "%02x", id[i]);
}

static vv_status not_here(const vv_symbol *s, const search *found)
{
    char wanted[2 * VV_SYMBOL_ID + 1], here[2 * VV_SYMBOL_ID + 1];
    if (s->n_id == 0)
        return vv_fail(VV_ERR_RUN,
                       "a function that is in no program or library, but was made at run time, can be called by the "
                       "process alone that made it");
    id_text(s->id, s->n_id, wanted);
    if (!found->alike)
        return vv_fail(VV_ERR_RUN, "rank %d has no '%s' (build %s), whose function at %#llx it is to call",
                       vv_this_rank(), s->module, wanted, (unsigned long long)s->offset);
    id_text(found->other.id, found->other.n_id, here);
    return vv_fail(VV_ERR_RUN,
                   "rank %d has another build of '%s': %s at %s, not %s; all ranks have to run the same files",
                   vv_this_rank(), file_name(s->module), here, found->other.path, wanted);
}

vv_status vv_symbol_load(const vv_symbol *s, vv_function **out)
{
    search found = {.wanted = s};
    *out = NULL;
    if (s->n_id > 0) dl_iterate_phdr(look_for_id, &found);
    /* A library that the program of rank 0 has loaded by itself. It is never closed: functions of it may be called until the end. */
    if (s->n_id > 0 && !found.found && strchr(s->module, '/') && dlopen(s->module, RTLD_NOW | RTLD_LOCAL))
        dl_iterate_phdr(look_for_id, &found);
    if (!found.found) return not_here(s, &found);
    *out = (vv_function *)(found.module.base + s->offset); /* NOLINT */
    return VV_OK;
}

/* --- plain data --- */

vv_status vv_symbol_copy(const vv_symbol *s, vv_symbol *out)
{
    *out = *s;
    out->module = NULL;
    return s->module ? vv_strdup(&out->module, s->module) : VV_OK;
}

void vv_symbol_free(vv_symbol *s)
{
    free(s->module);
    *s = (vv_symbol){0};
}

bool vv_symbol_equal(const vv_symbol *a, const vv_symbol *b)
{
    return a->n_id == b->n_id && a->offset == b->offset && !memcmp(a->id, b->id, (size_t)a->n_id);
}

const char *vv_symbol_text(const vv_symbol *s, vv_function *f, char *out, size_t size)
{
    Dl_info i;
    uintptr_t at = (uintptr_t)f;
    if (dladdr((void *)at, &i) && i.dli_sname && (uintptr_t)i.dli_saddr == at) /* NOLINT */
        snprintf(out, size, "%s", i.dli_sname);
    else
        snprintf(out, size, "%s+%#llx", file_name(s->module), (unsigned long long)s->offset);
    return out;
}
