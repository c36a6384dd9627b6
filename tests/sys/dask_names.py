"""What a user of dask.array writes in Varve: names that are not simply in the registry or in the headers under the same name.

OURS: what stands for it; every vv_ name in it must be one of the public headers. NOT: why there is none. Whatever is in neither list has the same name in
Varve; test_dask_names.py finds out whether that is true.
"""

OURS = {
    "Array": "`vv_array`", "abs": "`vv_absolute`", "append": "`vv_concat`", "apply_over_axes": "`vv_reduce` over several dimensions",
    "around": "`vv_round`",
    "as_gufunc": "`vv_apply_gufunc`, `vv_apply_gufuncs`", "apply_gufunc": "`vv_apply_gufunc`; of several results `vv_apply_gufuncs`", "from_delayed": "`vv_array_from_delayed`", "frompyfunc": "`vv_map`", "array": "`vv_from_buffer`, `vv_open`; made arrays in `varve/create.h`", "from_array": "`vv_from_buffer`", "asarray": "`vv_from_buffer`, `vv_open`", "asanyarray": "`vv_open`",
    "atleast_1d": "`vv_expand`", "atleast_2d": "`vv_expand`", "atleast_3d": "`vv_expand`", "average": "`vv_weighted`",
    "bitwise_not": "`vv_invert`", "broadcast_arrays": "`vv_broadcast`", "meshgrid": "`vv_broadcast`", "choose": "`vv_where` of `vv_equal`",
    "cov": "`vv_cov_matrix`; of two arrays `vv_cov`", "compute": "`vv_compute`, `vv_compute_all`", "concatenate": "`vv_concat`", "deg2rad": "`vv_radians`", "rad2deg": "`vv_degrees`",
    "delete": "`vv_concat` of `vv_slice`; `vv_compress`", "insert": "`vv_concat` of `vv_slice`", "divmod": "`vv_floor_divide` and `vv_remainder`",
    "mod": "`vv_remainder`", "true_divide": "`vv_divide`", "fix": "`vv_trunc`",
    "dstack": "`vv_stack`", "hstack": "`vv_concat`", "vstack": "`vv_concat`", "ediff1d": "`vv_diff`",
    "empty": "`vv_zeros`: nothing is left uninitialised", "empty_like": "`vv_full_like`: nothing is left uninitialised",
    "zeros_like": "`vv_full_like(a, 0)`", "ones_like": "`vv_full_like(a, 1)`", "expand_dims": "`vv_expand`", "fliplr": "`vv_flip`", "flipud": "`vv_flip`",
    "isnull": "`vv_isnan`", "notnull": "`vv_isfinite`, `vv_logical_not` of `vv_isnan`",
    "ndim": "`vv_array_n_dims`", "shape": "`vv_array_length`", "nonzero": "`vv_argwhere`",
    "outer": "`vv_multiply`: dimensions of different names make it one", "piecewise": "`vv_where`", "select": "`vv_where`", "ptp": "`vv_reduce(.., \"range\", ..)`",
    "reduction": "`vv_reduce_own`", "result_type": "`vv_array_dtype` of the result", "rollaxis": "`vv_moveaxis`",
    "store": "`vv_save`, `vv_output_new`", "to_hdf5": "`vv_save` to a path that ends in .h5",
    "tril_indices": "`vv_argwhere` of `vv_tri`", "tril_indices_from": "`vv_argwhere` of `vv_tri`",
    "triu_indices": "`vv_argwhere` of `vv_triu`", "triu_indices_from": "`vv_argwhere` of `vv_triu`", "cumsum": "`vv_cumulative(a, \"sum\", ..)`",
    "cumprod": "`vv_cumulative(a, \"prod\", ..)`", "nancumsum": "`vv_cumulative(a, \"sum\", ..)`: missing values are skipped", "nancumprod": "`vv_cumulative(a, \"prod\", ..)`",
    "overlap": "`vv_map_overlap`; `vv_window`, `vv_convolve`", "random": "`vv_random_array`, `vv_random_array_of`, `vv_permutation`, `vv_choice`",
    "ravel_multi_index": "`vv_multiply` and `vv_add`; selection by it is `vv_points`", "unravel_index": "`vv_floor_divide` and `vv_remainder`, as in `vv_argwhere`",
    "unify_chunks": "by itself, in every operation of several arrays", "conj": "`vv_conjugate`", "fft": "`vv_fft`, `vv_rfft` ... of `varve/fft.h`, along one dimension or several",
    "nanmedian": "`vv_median`, which skips missing values", "percentile": "`vv_quantile`", "linalg": "`varve/linalg.h`; see below", "lib": "`vv_sliding_window` is its stride_tricks.sliding_window_view",
}
for name in ("sum", "mean", "min", "max", "prod", "var", "std"):
    OURS["nan" + name] = f"`vv_reduce(.., \"{name}\", ..)`, which skips missing values; not with keep_nan"
