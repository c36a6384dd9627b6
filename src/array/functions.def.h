/* The functions that make arrays, one line each; no include guard: functions.c reads this list several times.
 *
 *   FUNCTION(name, least operands, most operands, arguments, help, expression)
 *
 * Elementwise operations and reductions are not in it: they have lists of their own (kernels/program/ops.def.h, kernels/reductions/list.h) and are called alike. An
 * argument with ? may be left out. The expression is in IN(i) operand, ALL and N all operands, C the context, WORD(name) a word, TEXT(name) a word or NULL, WHOLE(name, else), REAL(name, else),
 * TYPE(name, else). */
FUNCTION(full, 0, 0, "dims value dtype? chunks?", "one value everywhere",
         vv_node_full(C, WORD(dims), TEXT(chunks), REAL(value, 0), TYPE(dtype, VV_F64)))
FUNCTION(zeros, 0, 0, "dims dtype? chunks?", "0 everywhere",
         vv_node_full(C, WORD(dims), TEXT(chunks), 0, TYPE(dtype, VV_F64)))
FUNCTION(ones, 0, 0, "dims dtype? chunks?", "1 everywhere",
         vv_node_full(C, WORD(dims), TEXT(chunks), 1, TYPE(dtype, VV_F64)))
FUNCTION(full_like, 1, 1, "value", "one value everywhere, else like the operand", vv_full_like(IN(0), REAL(value, 0)))
FUNCTION(zeros_like, 1, 1, "", "0 everywhere, else like the operand", vv_full_like(IN(0), 0))
FUNCTION(ones_like, 1, 1, "", "1 everywhere, else like the operand", vv_full_like(IN(0), 1))
FUNCTION(arange, 0, 0, "dim stop start? step? dtype?", "start, start + step ... before stop",
         vv_node_arange(C, WORD(dim), REAL(start, 0), REAL(stop, 0), REAL(step, 1), TYPE(dtype, VV_F64)))
FUNCTION(linspace, 0, 0, "dim start stop n open?", "n numbers at equal distances from start to stop",
         vv_node_linspace(C, WORD(dim), REAL(start, 0), REAL(stop, 0), WHOLE(n, 0), WHOLE(open, 0) != 0))
FUNCTION(eye, 0, 0, "dims k? dtype?", "1 on a diagonal", vv_node_eye(C, WORD(dims), WHOLE(k, 0), TYPE(dtype, VV_F64)))
FUNCTION(tri, 0, 0, "dims k? dtype?", "1 on and below a diagonal",
         vv_node_tri(C, WORD(dims), WHOLE(k, 0), TYPE(dtype, VV_F64)))
FUNCTION(diag, 1, 1, "rows columns k?", "a vector on a diagonal",
         vv_diag(IN(0), WORD(rows), WORD(columns), WHOLE(k, 0)))
FUNCTION(indices, 0, 0, "dims axis dtype?", "positions along each dimension",
         vv_node_indices(C, WORD(dims), WORD(axis), TYPE(dtype, VV_I64)))
FUNCTION(random, 0, 0, "kind dims seed dtype? a? b? chunks?", "random numbers",
         vv_node_random(C, WORD(kind), REAL(a, NAN), REAL(b, NAN), WORD(dims), TEXT(chunks), (uint64_t)WHOLE(seed, 0),
                        TYPE(dtype, VV_F64)))
FUNCTION(permutation, 1, 1, "dim seed", "elements along a dimension in random order",
         vv_permutation(IN(0), WORD(dim), (uint64_t)WHOLE(seed, 0)))
FUNCTION(choice, 1, 1, "dim n seed again?", "n random elements along a dimension",
         vv_choice(IN(0), WORD(dim), WHOLE(n, 0), WHOLE(again, 0) != 0, (uint64_t)WHOLE(seed, 0)))

FUNCTION(transpose, 1, 1, "dims?", "dimensions in another order; reversed", vv_transpose(IN(0), TEXT(dims)))
FUNCTION(swapaxes, 1, 1, "one other", "two dimensions change places", vv_swapaxes(IN(0), WORD(one), WORD(other)))
FUNCTION(moveaxis, 1, 1, "dim position", "a dimension at another place",
         vv_moveaxis(IN(0), WORD(dim), (int)WHOLE(position, 0)))
FUNCTION(slice, 1, 1, "dim start? stop? step?", "a stretch of a dimension",
         vv_slice(IN(0), WORD(dim), WHOLE(start, VV_BEGIN), WHOLE(stop, VV_END), WHOLE(step, 1)))
