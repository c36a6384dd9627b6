"""What NumPy makes of the functions of Varve's registry: for each a random application to an array, and its result.

A case takes (rng, value, others) and gives (function's operands, arguments in words, array, dimensions), or None where it does not apply. Registering a
function without a case here, or in trees_ops.py, fails test_trees.py.
"""
import warnings

import numpy as np

NAMES = ["time", "lat", "lon", "lev", "p", "q", "r", "s"]
RAMPS = ["f4", "f8"]
np.seterr(over="ignore")
MOST = 20000  # elements of an array


class Value:
    """An array of a tree: its elements, the names of its dimensions, whether its elements have no rounding errors; else: whether some were single
    precision, and the largest number on the way."""

    def __init__(self, name, array, dims, of=(), exact=True, scale=None, read=False):
        self.name, self.array, self.dims, self.exact = name, np.asarray(array), list(dims), exact and all(v.exact for v in of)
        self.single, self.read = self.array.dtype.str[1:] in ("f4", "c8") or any(v.single for v in of), read
        scale = max([v.scale for v in of], default=1.0) if scale is None else scale
        finite = np.abs(self.array[np.isfinite(self.array)]) if self.array.size else np.zeros(0)
        self.scale = np.float64(max(scale, float(finite.max(initial=0.0))))  # whose powers may overflow

    def length(self, dim):
        return self.array.shape[self.dims.index(dim)]


def pick(rng, items):
    return items[int(rng.integers(len(items)))]


def pick_dim(rng, v):
    return pick(rng, v.dims) if v.dims else None


def free(rng, *values):
    return pick(rng, [n for n in NAMES if all(n not in v.dims for v in values)])


def along(v, d, index):
    return v.array[(slice(None),) * v.dims.index(d) + (index,)]


def text(dims, shape):
    return ",".join(f"{d}:{n}" for d, n in zip(dims, shape))


def ordinary(v):
    """What has an order and is no truth."""
    return v.array.dtype.kind in "iuf"


def aligned(*values):
    """All of them with the dimensions of the first one, then what the others have besides, and these; None when they do not line up."""
    dims, length = [], {}
    for v in values:
        for d in v.dims:
            if length.setdefault(d, v.length(d)) != v.length(d):
                return None
            if d not in dims:
                dims.append(d)
    def seen(v):
        order = [v.dims.index(d) for d in dims if d in v.dims]
        return v.array.transpose(order)[tuple(slice(None) if d in v.dims else None for d in dims)]
    if np.prod(list(length.values()), dtype=float) > MOST:
        return None
    return *map(seen, values), dims


# --- made of nothing ---

DTYPES = {"i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64", "u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64", "f4": "f32", "f8": "f64", "b1": "bool", "c8": "c64", "c16": "c128"}


def varve_type(dtype):
    return DTYPES[np.dtype(dtype).str[1:]]


def full(rng, v, _):
    shape, value, dtype = rng.integers(0, 7, 2), int(rng.integers(0, 100)), pick(rng, ["i1", "u4", "f4", "f8"])
    return [], f"dims={text(NAMES[:2], shape)} value={value} dtype={varve_type(dtype)}", np.full(shape, value, dtype), NAMES[:2]


def constant(value):
    def case(rng, v, _):
        shape, dtype = rng.integers(0, 7, 2), pick(rng, ["i1", "u4", "f4", "f8"])
        return [], f"dims={text(NAMES[:2], shape)} dtype={varve_type(dtype)} chunks=time:2", np.full(shape, value, dtype), NAMES[:2]
    return case


def like(value):
    def case(rng, v, _):
        n = int(rng.integers(0, 2)) if value is None else value
        return [v], f"value={n}" if value is None else "", np.full_like(v.array, n), v.dims
    return case


def arange(rng, v, _):
    dtype = pick(rng, ["i2", "i8", "f4", "f8"])
    start, step = (int(rng.integers(-9, 9)), int(pick(rng, [1, 3, -2]))) if dtype[0] == "i" else (rng.normal(), pick(rng, [0.1, -0.3, 2.5]))
    stop = start + step * rng.random() * 20
    return [], f"dim=lat start={start!r} stop={stop!r} step={step!r} dtype={varve_type(dtype)}", np.arange(start, stop, step, dtype="f8" if dtype == "f4" else dtype).astype(dtype), ["lat"]