for name in ("argmax", "argmin"):
    OURS["nan" + name] = f"`vv_reduce(.., \"{name}\", ..)`, which skips missing values; not with keep_nan"

MODULE = "a module of dask's own"
PYTHON = "of Python: types, protocols, other containers"
DRAW = "no kind of random numbers here: `vv_fromfunction` calls a C function of one's own"
NOT = {name: why for why, names in {
    MODULE: "backends chunk chunk_types core creation dispatch einsumfuncs gufunc ma numpy_compat optimization reductions routines slicing tiledb_io ufunc utils wrap percentile_module",
    PYTHON: "PerformanceWarning assert_eq register_chunk_type optimize atop",
    "formats that Varve does not have": "from_npy_stack from_tiledb from_zarr to_npy_stack to_tiledb to_zarr",
}.items() for name in names.split()}
NOT.pop("percentile_module")

# The submodules.
LINALG = {
    "inv": "`vv_inverse`", "norm": "`vv_matrix_norm`, `vv_vector_norm`", "tsqr": "`vv_qr`", "sfqr": "`vv_qr` of the first block of columns, `vv_matmul` of its factor's transpose and the rest",
    "compression_matrix": "`vv_svd_compressed`", "compression_level": "`vv_svd_compressed` takes 10 columns more than are wanted",
}
FFT = {"fft2": "`vv_fft` with two dimensions", "fftn": "`vv_fft` with any dimensions", "ifft2": "`vv_ifft` with two dimensions", "ifftn": "`vv_ifft` with any dimensions",
       "rfft2": "`vv_rfft` with two dimensions", "rfftn": "`vv_rfft` with any dimensions", "irfft2": "`vv_irfft` with two dimensions", "irfftn": "`vv_irfft` with any dimensions",
       "fft_wrap": "- " + MODULE}
KINDS = {"beta": "beta", "binomial": "binomial", "exponential": "exponential", "gamma": "gamma", "normal": "normal", "poisson": "poisson", "uniform": "uniform", "randint": "integers",
         "random_integers": "integers", "random": "uniform", "random_sample": "uniform", "standard_normal": "normal", "standard_exponential": "exponential", "standard_gamma": "gamma",
         "tomaxint": "integers"}
RANDOM = {name: f'`vv_random_array(s, "{kind}", ..)`' for name, kind in KINDS.items()}
RANDOM |= {
    "RandomState": "the seed is an argument of everything that is random", "seed": "the seed is an argument of everything that is random", "chisquare": "gamma numbers of shape k / 2 and scale 2",
    "f": "`vv_divide` of two gamma numbers, each divided by its degrees of freedom", "geometric": "`vv_ceil` of `vv_log` of uniform numbers, divided by log(1 - p)",
    "gumbel": "`vv_negative` of `vv_log` of exponential numbers", "laplace": "`vv_subtract` of two exponential numbers", "logistic": "`vv_log` of u / (1 - u) of uniform numbers u",
    "lognormal": "`vv_exp` of normal numbers", "pareto": "`vv_expm1` of exponential numbers", "power": "`vv_power` of uniform numbers and 1 / a", "rayleigh": "`vv_sqrt` of exponential numbers of mean 2",
    "standard_cauchy": "`vv_divide` of two normal numbers", "standard_t": "`vv_divide` of normal numbers and the `vv_sqrt` of gamma numbers", "triangular": "`vv_where` of two roots of uniform numbers",
    "weibull": "`vv_power` of exponential numbers and 1 / a",
    **{name: "- " + DRAW for name in "hypergeometric logseries multinomial negative_binomial noncentral_chisquare noncentral_f vonmises wald zipf".split()},
}
OURS |= {f"{module}.{name}": text for module, names in (("linalg", LINALG), ("fft", FFT), ("random", RANDOM)) for name, text in names.items()}
