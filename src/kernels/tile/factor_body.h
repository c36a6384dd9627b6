/* Factorisations of one element type (tile_factor.c, which says what they are): no include guard, it is included for each type, with
 *
 *   ELEMENT, NAME(x), LOCAL(x)   the type, and what functions are called
 *   REAL_PART(x)                 of an element, as double
 *   POTRF, GETRF                 LAPACK's functions
 *   TRSM(side, triangle, transposed, diagonal, m, n, a, lda, b, ldb)   b becomes the solution
 *   LESS(transposed, m, n, k, a, lda, b, ldb, c, ldc)                  c - a b
 *   SWAP(n, x, dx, y, dy) */
#define AT(m) ((ELEMENT *)(void *)(m).at)

/* --- Cholesky --- */

/* The lower triangle of rows is LAPACK's upper one of columns. */
vv_status NAME(cholesky_panel)(const vv_tile_work *w)
{
    ELEMENT *a = AT(w->out);
    int n = (int)w->out.columns, below = (int)(w->out.rows - w->out.columns), info = 0;
    VV_TRY(check_lengths(&w->out));
    vv_lapack_alone();
    memcpy(w->out.at, w->in[0].at, (size_t)(w->out.rows * w->out.columns) * sizeof(ELEMENT));
    POTRF("U", &n, a, &n, &info, 1);
    if (info > 0) {
        double pivot = REAL_PART(a[(vv_index)(info - 1) * n + info - 1]);
        return vv_fail(VV_ERR_USAGE, "the matrix is not positive definite: pivot %lld is %g",
                       (long long)(w->from + info - 1), pivot);
    }
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++) a[(vv_index)i * n + k] = 0;
    if (below > 0) TRSM(CblasRight, CblasLower, CblasConjTrans, CblasNonUnit, below, n, a, n, a + (vv_index)n * n, n);
    return VV_OK;
}

/* From the diagonal on; what is above it nobody looks at. */
vv_status NAME(cholesky_update)(const vv_tile_work *w)
{
    const vv_matrix *panel = &w->in[1];
    vv_index b = panel->columns, first = b + w->piece * w->cut, n = w->out.columns;
    VV_TRY(check_lengths(&w->out));
    vv_lapack_alone();
    memcpy(w->out.at, w->in[0].at, (size_t)(w->out.rows * w->out.columns) * sizeof(ELEMENT));
    LESS(CblasConjTrans, (int)(w->out.rows - first), (int)n, (int)b, AT(*panel) + first * b, (int)b,
         AT(*panel) + first * b, (int)b, AT(w->out) + first * n, (int)n);
    return VV_OK;
}

/* --- Gauss, with pivots --- */

vv_bytes NAME(lu_panel_workspace)(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)vv_tile_take(&room, vv_times(vv_times(w->in[0].rows, w->in[0].columns), sizeof(ELEMENT)));
    (void)vv_tile_take(&room, w->in[0].columns * (vv_bytes)sizeof(int));
    return room.used;
}

vv_status NAME(lu_panel)(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    const vv_matrix *in = &w->in[0];
    const ELEMENT *from = AT(*in);
    ELEMENT *to = AT(w->out), *a = vv_tile_take(&room, in->rows * in->columns * (vv_bytes)sizeof *a);
    int *pivot = vv_tile_take(&room, in->columns * (vv_bytes)sizeof *pivot);
    VV_TRY(check_lengths(in));
    int m = (int)in->rows, n = (int)in->columns, info = 0;
    vv_lapack_alone();
    for (vv_index k = 0; k < n; k++)
        for (vv_index i = 0; i < m; i++) a[k * m + i] = from[i * n + k];
    GETRF(&m, &n, a, &m, pivot, &info);
    if (info < 0) return vv_fail(VV_ERR_INTERNAL, "getrf: argument %d", -info);
    for (vv_index i = 0; i < m; i++)
        for (vv_index k = 0; k < n; k++) to[i * n + k] = a[k * m + i];
    for (vv_index k = 0; k < n; k++) to[(vv_index)m * n + k] = pivot[k] - 1;
    return VV_OK;
}