def linspace(rng, v, _):
    a, b, n, ends = rng.normal(), rng.normal(), int(rng.integers(0, 20)), bool(rng.integers(2))
    return [], f"dim=lon start={a!r} stop={b!r} n={n} open={int(not ends)}", np.linspace(a, b, n, endpoint=ends), ["lon"]


def eye(make):
    def case(rng, v, _):
        n, m, k, dtype = int(rng.integers(0, 8)), int(rng.integers(0, 8)), int(rng.integers(-4, 5)), pick(rng, ["i4", "f4", "f8"])
        return [], f"dims=lat:{n},lon:{m} k={k} dtype={varve_type(dtype)}", make(n, m, k, dtype=dtype), ["lat", "lon"]
    return case


def diag(rng, v, _):
    if len(v.dims) != 1 or v.array.size > 60:
        return None
    k, d = int(rng.integers(-3, 4)), free(rng, v)
    rows, columns = (d, v.dims[0]) if rng.integers(2) else (v.dims[0], d)
    return [v], f"rows={rows} columns={columns} k={k}", np.diag(v.array, k), [rows, columns]


def indices(rng, v, _):
    shape = rng.integers(1, 6, int(rng.integers(1, 4)))
    return [], f"dims={text(NAMES, shape)} axis=p dtype=i32", np.indices(shape, "i4"), ["p"] + NAMES[:len(shape)]


# --- moved ---

def over_dim(function):
    def case(rng, v, others):
        d = pick_dim(rng, v)
        if d is None:
            return None
        made = function(rng, v, d, v.dims.index(d))
        if made is None:
            return None
        arguments, array = made[:2]
        return [v], f"dim={d} {arguments}", array, made[2] if len(made) > 2 else v.dims
    return case


def transpose(rng, v, _):
    order = rng.permutation(len(v.dims))
    dims = [v.dims[i] for i in order]
    return ([v], f"dims={','.join(dims)}" if dims else "", v.array.transpose(order), dims)


def swapaxes(rng, v, _):
    if len(v.dims) < 1:
        return None
    a, b = pick_dim(rng, v), pick_dim(rng, v)
    i, j, dims = v.dims.index(a), v.dims.index(b), list(v.dims)
    dims[i], dims[j] = dims[j], dims[i]
    return [v], f"one={a} other={b}", v.array.swapaxes(i, j), dims


def moveaxis(rng, v, d, k):
    to = int(rng.integers(-len(v.dims), len(v.dims)))
    return f"position={to}", np.moveaxis(v.array, k, to), moved(v.dims, k, to)


def moved(dims, k, to):
    rest = [d for i, d in enumerate(dims) if i != k]
    rest.insert(to % len(dims), dims[k])
    return rest


def slices(rng, v, d, k):
    n = v.array.shape[k]
    start, stop, step = int(rng.integers(-n - 2, n + 3)), int(rng.integers(-n - 2, n + 3)), int(pick(rng, [1, 1, 2, -1, -3, 5]))
    return f"start={start} stop={stop} step={step}", along(v, d, slice(start, stop, step))


def at(rng, v, d, k):
    n = v.array.shape[k]
    if n == 0:
        return None
    i = int(rng.integers(-n, n))
    return f"position={i}", along(v, d, i), [x for x in v.dims if x != d]


def take(rng, v, d, k):
    n = v.array.shape[k]
    if n == 0:
        return None
    i = rng.integers(-n, n, int(rng.integers(1, 9)))
    return f"at={','.join(map(str, i))}", np.take(v.array, i, k)


def compress(rng, v, d, k):
    keep = rng.integers(0, 2, v.array.shape[k]).astype(bool)
    return f"keep={''.join('01'[int(x)] for x in keep)}", np.compress(keep, v.array, k)


def select(rng, v, d, k):
    n = v.array.shape[k]
    a, b = sorted(int(x) for x in rng.integers(0, n + 1, 2))
    return f"what=#{a}:{b}", along(v, d, slice(a, b))