FUNCTION(at, 1, 1, "dim position", "one position of a dimension", vv_at(IN(0), WORD(dim), WHOLE(position, 0)))
FUNCTION(take, 1, 1, "dim at", "positions of a dimension", take_listed(call))
FUNCTION(compress, 1, 1, "dim keep", "positions whose digit is 1", compress_listed(call))
FUNCTION(select, 1, 1, "dim what", "labels or positions of a dimension", vv_select(IN(0), WORD(dim), WORD(what)))
FUNCTION(flip, 1, 1, "dims?", "the last element first", vv_flip(IN(0), TEXT(dims)))
FUNCTION(roll, 1, 1, "dim by", "moved, what leaves comes in at the other end", vv_roll(IN(0), WORD(dim), WHOLE(by, 0)))
FUNCTION(shift, 1, 1, "dim by value?", "moved, what leaves is lost",
         vv_shift(IN(0), WORD(dim), WHOLE(by, 0), REAL(value, NAN)))
FUNCTION(rot90, 1, 1, "from to k?", "turned by right angles", vv_rot90(IN(0), WORD(from), WORD(to), (int)WHOLE(k, 1)))
FUNCTION(pad, 1, 1, "dim before after how? value?", "more elements before and after",
         vv_pad(IN(0), WORD(dim), WHOLE(before, 0), WHOLE(after, 0), TEXT(how) ? WORD(how) : "constant",
                REAL(value, 0)))
FUNCTION(repeat, 1, 1, "dim n", "each element n times", vv_repeat(IN(0), WORD(dim), WHOLE(n, 0)))
FUNCTION(tile, 1, 1, "dim n", "all elements n times", vv_tile(IN(0), WORD(dim), WHOLE(n, 0)))
FUNCTION(expand, 1, 1, "dim n? position?", "repeated along a new dimension",
         vv_expand(IN(0), WORD(dim), WHOLE(n, 1), (int)WHOLE(position, 0)))
FUNCTION(squeeze, 1, 1, "dims?", "without dimensions of length 1", vv_squeeze(IN(0), TEXT(dims)))
FUNCTION(rename, 1, 1, "dim to", "another name for a dimension", vv_rename(IN(0), WORD(dim), WORD(to)))
FUNCTION(broadcast_to, 1, 1, "dims", "repeated along new dimensions", vv_broadcast_to(IN(0), WORD(dims)))
FUNCTION(by_position, 2, 2, "", "with the dimensions of the second operand, counted from the last one",
         by_position(call))
FUNCTION(concatenate, 1, INT_MAX, "dim", "one after the other", vv_node_concat(C, ALL, N, WORD(dim)))
FUNCTION(stack, 1, INT_MAX, "dim", "side by side along a new dimension", vv_node_stack(C, ALL, N, WORD(dim)))
FUNCTION(block, 1, INT_MAX, "grid", "put together like bricks", block_listed(call))
FUNCTION(tril, 1, 1, "rows columns k?", "zero above a diagonal", vv_tril(IN(0), WORD(rows), WORD(columns), WHOLE(k, 0)))
FUNCTION(triu, 1, 1, "rows columns k?", "zero below a diagonal", vv_triu(IN(0), WORD(rows), WORD(columns), WHOLE(k, 0)))
FUNCTION(assign, 2, 2, "region", "the second operand in a region of the first",
         vv_assign(IN(0), TEXT(region) ? WORD(region) : "", IN(1)))
FUNCTION(assign_where, 3, 3, "", "the third operand where the second is true", vv_assign_where(IN(0), IN(1), IN(2)))
FUNCTION(astype, 1, 1, "dtype checked?", "as another element type; checked=1: what does not fit is an error",
         WHOLE(checked, 0) ? vv_astype_checked(IN(0), TYPE(dtype, VV_NONE)) : vv_astype(IN(0), TYPE(dtype, VV_NONE)))
FUNCTION(rechunk, 1, 1, "chunks", "the same elements in other chunks", vv_rechunk(IN(0), WORD(chunks)))

FUNCTION(reshape, 1, 1, "dims", "the same elements in another shape", vv_reshape(IN(0), WORD(dims)))
FUNCTION(ravel, 1, 1, "dim", "all elements along one dimension", vv_ravel(IN(0), WORD(dim)))
FUNCTION(points, 1, 1, "dims at to", "elements by positions along several dimensions", points_listed(call))
FUNCTION(diagonal, 1, 1, "rows columns to k?", "a diagonal",
         vv_diagonal(IN(0), WORD(rows), WORD(columns), WHOLE(k, 0), WORD(to)))
