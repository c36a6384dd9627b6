/* Control groups, of both versions: where the group is that a process is in, in the tree of directories of a controller. */
#ifndef VV_BASE_CGROUP_H
#define VV_BASE_CGROUP_H

#include "base/status.h"

enum { VV_CGROUP_PATH = 4096 };

typedef struct vv_cgroup {
    int version;
    size_t top; /* the length of `path` at the tree's root, or as much of it as this process can see */
    char path[VV_CGROUP_PATH];
} vv_cgroup;

/* The group for a controller ("memory", "cpuset") of version 1, or, with controller NULL, of version 2; root: in front of all paths. False: there is none. */
bool vv_cgroup_find(const char *root, const char *controller, vv_cgroup *out);
/* The group around it; false at the root. */
bool vv_cgroup_up(vv_cgroup *g);
/* The first line of one of its files, without the newline; false: there is none. */
bool vv_cgroup_line(const vv_cgroup *g, const char *file, char *out, size_t size);

#endif