def flip(rng, v, _):
    some = [d for d in v.dims if rng.integers(2)]
    axes = tuple(v.dims.index(d) for d in some) if some else tuple(range(len(v.dims)))
    return [v], f"dims={','.join(some)}" if some else "", np.flip(v.array, axes), v.dims


def shift(rng, v, d, k):
    n, by = v.array.shape[k], int(rng.integers(-6, 7))
    out = np.full_like(v.array, 1)
    if abs(by) < n:
        here, there = [slice(None)] * v.array.ndim, [slice(None)] * v.array.ndim
        here[k], there[k] = (slice(by, None), slice(0, n - by)) if by >= 0 else (slice(0, n + by), slice(-by, None))
        out[tuple(here)] = v.array[tuple(there)]
    return f"by={by} value=1", out


def rot90(rng, v, _):
    if len(v.dims) < 2:
        return None
    i, j = (int(x) for x in rng.permutation(len(v.dims))[:2])
    k = int(rng.integers(-5, 6))
    return [v], f"from={v.dims[i]} to={v.dims[j]} k={k}", np.rot90(v.array, k, (i, j)), v.dims


def pad(rng, v, d, k):
    n, how = v.array.shape[k], pick(rng, ["constant", "edge", "wrap", "reflect", "symmetric", "linear_ramp"])
    ramp = how == "linear_ramp"
    if n == 0 or v.array.dtype == bool or ramp and v.array.dtype.str[1:] not in RAMPS or ramp and not np.isfinite(v.array).all():
        return None
    before, after = (int(x) for x in rng.integers(0, 2 * n + 1, 2))
    width = [(0, 0)] * v.array.ndim
    width[k] = (before, after)
    more = {"constant": {"constant_values": 3}, "linear_ramp": {"end_values": 3}}.get(how, {})
    # NumPy before 1.25 is wrong about more than one period
    out = np.take(v.array, np.arange(-before, n + after), k, mode="wrap") if how == "wrap" else np.pad(v.array, width, how, **more)
    return f"before={before} after={after} how={how} value=3", out


def copies(function):
    def case(rng, v, d, k):
        n = int(rng.integers(0, 4))
        return f"n={n}", function(v.array, n, k)
    return over_dim(case)


def expand(rng, v, _):
    n, at, d = int(rng.integers(1, 4)), int(rng.integers(0, len(v.dims) + 1)), free(rng, v)
    return [v], f"dim={d} n={n} position={at}", np.repeat(np.expand_dims(v.array, at), n, at), v.dims[:at] + [d] + v.dims[at:]


def squeeze(rng, v, _):
    return [v], "", np.squeeze(v.array), [d for d in v.dims if v.length(d) != 1]


def rename(rng, v, d, k):
    to = free(rng, v)
    return f"to={to}", v.array, [to if x == d else x for x in v.dims]


def broadcast_to(rng, v, _):
    d, n = free(rng, v), int(rng.integers(0, 4))
    if n * v.array.size > MOST:
        return None
    at = int(rng.integers(0, len(v.dims) + 1))
    dims = v.dims[:at] + [d] + v.dims[at:]
    out = np.repeat(np.expand_dims(v.array, at), n, at)
    return [v], f"dims={text(dims, out.shape)}", out, dims


def by_position(rng, v, others):
    w = pick(rng, others)
    try:
        shape = np.broadcast_shapes(v.array.shape, w.array.shape)
    except ValueError:
        return None
    return [v, w], "", np.broadcast_to(v.array, shape), (v if len(v.dims) >= len(w.dims) else w).dims


def concatenate(rng, v, others):
    d = pick_dim(rng, v)
    return None if d is None else ([v, v], f"dim={d}", np.concatenate([v.array, v.array], v.dims.index(d)), v.dims)


def stack(rng, v, others):
    d = free(rng, v)
    return [v, v, v], f"dim={d}", np.stack([v.array] * 3), [d] + v.dims


def block(rng, v, others):
    if len(v.dims) < 2 or v.array.size > 4000:
        return None
    a, b = v.dims[0], v.dims[1]
    row = np.concatenate([v.array, v.array], 1)
    return [v] * 4, f"grid={a}:2,{b}:2", np.concatenate([row, row], 0), v.dims