FUNCTION(coarsen, 1, 1, "how blocks trim?", "blocks of neighbours, reduced",
         vv_coarsen(IN(0), WORD(how), WORD(blocks), WHOLE(trim, 0) != 0))

FUNCTION(compress_where, 2, 2, "", "positions of a dimension where the second operand is true",
         vv_compress_where(IN(0), IN(1)))
FUNCTION(extract, 2, 2, "to", "elements where the second operand is true", vv_extract(IN(0), IN(1), WORD(to)))
FUNCTION(flatnonzero, 1, 1, "to", "numbers of the elements that are true", vv_flatnonzero(IN(0), WORD(to)))
FUNCTION(argwhere, 1, 1, "to axis", "positions of the elements that are true", vv_argwhere(IN(0), WORD(to), WORD(axis)))

FUNCTION(diff, 1, 1, "dim n?", "differences of neighbours", vv_diff(IN(0), WORD(dim), (int)WHOLE(n, 1)))
FUNCTION(sliding_window, 1, 1, "dim n to", "all stretches of n neighbours, along a new dimension",
         vv_sliding_window(IN(0), WORD(dim), WHOLE(n, 0), WORD(to)))
FUNCTION(gradient, 1, 1, "dim spacing?", "slopes by neighbours", vv_gradient(IN(0), WORD(dim), REAL(spacing, 1)))
FUNCTION(isclose, 2, 2, "rtol? atol? equal_nan?", "whether elements of both are nearly equal",
         vv_isclose(IN(0), IN(1), REAL(rtol, 1e-5), REAL(atol, 1e-8), WHOLE(equal_nan, 0) != 0))
FUNCTION(allclose, 2, 2, "rtol? atol? equal_nan?", "whether all elements of both are nearly equal",
         vv_allclose(IN(0), IN(1), REAL(rtol, 1e-5), REAL(atol, 1e-8), WHOLE(equal_nan, 0) != 0))
FUNCTION(iscomplex, 1, 1, "", "whether it has an imaginary part", vv_iscomplex(IN(0)))
FUNCTION(isreal, 1, 1, "", "whether it has no imaginary part", vv_isreal(IN(0)))
FUNCTION(logaddexp, 2, 2, "", "logarithm of the sum of exponentials", vv_logaddexp(IN(0), IN(1)))
FUNCTION(logaddexp2, 2, 2, "", "logarithm of base 2 of the sum of powers of 2", vv_logaddexp2(IN(0), IN(1)))
FUNCTION(sinc, 1, 1, "", "sin(pi x) / (pi x)", vv_sinc(IN(0)))
FUNCTION(i0, 1, 1, "", "modified Bessel function of order 0", vv_i0(IN(0)))
FUNCTION(float_power, 2, 2, "", "first operand to the power of the second, in double precision",
         vv_float_power(IN(0), IN(1)))
FUNCTION(round, 1, 1, "digits?", "rounded to decimal digits, halves to even", vv_round(IN(0), (int)WHOLE(digits, 0)))
FUNCTION(nan_to_num, 1, 1, "nan? posinf? neginf?", "numbers for NaN and infinities",
         vv_nan_to_num(IN(0), REAL(nan, 0), REAL(posinf, NAN), REAL(neginf, NAN)))
FUNCTION(frexp, 1, 1, "part", "mantissa from 0.5 to 1, or exponent of 2: part=mantissa, exponent", part_of_frexp(call))
FUNCTION(modf, 1, 1, "part", "what is behind the point, or before it: part=fraction, whole", part_of_modf(call))
FUNCTION(vdot, 2, 2, "", "sum of products, of the first operand's conjugates", vv_vdot(IN(0), IN(1)))
FUNCTION(sort, 1, 1, "dim", "ascending", vv_sort(IN(0), WORD(dim)))
FUNCTION(argsort, 1, 1, "dim", "places of the elements in ascending order", vv_argsort(IN(0), WORD(dim)))
FUNCTION(topk, 1, 1, "k dim", "the k greatest; with k below 0 the least", vv_topk(IN(0), WHOLE(k, 1), WORD(dim)))
FUNCTION(argtopk, 1, 1, "k dim", "their places", vv_argtopk(IN(0), WHOLE(k, 1), WORD(dim)))
FUNCTION(median, 1, 1, "dims?", "exact median", vv_median(IN(0), TEXT(dims)))
FUNCTION(quantile, 1, 1, "q dims? method?", "exact quantile, by NumPy's name of a definition",
         vv_quantile(IN(0), REAL(q, 0), TEXT(dims), &(vv_quantile_options){.method = TEXT(method)}))
