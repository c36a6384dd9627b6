/* Where the chunks of a dataset lie: one H5Dread_chunk() per chunk over the driver that takes notes (hdf5_record.h). */
#include "base/fault.h"
#include "storage/hdf5/file.h"

#include <string.h>

typedef struct search {
    vv_h5_record *record;
    hid_t dataset;
    vv_grid grid;
    hsize_t extent[VV_MAX_DIMS]; /* of the dataset, which may be shorter than the variable */
    bool partial_unfiltered;     /* chunks over the edge are stored without filters, and their mask does not say so */
} search;

static bool inside(const search *s, const vv_box *box)
{
    for (int d = 0; d < box->nd; d++)
        if ((hsize_t)box->lo[d] >= s->extent[d]) return false;
    return true;
}

static bool over_the_edge(const search *s, const vv_box *box)
{
    for (int d = 0; d < box->nd; d++)
        if ((hsize_t)(box->lo[d] + s->grid.chunk[d]) > s->extent[d]) return true;
    return false;
}

/* H5Dread_chunk() itself is what complains when a chunk was never written; damage is found further down. */
static bool chunk_is_missing(void)
{
    return strstr(vv_h5_reason_function(), "chunk_direct_read") != NULL;
}

static vv_status locate(search *s, vv_index chunk, vv_chunk_at *out)
{
    vv_box box;
    hsize_t offset[VV_MAX_DIMS];
    uint32_t mask = 0;
    *out = (vv_chunk_at){.address = -1};
    vv_grid_box(&s->grid, chunk, &box);
    if (!inside(s, &box)) return VV_OK;
    for (int d = 0; d < box.nd; d++) offset[d] = (hsize_t)box.lo[d];
    s->record->address = -1;
    if (H5Dread_chunk(s->dataset, H5P_DEFAULT, offset, &mask, s->record->token) < 0)
        return chunk_is_missing() ? VV_OK : vv_fail(VV_ERR_FORMAT, "chunk index is damaged: %s", vv_h5_reason());
    if (s->record->address < 0) return vv_fail(VV_ERR_INTERNAL, "HDF5 read a chunk without asking the driver");
    if (s->record->size > UINT32_MAX) return vv_fail(VV_ERR_FORMAT, "chunk index is damaged: a chunk above 4 GiB");
    if (s->partial_unfiltered && over_the_edge(s, &box)) mask = UINT32_MAX;
    *out = (vv_chunk_at){s->record->address, (uint32_t)s->record->size, mask};
    return VV_OK;
}

static bool edges_unfiltered(hid_t dataset)
{
    unsigned options = 0;
    hid_t list = H5Dget_create_plist(dataset);
    H5Pget_chunk_opts(list, &options);
    H5Pclose(list);
    return options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS;
}

static vv_status prepare(vv_file *f, int var, search *s)
{
    const vv_variable *v = &f->meta->var[var];
    *s = (search){.record = &((vv_h5_file *)f->handle)->record, .grid.shape = v->shape};
    if (v->layout != VV_LAYOUT_CHUNKED) return vv_fail(VV_ERR_INTERNAL, "not stored in chunks");
    memcpy(s->grid.chunk, v->chunk, sizeof v->chunk);
    VV_TRY(vv_h5_dataset(f, var, &s->dataset));
    hid_t space = H5Dget_space(s->dataset);
    H5Sget_simple_extent_dims(space, s->extent, NULL);
    H5Sclose(space);
    s->partial_unfiltered = edges_unfiltered(s->dataset);
    return VV_OK;
}

vv_status vv_h5_index(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out)
{
    search s;
    vv_status status = vv_fault(VV_FAULT_CHUNK_INDEX);
    if (status == VV_OK) status = prepare(f, var, &s);
    for (vv_index i = 0; i < n && status == VV_OK; i++) status = locate(&s, chunks[i], &out[i]);
    return status == VV_OK ? VV_OK : vv_error_prefix("%s: %s", f->path, f->meta->var[var].name);
}