vv_status NAME(lu_update)(const vv_tile_work *w)
{
    const vv_matrix *panel = &w->in[1];
    vv_index b = panel->columns, n = w->out.columns, below = w->out.rows - b;
    ELEMENT *top = AT(w->out), *at = AT(*panel);
    VV_TRY(check_lengths(&w->out));
    vv_lapack_alone();
    memcpy(w->out.at, w->in[0].at, (size_t)(w->out.rows * w->out.columns) * sizeof(ELEMENT));
    for (vv_index k = 0; k < b; k++) {
        vv_index other = (vv_index)REAL_PART(at[w->out.rows * b + k]);
        if (other != k) SWAP((int)n, top + k * n, 1, top + other * n, 1);
    }
    TRSM(CblasLeft, CblasLower, CblasNoTrans, CblasUnit, (int)b, (int)n, at, (int)b, top, (int)n);
    if (below > 0) LESS(CblasNoTrans, (int)below, (int)n, (int)b, at + b * b, (int)b, top, (int)n, top + b * n, (int)n);
    return VV_OK;
}

vv_bytes NAME(lu_order_workspace)(const vv_tile_work *w)
{
    return (w->in[0].rows * 8 + 63) / 64 * 64;
}

/* Where rows come from: by the panel's pivots, and then what is below by those that followed. */
vv_status NAME(lu_order)(const vv_tile_work *w)
{
    const vv_matrix *panel = &w->in[0];
    vv_index n = panel->rows - 1, b = panel->columns;
    double *order = (double *)(void *)w->room;
    for (vv_index i = 0; i < n; i++) order[i] = (double)i;
    for (vv_index k = 0; k < b; k++) {
        vv_index other = (vv_index)REAL_PART(AT(*panel)[n * b + k]);
        double was = order[k];
        order[k] = order[other];
        order[other] = was;
    }
    for (vv_index i = 0; i < n; i++)
        AT(w->out)[i] = order[i < b || !w->in[1].at ? i : b + (vv_index)REAL_PART(AT(w->in[1])[i - b])];
    return VV_OK;
}

vv_status NAME(reordered)(const vv_tile_work *w)
{
    vv_index n = w->out.columns;
    for (vv_index i = 0; i < w->out.rows; i++)
        memcpy(AT(w->out) + i * n, AT(w->in[0]) + (vv_index)REAL_PART(AT(w->in[1])[i]) * n,
               (size_t)n * sizeof(ELEMENT));
    return VV_OK;
}

/* --- triangles --- */

static vv_status LOCAL(solve)(const vv_tile_work *w, CBLAS_UPLO side, CBLAS_DIAG diagonal)
{
    const vv_matrix *t = &w->in[1];
    vv_index n = t->columns;
    VV_TRY(check_lengths(&w->out));
    for (vv_index i = 0; i < n && diagonal == CblasNonUnit; i++)
        if (AT(*t)[i * n + i] == 0)
            return vv_fail(VV_ERR_USAGE, "the matrix is singular: pivot %lld is 0", (long long)(w->from + i));
    vv_lapack_alone();
    memcpy(w->out.at, w->in[0].at, (size_t)(w->out.rows * w->out.columns) * sizeof(ELEMENT));
    TRSM(CblasLeft, side, CblasNoTrans, diagonal, (int)n, (int)w->out.columns, AT(*t), (int)n, AT(w->out),
         (int)w->out.columns);
    return VV_OK;
}

vv_status NAME(solve_lower)(const vv_tile_work *w)
{
    return LOCAL(solve)(w, CblasLower, CblasNonUnit);
}

vv_status NAME(solve_upper)(const vv_tile_work *w)
{
    return LOCAL(solve)(w, CblasUpper, CblasNonUnit);
}

#undef AT
#undef ELEMENT
#undef NAME
#undef LOCAL
#undef REAL_PART
#undef POTRF
#undef GETRF
#undef TRSM
#undef LESS
#undef SWAP
