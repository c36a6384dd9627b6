#include "storage/hdf5/scan.h"

#include "base/log.h"
#include "base/mem.h"
#include "storage/hdf5/attr.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    vv_h5_scan *scan;
    const char *prefix; /* path of the group, "" for the root */
    unsigned long file_number;
    vv_status status;
} walk;

static vv_status walk_group(hid_t group, const char *prefix, vv_h5_scan *s);

/* --- datasets --- */

static vv_status new_entry(vv_h5_scan *s, vv_h5_entry **out)
{
    VV_TRY(vv_grow(&s->entry, s->n, sizeof *s->entry, "datasets"));
    *out = &s->entry[s->n++];
    **out = (vv_h5_entry){.dataset = -1, .dim_id = -1, .variable = true};
    for (int d = 0; d < VV_MAX_DIMS; d++) (*out)->scale_of[d] = -1;
    return VV_OK;
}

/* "a/b" */
static vv_status join(char **out, const char *a, const char *b)
{
    VV_TRY(vv_new(out, strlen(a) + strlen(b) + 2, 1));
    stpcpy(stpcpy(stpcpy(*out, a), "/"), b);
    return VV_OK;
}

static vv_status name_entry(vv_h5_entry *e, const char *prefix, const char *name)
{
    size_t cut = strlen(VV_NC_NON_COORDINATE);
    const char *shown = strncmp(name, VV_NC_NON_COORDINATE, cut) ? name : name + cut;
    VV_TRY(join(&e->path, prefix, name));
    return *prefix ? join(&e->name, prefix, shown) : vv_strdup(&e->name, shown);
}

static void read_scale_role(vv_h5_entry *e)
{
    char text[128];
    e->scale = e->nd > 0 && vv_h5_attr_text(e->dataset, VV_H5_CLASS, text, sizeof text) &&
               !strcmp(text, VV_H5_DIMENSION_SCALE);
    if (!e->scale) return;
    bool named = vv_h5_attr_text(e->dataset, VV_H5_NAME, text, sizeof text);
    e->variable = !named || strncmp(text, VV_NC_NOT_A_VARIABLE, strlen(VV_NC_NOT_A_VARIABLE)) != 0;
    if (vv_h5_attr_ints(e->dataset, VV_NC_DIMENSION_ID, 1, &e->dim_id) != 1) e->dim_id = -1;
    e->length = (vv_index)e->extent[0];
}

static vv_status add_dataset(walk *w, hid_t group, const char *name, haddr_t address)
{
    hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
    if (dataset < 0) return vv_fail(VV_ERR_FORMAT, "%s/%s cannot be opened: %s", w->prefix, name, vv_h5_reason());
    hid_t space = H5Dget_space(dataset);
    if (H5Sget_simple_extent_type(space) == H5S_NULL) {
        vv_say(VV_LOG_DEBUG, "%s/%s has no data space: skipped", w->prefix, name);
        H5Sclose(space);
        H5Dclose(dataset);
        return VV_OK;
    }
    vv_h5_entry *e = NULL;
    vv_status status = new_entry(w->scan, &e);
    if (status == VV_OK) {
        e->dataset = dataset;
        e->address = address;
        e->nd = H5Sget_simple_extent_dims(space, e->extent, e->most);
        read_scale_role(e);
        status = name_entry(e, w->prefix, name);
    } else {
        H5Dclose(dataset);
    }
    H5Sclose(space);
    return status;
}

/* --- groups --- */

/* Whether a group has been seen; it has been from now on. */
static vv_status seen_before(vv_h5_scan *s, haddr_t address, bool *seen)
{
    *seen = false;
    for (int i = 0; i < s->n_groups; i++)
        if (s->group[i] == address) *seen = true;
    if (*seen) return VV_OK;
    VV_TRY(vv_grow(&s->group, s->n_groups, sizeof *s->group, "groups"));
    s->group[s->n_groups++] = address;
    return VV_OK;
}