FUNCTION(histogram, 1, 2, "bins? lo? hi? edges? dims? to? density?",
         "counts in bins; of a second operand its totals there", histogram_listed(call, 1, N - 1))
FUNCTION(histogram2d, 2, 3, "bins? lo? hi? edges? dims? to? density?",
         "counts by two operands, with ; between what is said of each; of a third operand its totals",
         histogram_listed(call, 2, N - 2))
FUNCTION(histogramdd, 1, VV_RED_VALUES, "bins? lo? hi? edges? dims? to? density? weighted?",
         "counts by any number of operands; weighted=1: the last one's totals",
         histogram_listed(call, N - (WHOLE(weighted, 0) != 0), WHOLE(weighted, 0) != 0))
FUNCTION(histogram_bin_edges, 1, 1, "to bins? lo? hi? edges?", "the edges that histogram takes", edges_listed(call))
FUNCTION(bincount, 1, 2, "to length? least? dims?",
         "how often each whole number occurs; of a second operand its totals",
         vv_bincount(IN(0), N > 1 ? IN(1) : NULL, WHOLE(length, 0), WHOLE(least, 0), TEXT(dims), WORD(to)))
FUNCTION(digitize, 1, 1, "bins right?", "which of the bins, which ascend or descend, each element is in",
         digitize_listed(call))
FUNCTION(searchsorted, 2, 2, "right?", "where elements of the second operand would stand in the first, which ascends",
         vv_searchsorted(IN(0), IN(1), WHOLE(right, 0) != 0))
FUNCTION(isin, 2, 2, "invert?", "whether each element is one of the second operand's",
         vv_isin(IN(0), IN(1), WHOLE(invert, 0) != 0))
FUNCTION(unique, 1, 1, "to", "the different elements, ascending", vv_unique(IN(0), WORD(to), NULL, NULL))
FUNCTION(unique_counts, 1, 1, "to", "how often each of the different elements occurs", unique_part(call, true))
FUNCTION(unique_inverse, 1, 1, "", "the position of each element among the different ones", unique_part(call, false))
FUNCTION(union1d, 2, 2, "to", "the different elements of both, ascending", vv_union1d(IN(0), IN(1), WORD(to)))
FUNCTION(weighted, 2, 2, "how dims?", "statistics of the first operand, weighted by the second",
         vv_weighted(IN(0), WORD(how), IN(1), TEXT(dims), NULL))
FUNCTION(moment, 1, 1, "order dims?", "mean power of the deviation from the mean",
         vv_moment(IN(0), (int)WHOLE(order, 2), TEXT(dims), NULL))
FUNCTION(rolling, 1, 1, "dim n how least? centered?", "statistics of windows",
         vv_rolling(IN(0), WORD(dim), WHOLE(n, 0), WORD(how), WHOLE(least, 0), WHOLE(centered, 0) != 0))
FUNCTION(cumulative, 1, 1, "how dim", "running statistics", vv_cumulative(IN(0), WORD(how), WORD(dim)))
FUNCTION(cumsum, 1, 1, "dim", "running sum", vv_cumulative(IN(0), "sum", WORD(dim)))
FUNCTION(cumprod, 1, 1, "dim", "running product", vv_cumulative(IN(0), "prod", WORD(dim)))

FUNCTION(pairs, 2, 2, "what dims? ddof?", "of two arrays corr, cov, slope, intercept, stderr, t, p or n",
         vv_pairs(IN(0), IN(1), WORD(what), TEXT(dims), &(vv_pair_options){.ddof = REAL(ddof, 0)}))
FUNCTION(trend, 1, 1, "dim what? per? adjust?", "line by least squares: its slope, intercept, stderr, t, p, corr or n",
         vv_trend(IN(0), WORD(dim), TEXT(what) ? WORD(what) : "slope",
                  &(vv_trend_options){TEXT(per), WHOLE(adjust, 0) != 0}))
FUNCTION(detrend, 1, 1, "dim per?", "what is left without that line",
         vv_detrend(IN(0), WORD(dim), &(vv_trend_options){.per = TEXT(per)}))

FUNCTION(eof, 1, 2, "dim n part correlation? ddof?",
         "patterns that vary most: pattern, series, variance or fraction; of a second operand the weights",
         part_of_eof(call))
FUNCTION(harmonics, 1, 1, "dim n", "the mean and the first n waves of what goes round",
         vv_harmonics(IN(0), WORD(dim), (int)WHOLE(n, 4)))
FUNCTION(circular_mean, 1, 1, "dim n", "means of n neighbours of what goes round",
         vv_circular_mean(IN(0), WORD(dim), WHOLE(n, 0)))

