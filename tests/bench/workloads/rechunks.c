/* The same elements in other chunks, written to a file that has them. The reports mostly sum the rechunked array, which a planner may do without
 * rechunking anything; a file in the new chunks leaves it no way out. */
#include "workload.h"

#define MB      1000000
#define HALF_GB (512 * (vv_bytes)MB)
#define COILED  "coiled/benchmarks test_rechunk.py"

static double want_same(const wl_run *r, const vv_index at[])
{
    return wl_at(r, 0, at);
}

static vv_status build_rechunk(wl_run *r)
{
    char target[512];
    vv_array *x = vv_rechunk(r->in[0], wl_target_text(r, target, sizeof target));
    return wl_result(r, r->field[0].spec.name, x, want_same, 0);
}

const workload wl_space_to_time = {
    .name = "space_to_time",
    .story = "hourly maps become time series of small areas",
    .from = "dask#11162",
    .original = "(96432, 721, 1440) f32, chunks (1, 721, 1440) to (8760, 72, 144), 400 GB",
    .budget = HALF_GB,
    .input = {{.name = "t2m",
               .dim = {WL_DIM("time", 17520, 1, 100), WL_DIM("lat", 91, 0, 7), WL_DIM("lon", 180, 0, 9)},
               .stored = true,
               .hours = 1}},
    .target = {8760, 9, 18},
    .deflate = 1,
    .build = build_rechunk,
};

const workload wl_short_fat = {
    .name = "short_fat",
    .story = "short and wide chunks become nearly square ones",
    .from = "dask#6552",
    .original = "(1000, 1e8) f64, chunks (10, -1) to (100, 100000), 800 GB",
    .budget = HALF_GB,
    .input = {{.name = "q",
               .dim = {WL_DIM("sample", 1000, 10, 30), WL_DIM("variant", 300000, 0, 200)},
               .stored = true}},
    .target = {100, 10000},
    .deflate = 1,
    .build = build_rechunk,
};

const workload wl_tiles_to_rows = {
    .name = "tiles_to_rows",
    .story = "square tiles become bands over a whole axis",
    .from = COILED,
    .original = "square f64 of 0.4 to 2 x the cluster's memory, tiles of 128 MiB to (-1, auto)",
    .budget = HALF_GB,
    .input = {{.name = "q", .dim = {WL_DIM("y", 17000, 2000, 40), WL_DIM("x", 17000, 2000, 40)}, .stored = true}},
    .target = {0, 240},
    .deflate = 1,
    .build = build_rechunk,
};

const workload wl_swap_axes_memory = {
    .name = "swap_axes_memory",
    .story = "bands along one axis become bands along the other, within memory",
    .from = COILED,
    .original = "square f64 of 0.4 x the cluster's memory, (-1, auto) to (auto, -1)",
    .budget = HALF_GB,
    .input = {{.name = "q", .dim = {WL_DIM("y", 8000, 0, 40), WL_DIM("x", 8000, 500, 40)}, .stored = true}},
    .target = {500, 0},
    .deflate = 1,
    .build = build_rechunk,
};

const workload wl_swap_axes = {
    .name = "swap_axes",
    .story = "bands along one axis become bands along the other, larger than memory",
    .from = COILED,
    .original = "square f64 of 2 x the cluster's memory, (-1, auto) to (auto, -1)",
    .budget = HALF_GB,
    .input = {{.name = "q", .dim = {WL_DIM("y", 17000, 0, 40), WL_DIM("x", 17000, 240, 40)}, .stored = true}},
    .target = {240, 0},
    .deflate = 1,
    .build = build_rechunk,
};

const workload wl_adjacent_groups = {
    .name = "adjacent_groups",
    .story = "each new chunk takes from a few neighbours",
    .from = COILED,
    .original = "(n, 10, 10000) f64 of 0.4 to 2 x the cluster's memory, chunks (auto, 2, 5000) to (auto, 5, 10000)",
    .budget = HALF_GB,
    .input = {{.name = "q",
               .dim = {WL_DIM("n", 3000, 200, 20), WL_DIM("k", 10, 2, 0), WL_DIM("x", 10000, 5000, 60)},
               .stored = true}},
    .target = {80, 5, 0},
    .deflate = 1,
    .build = build_rechunk,
};

const workload wl_heal_small = {
    .name = "heal_small",
    .story = "chunks that are too small are put together, not by a whole number",
    .from = COILED,
    .original = "square f64 of 0.4 to 2 x the cluster's memory, chunks of 8.5 MiB to 128 MiB",
    .budget = HALF_GB,
    .input = {{.name = "q", .dim = {WL_DIM("y", 17000, 412, 40), WL_DIM("x", 17000, 412, 40)}, .stored = true}},
    .target = {1600, 1600},
    .deflate = 1,
    .build = build_rechunk,
};