static vv_status add_group(walk *w, hid_t group, const char *name)
{
    char *prefix;
    VV_TRY(join(&prefix, w->prefix, name));
    hid_t child = H5Gopen2(group, name, H5P_DEFAULT);
    vv_status status = child < 0 ? vv_fail(VV_ERR_FORMAT, "group %s cannot be opened: %s", prefix, vv_h5_reason())
                                 : walk_group(child, prefix, w->scan);
    if (child >= 0) H5Gclose(child);
    free(prefix);
    return status;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    walk *w = data;
    H5O_info_t info;
    if (link->type == H5L_TYPE_EXTERNAL || H5Oget_info_by_name2(group, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
        info.fileno != w->file_number) {
        vv_say(VV_LOG_DEBUG, "%s/%s leads out of the file or nowhere: skipped", w->prefix, name);
        return 0;
    }
    if (info.type == H5O_TYPE_DATASET) w->status = add_dataset(w, group, name, info.addr);
    if (info.type == H5O_TYPE_GROUP) w->status = add_group(w, group, name);
    return w->status == VV_OK ? 0 : -1;
}

/* Creation order, where the file keeps it, is the order in which netCDF shows variables. */
static H5_index_t link_order(hid_t group)
{
    unsigned order = 0;
    hid_t list = H5Gget_create_plist(group);
    H5Pget_link_creation_order(list, &order);
    H5Pclose(list);
    return order & H5P_CRT_ORDER_TRACKED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
}

static vv_status walk_group(hid_t group, const char *prefix, vv_h5_scan *s)
{
    H5O_info_t self;
    if (H5Oget_info2(group, &self, H5O_INFO_BASIC) < 0)
        return vv_fail(VV_ERR_FORMAT, "group %s/ is damaged: %s", prefix, vv_h5_reason());
    bool seen;
    VV_TRY(seen_before(s, self.addr, &seen));
    if (seen) return VV_OK;
    walk w = {.scan = s, .prefix = prefix, .file_number = self.fileno, .status = VV_OK};
    if (H5Literate(group, link_order(group), H5_ITER_INC, NULL, visit, &w) < 0 && w.status == VV_OK)
        return vv_fail(VV_ERR_FORMAT, "group %s/ cannot be listed: %s", prefix, vv_h5_reason());
    return w.status;
}

/* --- which scale names which dimension --- */

static int scale_at(const vv_h5_scan *s, haddr_t address)
{
    for (int i = 0; i < s->n; i++)
        if (s->entry[i].scale && s->entry[i].address == address) return i;
    return -1;
}

static int scale_with_id(const vv_h5_scan *s, int id)
{
    for (int i = 0; i < s->n; i++)
        if (s->entry[i].scale && s->entry[i].dim_id == id) return i;
    return -1;
}

static bool use_coordinate_ids(const vv_h5_scan *s, vv_h5_entry *e)
{
    int id[VV_MAX_DIMS], found[VV_MAX_DIMS];
    if (vv_h5_attr_ints(e->dataset, VV_NC_COORDINATES, VV_MAX_DIMS, id) != e->nd || e->nd == 0) return false;
    for (int d = 0; d < e->nd; d++) {
        found[d] = scale_with_id(s, id[d]);
        if (found[d] < 0) return false;
    }
    memcpy(e->scale_of, found, sizeof found[0] * (size_t)e->nd);
    return true;
}

/* DIMENSION_LIST holds, per dimension, a list of object references; the first one counts, as netCDF has it. */
static void use_references(const vv_h5_scan *s, vv_h5_entry *e)
{
    hvl_t list[VV_MAX_DIMS];
    if (H5Aexists(e->dataset, VV_H5_DIMENSION_LIST) <= 0) return;
    hid_t attr = H5Aopen(e->dataset, VV_H5_DIMENSION_LIST, H5P_DEFAULT);
    hid_t space = H5Aget_space(attr);
    hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
    if (H5Sget_simple_extent_npoints(space) == e->nd && H5Aread(attr, type, list) >= 0) {
        for (int d = 0; d < e->nd; d++)
            if (list[d].len > 0) e->scale_of[d] = scale_at(s, *(const hobj_ref_t *)list[d].p);
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, list);
    }
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(attr);
}

static void resolve(const vv_h5_scan *s, int at)
{
    vv_h5_entry *e = &s->entry[at];
    if (use_coordinate_ids(s, e)) return;
    use_references(s, e);
    if (e->scale) e->scale_of[0] = at;
}

/* An unlimited dimension is as long as the longest of its variables. A fixed one of another length than the variable's does not name it. */
static void settle_lengths(const vv_h5_scan *s)
{
    for (int i = 0; i < s->n; i++) {
        vv_h5_entry *e = &s->entry[i];
        for (int d = 0; d < e->nd; d++) {
            if (e->scale_of[d] < 0) continue;
            vv_h5_entry *scale = &s->entry[e->scale_of[d]];
            vv_index n = (vv_index)e->extent[d];
            if (scale->most[0] == H5S_UNLIMITED)
                scale->length = vv_imax(scale->length, n);
            else if (n != scale->length)
                e->scale_of[d] = -1;
        }
    }
}

vv_status vv_h5_scan_file(hid_t file, vv_h5_scan *out)
{
    *out = (vv_h5_scan){0};
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    if (root < 0) return vv_fail(VV_ERR_FORMAT, "the root group cannot be opened: %s", vv_h5_reason());
    vv_status status = walk_group(root, "", out);
    H5Gclose(root);
    if (status != VV_OK) {
        vv_h5_scan_free(out);
        return status;
    }
    for (int i = 0; i < out->n; i++) resolve(out, i);
    settle_lengths(out);
    return VV_OK;
}

void vv_h5_scan_free(vv_h5_scan *s)
{
    for (int i = 0; i < s->n; i++) {
        if (s->entry[i].dataset >= 0) H5Dclose(s->entry[i].dataset);
        free(s->entry[i].path);
        free(s->entry[i].name);
    }
    free(s->entry);
    free(s->group);
    *s = (vv_h5_scan){0};
}
