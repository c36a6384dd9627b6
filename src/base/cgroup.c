#include "base/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A word in a list with commas between. */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, word, n) && (at[n] == 0 || at[n] == ',')) return true;
    return false;
}

/* "4:memory:/slurm/job_1": the group of the controller, or of version 2 ("0::/user.slice"). */
static bool own_group(const char *root, const char *controller, char out[VV_CGROUP_PATH])
{
    char path[VV_CGROUP_PATH], line[VV_CGROUP_PATH];
    bool found = false;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
        if (!group) continue;
        *group++ = 0;
        list++;
        found = controller ? has_word(list, controller) : *list == 0;
        if (found) snprintf(out, VV_CGROUP_PATH, "%s", strcmp(group, "/") ? group : "");
    }
    if (f) fclose(f);
    return found;
}

/* A line of mountinfo, "31 23 0:28 /of /at rw - cgroup cgroup rw,memory": the part of the tree that is seen, and where. */
static bool is_mount(char *line, const char *controller, char **seen, char **at)
{
    char *kind = strstr(line, " - "), *field[5], *save = NULL;
    if (!kind) return false;
    *kind = 0;
    kind += 3;
    char *end = strchr(kind, ' '), *options = end ? strrchr(end, ' ') + 1 : NULL;
    if (!end) return false;
    *end = 0;
    if (controller ? strcmp(kind, "cgroup") || !has_word(options, controller) : strcmp(kind, "cgroup2")) return false;
    for (int i = 0; i < 5; i++) {
        field[i] = strtok_r(i ? NULL : line, " ", &save);
        if (!field[i]) return false;
    }
    *seen = field[3];
    *at = field[4];
    return true;
}

/* A container sees a part of the tree, with its own group at the top, whose name may be that in the whole tree. */
static bool place(const char *root, const char *group, const char *seen, const char *at, vv_cgroup *out)
{
    size_t n = strcmp(seen, "/") ? strlen(seen) : 0;
    bool within = !strncmp(group, seen, n) && (group[n] == 0 || group[n] == '/');
    int top = snprintf(out->path, sizeof out->path, "%s%s", root, at);
    if (top < 0 || top >= (int)sizeof out->path) return false;
    out->top = (size_t)top;
    struct stat is;
    int all = snprintf(out->path + top, sizeof out->path - out->top, "%s", within ? group + n : group);
    if (all < 0 || all >= (int)sizeof out->path - top || stat(out->path, &is)) out->path[top] = 0;
    return !stat(out->path, &is);
}

bool vv_cgroup_find(const char *root, const char *controller, vv_cgroup *out)
{
    char path[VV_CGROUP_PATH], group[VV_CGROUP_PATH], *line = NULL, *seen, *at;
    size_t room = 0;
    bool found = false;
    out->version = controller ? 1 : 2;
    if (!own_group(root, controller, group)) return false;
    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    FILE *f = fopen(path, "r");
    while (f && !found && getline(&line, &room, f) >= 0) {
        line[strcspn(line, "\n")] = 0;
        found = is_mount(line, controller, &seen, &at) && place(root, group, seen, at, out);
    }
    if (f) fclose(f);
    free(line);
    return found;
}

bool vv_cgroup_up(vv_cgroup *g)
{
    if (!g->path[g->top]) return false;
    char *slash = strrchr(g->path + g->top, '/');
    *(slash ? slash : g->path + g->top) = 0;
    return true;
}

bool vv_cgroup_line(const vv_cgroup *g, const char *file, char *out, size_t size)
{
    char path[VV_CGROUP_PATH + 64];
    snprintf(path, sizeof path, "%s/%s", g->path, file);
    FILE *f = fopen(path, "r");
    bool got = f && fgets(out, (int)size, f);
    if (f) fclose(f);
    if (got) out[strcspn(out, "\n")] = 0;
    return got;
}