FUNCTION(fft, 1, 1, "dims? norm?", "Fourier transform, along one dimension or several",
         vv_fft(IN(0), TEXT(dims), TEXT(norm)))
FUNCTION(ifft, 1, 1, "dims? norm?", "inverse Fourier transform", vv_ifft(IN(0), TEXT(dims), TEXT(norm)))
FUNCTION(rfft, 1, 1, "dims? norm?", "Fourier transform of reals: the half that says all",
         vv_rfft(IN(0), TEXT(dims), TEXT(norm)))
FUNCTION(irfft, 1, 1, "dims? norm?", "reals of such a half", vv_irfft(IN(0), TEXT(dims), TEXT(norm)))
FUNCTION(hfft, 1, 1, "dim? norm?", "real transform of half a signal", vv_hfft(IN(0), TEXT(dim), TEXT(norm)))
FUNCTION(ihfft, 1, 1, "dim? norm?", "half a signal of its real transform", vv_ihfft(IN(0), TEXT(dim), TEXT(norm)))
FUNCTION(fftfreq, 0, 0, "dim n distance?", "frequencies of a Fourier transform",
         vv_node_fftfreq(C, WORD(dim), WHOLE(n, 0), REAL(distance, 1)))
FUNCTION(rfftfreq, 0, 0, "dim n distance?", "frequencies of a Fourier transform of reals",
         vv_node_rfftfreq(C, WORD(dim), WHOLE(n, 0), REAL(distance, 1)))
FUNCTION(fftshift, 1, 1, "dims?", "zero frequency in the middle", vv_fftshift(IN(0), TEXT(dims)))
FUNCTION(ifftshift, 1, 1, "dims?", "zero frequency back at the begin", vv_ifftshift(IN(0), TEXT(dims)))

FUNCTION(matmul, 2, 2, "dim", "products summed over a dimension of both", vv_matmul(IN(0), IN(1), WORD(dim)))
FUNCTION(tensordot, 2, 2, "left right", "products summed over dimensions, pair by pair",
         vv_tensordot(IN(0), IN(1), WORD(left), WORD(right)))
FUNCTION(einsum, 1, 32, "letters", "products by letters for dimensions, as numpy.einsum",
         vv_node_einsum(C, WORD(letters), ALL, N))
FUNCTION(cov_matrix, 1, 1, "dim other ddof?", "covariance of each variable with each other one, over observations",
         vv_cov_matrix(IN(0), WORD(dim), WORD(other), REAL(ddof, 1)))
FUNCTION(corrcoef, 1, 1, "dim other", "correlation of each variable with each other one, over observations",
         vv_corrcoef(IN(0), WORD(dim), WORD(other)))

FUNCTION(qr, 1, 1, "to part", "QR factorisation: its part q or r", part_of_qr(call))
FUNCTION(svd, 1, 1, "to part", "singular values s, left vectors u, right ones v", part_of_svd(call))
FUNCTION(cholesky, 1, 1, "", "lower triangle of a positive definite matrix", vv_cholesky(IN(0)))
FUNCTION(lu, 1, 1, "to part", "LU factorisation with row pivots: its part l, u or order", part_of_lu(call))
FUNCTION(solve, 2, 2, "", "solutions of equations: matrix, right-hand sides", vv_solve(IN(0), IN(1)))
FUNCTION(solve_triangular, 2, 2, "which", "solutions of a lower or upper triangle",
         vv_solve_triangular(IN(0), IN(1), WORD(which)))
FUNCTION(inverse, 1, 1, "", "the inverse of a square matrix", vv_inverse(IN(0)))
FUNCTION(det, 1, 1, "", "the determinant of a square matrix, or of each of a stack of them", vv_det(IN(0)))
FUNCTION(lstsq, 2, 2, "least?", "least squares: matrix, right-hand sides", vv_lstsq(IN(0), IN(1), REAL(least, NAN)))
FUNCTION(svd_compressed, 1, 1, "to k part iterations? seed?",
         "the k largest singular values s, vectors u, v, by random products", part_of_compressed(call))
FUNCTION(vector_norm, 1, 1, "p? dims?", "norms of vectors", vv_vector_norm(IN(0), REAL(p, 2), TEXT(dims)))
FUNCTION(matrix_norm, 1, 1, "order?", "the norm of a matrix", vv_matrix_norm(IN(0), TEXT(order) ? WORD(order) : "fro"))
FUNCTION(trace, 1, 1, "rows columns k?", "sum of a diagonal", vv_trace(IN(0), WORD(rows), WORD(columns), WHOLE(k, 0)))