def triangle(function):
    def case(rng, v, _):
        if len(v.dims) < 2:
            return None
        i, j = (int(x) for x in rng.permutation(len(v.dims))[:2])
        k = int(rng.integers(-4, 5))
        last = np.moveaxis(v.array, (i, j), (-2, -1))
        return [v], f"rows={v.dims[i]} columns={v.dims[j]} k={k}", np.moveaxis(function(last, k), (-2, -1), (i, j)), v.dims
    return case


def assign(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or v.length(d) == 0:
        return None
    a, b = sorted(int(x) for x in rng.integers(0, v.length(d) + 1, 2))
    out = v.array.copy()
    index = (slice(None),) * v.dims.index(d)
    out[index + (slice(a, b),)] = v.array[index + (slice(0, 1),)]
    return [v, ("at", [v], f"dim={d} position=0")], f"region={d}:{a}:{b}", out, v.dims


def assign_where(rng, v, others):
    for mask in others:
        if mask.array.dtype == bool and all(d in v.dims and v.length(d) == mask.length(d) for d in mask.dims):
            seen = aligned(v, mask)
            if seen is not None:
                return [v, mask, v], "", v.array, v.dims
    return None


def fits(a, to):
    """Whether casts with range checks take every element; what is behind the point may go."""
    if a.dtype.kind == "f" and to[0] in "iu" and not np.isfinite(a).all():
        return False
    if to[0] in "iu" and a.dtype.kind in "iuf" and a.size:
        least, most = (int(np.trunc(x)) for x in (a.min(), a.max()))
        return np.iinfo(to).min <= least and most <= np.iinfo(to).max
    with np.errstate(all="ignore"):
        return np.array_equal(np.isinf(a.astype(to)), np.isinf(a))


def checked(rng, v):
    to = pick(rng, ["i1", "i2", "i4", "i8", "u1", "u8", "f4", "f8", "c8", "c16"])
    if v.array.dtype.kind == "c" and to[0] != "c" or not v.exact or not fits(v.array, to):
        return None
    return [v], f"dtype={varve_type(to)} checked=1", v.array.astype(to), v.dims


def astype(rng, v, _):
    if rng.integers(3) == 0:
        return checked(rng, v)
    to = pick(rng, ["i2", "i4", "i8", "u1", "f4", "f8", "b1", "c8", "c16"])
    if v.array.dtype.kind == "c" and (to[0] in "iuf" or not v.exact):
        return None
    if v.array.dtype.kind == "f" and (to[0] in "iu" or not v.exact):
        if to[0] in "iub":
            return None
    with np.errstate(all="ignore"):
        return [v], f"dtype={varve_type(to)}", v.array.astype(to), v.dims


def rechunk(rng, v, d, k):
    if rng.integers(6) == 0:
        return f"chunks={pick(rng, ['auto', '200B'])}", v.array
    dims = ",".join(f"{x}:{pick(rng, ['auto', '-1', '64B', *rng.integers(1, n + 2, 6)])}" for x, n in zip(v.dims, v.array.shape))
    return f"chunks={dims}", v.array


def rechunked(rng, v, _):
    if not v.dims:
        return None
    arguments, array = rechunk(rng, v, v.dims[0], 0)
    return [v], arguments, array, v.dims


def diff(rng, v, d, k):
    n = int(rng.integers(0, 3))
    if v.array.dtype.kind == "u" or v.array.shape[k] <= n:
        return None
    with np.errstate(all="ignore"):
        return f"n={n}", np.diff(v.array, n, k)


def sliding_window(rng, v, d, k):
    n, to = int(rng.integers(1, 5)), free(rng, v)
    if n > v.length(d):
        return None
    return f"n={n} to={to}", np.lib.stride_tricks.sliding_window_view(v.array, n, k), v.dims + [to]


def gradient(rng, v, d, k):
    if v.array.shape[k] < 2 or v.array.dtype.kind != "f":
        return None
    h = float(rng.integers(1, 9)) / 4
    with np.errstate(all="ignore"):
        return f"spacing={h}", np.gradient(v.array, h, axis=k)


def running(function):
    def case(rng, v, d, k):
        if v.array.dtype.kind in "fc" and not np.isfinite(v.array).all() or v.array.dtype == bool or v.array.dtype.kind == "c" and function is np.cumprod:
            return None
        wide = {"f": "f8", "i": "i8", "u": "u8", "c": "c16"}[v.array.dtype.kind]
        with np.errstate(all="ignore"):
            return "", function(v.array, axis=k, dtype=wide).astype(v.array.dtype if v.array.dtype.kind in "fc" else wide)
    return over_dim(case)


def reshape(rng, v, _):
    factors, n = [], v.array.size
    for p in (2, 3, 5, 7, 11, 13):
        while n > 1 and n % p == 0:
            factors.append(p)
            n //= p
    shape = [1] * int(rng.integers(1, 5))
    if rng.integers(2):
        rng.shuffle(factors)
    cuts = sorted(int(x) for x in rng.integers(0, len(shape), len(factors)))
    for f, at in zip(factors + [n] if factors else [n], cuts + [len(shape) - 1]):
        shape[at] *= f
    dims = [NAMES[i] for i in rng.permutation(len(NAMES))[:len(shape)]]
    words = list(shape)
    if v.array.size and rng.integers(2):
        words[int(rng.integers(len(shape)))] = -1
    return [v], f"dims={text(dims, words)}", v.array.reshape(shape), dims


def ravel(rng, v, _):
    return [v], "dim=s", v.array.ravel(), ["s"]


def points(rng, v, _):
    k, n = int(rng.integers(1, len(v.dims) + 1)) if v.dims else 0, int(rng.integers(1, 9))
    if k == 0 or 0 in v.array.shape:
        return None
    dims, d = [v.dims[i] for i in rng.permutation(len(v.dims))[:k]], free(rng, v)
    at = [rng.integers(-v.length(x), v.length(x), n) for x in dims]
    rest = [x for x in v.dims if x not in dims]
    array = v.array.transpose([v.dims.index(x) for x in dims + rest])[tuple(at)]
    return [v], f"dims={','.join(dims)} at={','.join(str(x) for a in at for x in a)} to={d}", array, [d] + rest


def diagonal(rng, v, _):
    if len(v.dims) < 2:
        return None
    i, j = (int(x) for x in rng.permutation(len(v.dims))[:2])
    k, d = int(rng.integers(-5, 6)), free(rng, v)
    k = max(-v.array.shape[i], min(k, v.array.shape[j]))
    return [v], f"rows={v.dims[i]} columns={v.dims[j]} k={k} to={d}", np.diagonal(v.array, k, i, j), [x for x in v.dims if x not in (v.dims[i], v.dims[j])] + [d]


def coarsen(rng, v, _):
    if v.array.size == 0 or not ordinary(v) or not v.dims:
        return None
    sizes = {d: int(rng.integers(1, 4)) for d in v.dims if rng.integers(2)}
    how = pick(rng, ["min", "max"])
    out = v.array
    if any(v.length(d) < n for d, n in sizes.items()):
        return None
    for d, n in sizes.items():
        k = v.dims.index(d)
        out = np.take(out, np.arange(out.shape[k] // n * n), k)
        out = out.reshape(out.shape[:k] + (out.shape[k] // n, n) + out.shape[k + 1:])
        out = (np.fmin if how == "min" else np.fmax).reduce(out, k + 1)
    return [v], f"how={how} blocks={text(sizes, sizes.values())} trim=1", out, v.dims


def mask_of(v):
    return ("astype", [v], "dtype=bool")


def masked(function):
    """A function of an array and its own truth."""
    def case(rng, v, _):
        if not v.exact or not v.dims:
            return None
        return function(rng, v, v.array.astype(bool))
    return case


def compress_where(rng, v, is_true):
    if len(v.dims) != 1:
        return None
    return [v, mask_of(v)], "", v.array[is_true], v.dims


def sortable(v):
    """Complex numbers, too: by real parts, then by imaginary ones."""
    return ordinary(v) or v.array.dtype.kind == "c"


def ordered(function):
    """Sorting and the like: of what has an order, and only where no rounding decides it."""
    def case(rng, v, d, k):
        if not sortable(v) or not v.exact or v.array.shape[k] == 0:
            return None
        return function(rng, v.array, k)
    return over_dim(case)


def topk(rng, a, k):
    if a.dtype.kind in "fc" and np.isnan(a).any():
        return None
    n = int(rng.integers(1, a.shape[k] + 1))
    if rng.integers(2):
        return f"k=-{n}", np.take(np.sort(a, k), np.arange(n), k)
    return f"k={n}", np.take(np.flip(np.sort(a, k), k), np.arange(n), k)


def quantile(name, function):
    def case(rng, v, _):
        if not ordinary(v) or 0 in v.array.shape or not np.isfinite(v.array).any() or np.isinf(v.array).any():
            return None
        dims, q = [d for d in v.dims if rng.integers(2)], float(rng.integers(0, 101)) / 100
        if not dims:
            return None
        axes = tuple(v.dims.index(d) for d in dims)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = np.asarray(function(v.array.astype("f8"), q, axes))
        words = f"dims={','.join(dims)}" + (f" q={q}" if name == "quantile" else "")
        return [v], words, out.astype("f4" if v.array.dtype == "f4" else "f8"), [d for d in v.dims if d not in dims]
    return case


# --- counting ---

def bins_of(rng, v):
    """Between which edges, in words and for NumPy; some of what is outside of them lies on both sides."""
    n = int(rng.integers(1, 12))
    if rng.integers(2):
        edges = np.unique(np.round(rng.normal(0, 4, n + 1), 1))
        if edges.size > 1:
            return "edges=" + ",".join(map(repr, map(float, edges))), {"bins": edges}
    lo, hi = float(-rng.integers(1, 8)), float(rng.integers(1, 8))
    return f"bins={n} lo={lo} hi={hi}", {"bins": n, "range": (lo, hi)}


def histogram(rng, v, _):
    if not v.exact or not ordinary(v):
        return None
    words, how = bins_of(rng, v)
    dims = [d for d in v.dims if rng.integers(2)] or v.dims
    to = free(rng, v)
    kept = [d for d in v.dims if d not in dims]
    lanes = v.array.transpose([v.dims.index(d) for d in kept + dims]).reshape([v.length(d) for d in kept] + [int(np.prod([v.length(d) for d in dims]))])
    if lanes[..., :1].size > 4000:
        return None
    n = len(np.histogram([], **how)[0])
    out = np.array([np.histogram(lanes[i], **how)[0] for i in np.ndindex(lanes.shape[:-1])])
    return [v], f"{words} to={to}" + (f" dims={','.join(dims)}" if dims else ""), out.astype("i8").reshape(lanes.shape[:-1] + (n,)), kept + [to]


def histogram_edges(rng, v, _):
    if not v.exact or not ordinary(v):
        return None
    words, how = bins_of(rng, v)
    return [v], f"{words} to=s", np.histogram_bin_edges(v.array, **how), ["s"]


def histogram_of_two(several):
    def case(rng, v, others):
        other = pick(rng, others)
        if not (v.exact and other.exact and ordinary(v) and ordinary(other)):
            return None
        seen = aligned(v, other)
        if seen is None:
            return None
        x, y, dims = seen
        (words, how), (more, too), to = bins_of(rng, v), bins_of(rng, other), [n for n in NAMES if n not in dims][:2]
        if words.split("=")[0] != more.split("=")[0]:
            return None
        x, y = np.broadcast_arrays(x, y)
        ranges = [how["range"], too["range"]] if "range" in how else None
        out = np.histogram2d(x.ravel(), y.ravel(), bins=[how["bins"], too["bins"]], range=ranges)[0]
        both = [a.split("=")[0] + "=" + a.split("=")[1] + ";" + b.split("=")[1] for a, b in zip(words.split(" "), more.split(" "))]
        return [v, other], f"{' '.join(both)} to={';'.join(to)}" + (" weighted=0" if several else ""), out, to
    return case


def bincount(rng, v, others):
    if v.array.dtype.kind not in "iu" or v.array.dtype == "u8" or v.array.size == 0:
        return None
    if v.array.min() < 0 or v.array.max() > 1000:
        return None
    least, fixed = int(rng.integers(0, 12)), rng.integers(2)
    out = np.bincount(v.array.ravel(), minlength=least)
    return [v], f"to=s length={out.size}" if fixed else f"to=s least={least}", out, ["s"]


def digitize(rng, v, _):
    if not v.exact or not ordinary(v):
        return None
    bins, right = np.sort(np.round(rng.normal(0, 4, int(rng.integers(1, 9))), 1)), bool(rng.integers(2))
    if rng.integers(2):
        bins = bins[::-1]
    return [v], f"bins={','.join(map(repr, map(float, bins)))} right={int(right)}", np.digitize(v.array, bins, right), v.dims


def different(function):
    """Of arrays with elements that no rounding decides."""
    def case(rng, v, others):
        if not v.exact or not sortable(v):
            return None
        return function(v, pick(rng, [o for o in others if o.exact and o.array.dtype == v.array.dtype]))
    return case


def inverse(v, _):
    return [v], "", np.unique(v.array, return_inverse=True)[1].reshape(v.array.shape), v.dims


LOOKUPS = {
    "digitize": digitize, "unique": different(lambda v, o: ([v], "to=s", np.unique(v.array), ["s"])), "unique_inverse": different(inverse),
    "unique_counts": different(lambda v, o: ([v], "to=s", np.unique(v.array, return_counts=True)[1], ["s"])),
    "union1d": different(lambda v, o: ([v, o], "to=s", np.union1d(v.array, o.array), ["s"])), "isin": different(lambda v, o: ([v, o], "", np.isin(v.array, o.array), v.dims)),
}
CASES = {
    **LOOKUPS, "histogram": histogram, "histogram_bin_edges": histogram_edges, "histogram2d": histogram_of_two(False), "histogramdd": histogram_of_two(True),
    "bincount": bincount,
    "sort": ordered(lambda rng, a, k: ("", np.sort(a, k))), "argsort": ordered(lambda rng, a, k: ("", np.argsort(a, k, kind="stable"))), "topk": ordered(topk),
    "median": quantile("median", lambda a, q, axes: np.nanmedian(a, axes)), "quantile": quantile("quantile", lambda a, q, axes: np.nanquantile(a, q, axes)),
    "compress_where": masked(compress_where), "extract": masked(lambda rng, v, m: ([v, mask_of(v)], "to=s", v.array[m], ["s"])),
    "flatnonzero": masked(lambda rng, v, m: ([v], "to=s", np.flatnonzero(m), ["s"])),
    "argwhere": masked(lambda rng, v, m: ([v], "to=s axis=r", np.argwhere(m), ["s", "r"])),
    "reshape": reshape, "ravel": ravel, "points": points, "diagonal": diagonal, "coarsen": coarsen,
    "full": full, "zeros": constant(0), "ones": constant(1), "full_like": like(None), "zeros_like": like(0), "ones_like": like(1), "arange": arange,
    "linspace": linspace, "eye": eye(np.eye), "tri": eye(np.tri), "diag": diag, "indices": indices,
    "transpose": transpose, "swapaxes": swapaxes, "moveaxis": over_dim(moveaxis), "slice": over_dim(slices), "at": over_dim(at), "take": over_dim(take),
    "compress": over_dim(compress), "select": over_dim(select), "flip": flip, "shift": over_dim(shift), "rot90": rot90, "pad": over_dim(pad),
    "roll": over_dim(lambda rng, v, d, k: (lambda n: (f"by={n}", np.roll(v.array, n, k)))(int(rng.integers(-9, 10)))),
    "repeat": copies(np.repeat), "tile": copies(lambda a, n, k: np.concatenate([a] * n, k) if n else np.take(a, [], k)),
    "expand": expand, "squeeze": squeeze, "rename": over_dim(rename), "broadcast_to": broadcast_to, "by_position": by_position, "concatenate": concatenate, "stack": stack, "block": block,
    "tril": triangle(np.tril), "triu": triangle(np.triu), "assign": assign, "assign_where": assign_where, "astype": astype, "rechunk": rechunked,
    "diff": over_dim(diff), "gradient": over_dim(gradient), "sliding_window": over_dim(sliding_window), "cumsum": running(np.cumsum), "cumprod": None,
}
CASES["cumprod"] = running(np.cumprod)
INEXACT = {"median", "quantile", "linspace", "gradient", "cumsum", "cumprod", "pad"}
