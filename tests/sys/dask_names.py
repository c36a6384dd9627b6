"""What a user of dask.array writes in Varve: names that are not simply in the registry or in the headers under the same name.

OURS: what stands for it; every vv_ name in it must be one of the public headers. NOT: why there is none. Whatever is in neither list has the same name in
Varve; test_dask_names.py finds out whether that is true.
"""

OURS = {
    "Array": "`vv_array`", "abs": "`vv_absolute`", "append": "`vv_concat`", "apply_over_axes": "`vv_reduce` over several dimensions",
    "around": "`vv_rint`; with digits between `vv_multiply` and `vv_divide`", "round": "`vv_rint`; with digits between `vv_multiply` and `vv_divide`",
    "as_gufunc": "`vv_apply_gufunc`", "frompyfunc": "`vv_map`", "array": "`vv_from_buffer`, `vv_open`; made arrays in `varve/create.h`", "from_array": "`vv_from_buffer`", "asarray": "`vv_from_buffer`, `vv_open`", "asanyarray": "`vv_open`",
    "atleast_1d": "`vv_expand`", "atleast_2d": "`vv_expand`", "atleast_3d": "`vv_expand`", "average": "`vv_weighted`",
    "bitwise_not": "`vv_invert`", "broadcast_arrays": "`vv_broadcast`", "meshgrid": "`vv_broadcast`", "choose": "`vv_where` of `vv_equal`",
    "compute": "`vv_compute`, `vv_compute_all`", "concatenate": "`vv_concat`", "deg2rad": "`vv_radians`", "rad2deg": "`vv_degrees`",
    "delete": "`vv_concat` of `vv_slice`; `vv_compress`", "insert": "`vv_concat` of `vv_slice`", "divmod": "`vv_floor_divide` and `vv_remainder`",
    "mod": "`vv_remainder`", "true_divide": "`vv_divide`", "float_power": "`vv_power` of `vv_astype`", "fix": "`vv_trunc`",
    "modf": "`vv_trunc`, and `vv_subtract` of it", "dstack": "`vv_stack`", "hstack": "`vv_concat`", "vstack": "`vv_concat`", "ediff1d": "`vv_diff`",
    "empty": "`vv_zeros`: nothing is left uninitialised", "empty_like": "`vv_full_like`: nothing is left uninitialised",
    "zeros_like": "`vv_full_like(a, 0)`", "ones_like": "`vv_full_like(a, 1)`", "expand_dims": "`vv_expand`", "fliplr": "`vv_flip`", "flipud": "`vv_flip`",
    "isclose": "`vv_less_equal` of `vv_absolute` of `vv_subtract`", "allclose": "`vv_reduce(.., \"all\", ..)` of the same as for isclose",
    "isnull": "`vv_isnan`", "notnull": "`vv_isfinite`, `vv_logical_not` of `vv_isnan`",
    "logaddexp": "`vv_log` of the sum of `vv_exp`, less the `vv_maximum`", "logaddexp2": "`vv_log2` of the sum of `vv_exp2`, less the `vv_maximum`",
    "nan_to_num": "`vv_nan_to_zero`; infinities by `vv_where`", "ndim": "`vv_array_n_dims`", "shape": "`vv_array_length`", "nonzero": "`vv_argwhere`",
    "outer": "`vv_multiply`: dimensions of different names make it one", "piecewise": "`vv_where`", "select": "`vv_where`", "ptp": "`vv_reduce(.., \"range\", ..)`",
    "reduction": "`vv_reduce_own`", "result_type": "`vv_array_dtype` of the result", "rollaxis": "`vv_moveaxis`",
    "sinc": "`vv_sin` by itself, `vv_where` at 0", "store": "`vv_save`, `vv_output_new`", "to_hdf5": "`vv_save` to a path that ends in .h5",
    "tril_indices": "`vv_argwhere` of `vv_tri`", "tril_indices_from": "`vv_argwhere` of `vv_tri`",
    "triu_indices": "`vv_argwhere` of `vv_triu`", "triu_indices_from": "`vv_argwhere` of `vv_triu`", "cumsum": "`vv_cumulative(a, \"sum\", ..)`",
    "cumprod": "`vv_cumulative(a, \"prod\", ..)`", "nancumsum": "`vv_cumulative(a, \"sum\", ..)`: missing values are skipped", "nancumprod": "`vv_cumulative(a, \"prod\", ..)`",
    "overlap": "`vv_map_overlap`; `vv_window`, `vv_convolve`", "random": "`vv_random_array`, `vv_random_array_of`, `vv_permutation`, `vv_choice`",
    "ravel_multi_index": "`vv_multiply` and `vv_add`; selection by it is `vv_points`", "unravel_index": "`vv_floor_divide` and `vv_remainder`, as in `vv_argwhere`",
    "unify_chunks": "by itself, in every operation of several arrays", "vdot": "`vv_dot`", "i0": "", "conj": "`vv_conjugate`", "fft": "`vv_fft`, `vv_rfft` ... of `varve/fft.h`, along one dimension or several", "iscomplex": "`vv_not_equal` of `vv_imag` and 0", "isreal": "`vv_equal` of `vv_imag` and 0",
    "nanmedian": "`vv_median`, which skips missing values", "percentile": "`vv_quantile`", "linalg": "cholesky `vv_cholesky`, inv `vv_inverse`, lstsq `vv_lstsq`, lu `vv_lu`, norm `vv_matrix_norm` and `vv_vector_norm`, qr and tsqr and sfqr `vv_qr`, solve `vv_solve`, "
              "solve_triangular `vv_solve_triangular`, svd `vv_svd`, svd_compressed and compression_matrix `vv_svd_compressed`",
}
for name in ("sum", "mean", "min", "max", "prod", "var", "std"):
    OURS["nan" + name] = f"`vv_reduce(.., \"{name}\", ..)`, which skips missing values; not with keep_nan"
for name in ("argmax", "argmin"):
    OURS["nan" + name] = f"`vv_reduce(.., \"{name}\", ..)`, which skips missing values; not with keep_nan"

MODULE = "a module of dask's own"
PYTHON = "of Python: types, protocols, other containers"
LATER = "not there yet"
NOT = {name: why for why, names in {
    MODULE: "backends chunk chunk_types core creation dispatch einsumfuncs gufunc lib ma numpy_compat optimization reductions routines slicing tiledb_io ufunc utils wrap percentile_module",
    PYTHON: "PerformanceWarning assert_eq register_chunk_type optimize atop",
    "formats that Varve does not have": "from_npy_stack from_tiledb from_zarr to_npy_stack to_tiledb to_zarr",
    "tasks of one's own are not there yet": "from_delayed",
    LATER: "frexp i0",
}.items() for name in names.split()}
NOT.pop("percentile_module")
OURS = {name: text for name, text in OURS.items() if text}
