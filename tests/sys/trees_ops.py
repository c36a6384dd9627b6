"""What NumPy makes of elementwise operations, reductions, products, factorisations, transforms, windows and functions of one's own: the rest of trees_model.py.

An operand of a case is a value of the tree or a call of its own, (function, operands, arguments). A case's fifth result is the function that is called last, where that
is another one: factors are multiplied again, so that what NumPy has is what came in."""
import math
import warnings

import numpy as np

from trees_model import NAMES, aligned, free, pick, pick_dim

# --- elementwise ---

WIDE = {"f4": "f8", "c8": "c16"}
TRUTHS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isfinite", "isinf",
          "isposinf", "isneginf", "signbit", "as_bool"}
CASTS = {"as_i8": "i1", "as_i16": "i2", "as_i32": "i4", "as_i64": "i8", "as_u8": "u1", "as_u16": "u2", "as_u32": "u4", "as_u64": "u8", "as_f32": "f4", "as_f64": "f8",
         "as_c64": "c8", "as_c128": "c16", "as_bool": "b1"}
WHOLE = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift", "gcd", "lcm"}
NUMBERS = {"add", "subtract", "multiply", "floor_divide", "remainder", "power", "negative", "absolute", "square", "positive", "conjugate", "real", "imag", "sign", "fmod",
           "reciprocal", "minimum", "maximum", "fmin", "fmax", "clip", "where"}
COMPLEX = {"add", "subtract", "multiply", "divide", "negative", "positive", "square", "reciprocal", "conjugate", "rint", "sign", "minimum", "maximum", "fmin", "fmax", "real", "imag",
           "where", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isfinite", "isinf",
           "absolute", "angle", "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "power", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos",
           "arctan", "arcsinh", "arccosh", "arctanh", "as_bool", "as_c64", "as_c128"}
# Within an ulp instead of equal; of complex numbers also what multiplies, whose order NumPy leaves to the machine.
SMOOTH = {"bessel_i0e", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
          "cbrt", "hypot", "power", "degrees", "radians", "angle", "student_p"}
ROUGH = SMOOTH | {"multiply", "divide", "square", "reciprocal", "absolute", "sqrt"}
# Small errors stay small.
STEADY = {"add", "subtract", "multiply", "negative", "absolute", "square", "positive", "conjugate", "real", "imag", "minimum", "maximum", "fmin", "fmax", "clip", "fabs", "sin", "cos",
          "tanh", "arctan", "arcsinh", "degrees", "radians", "make_complex", "exp", "as_f32", "as_f64", "as_c64", "as_c128", "hypot"}
# A zero's sign matters, which is that of NumPy's only where it was read.
SIGNED = {"divide", "reciprocal", "copysign", "signbit", "arctan2", "angle", "nextafter", "power"}
ARITY = {2: {"add", "subtract", "multiply", "divide", "floor_divide", "remainder", "power", "fmod", "minimum", "maximum", "fmin", "fmax", "copysign", "nextafter", "heaviside", "ldexp",
             "arctan2", "hypot", "student_p", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "gcd", "lcm", "make_complex", "equal", "not_equal", "less", "less_equal", "greater",
             "greater_equal", "logical_and", "logical_or", "logical_xor"}, 3: {"clip", "where"}}
OPS = (TRUTHS | set(CASTS) | WHOLE | NUMBERS | COMPLEX | SMOOTH | ARITY[2] | ARITY[3]
       | {"mantissa", "exponent", "bessel_i0e", "sqrt", "floor", "ceil", "rint", "trunc", "fabs", "spacing", "nan_to_zero"})


def make_complex(a, b):
    out = np.empty(np.broadcast(a, b).shape, np.result_type(a.dtype, "c8"))
    out.real, out.imag = a, b
    return out


def student_p(t, freedom):
    """By integrating the density of the angle."""
    out = t.dtype if t.dtype.kind == "f" else np.dtype("f8")
    t, freedom = np.broadcast_arrays(t.astype("f8"), freedom.astype("f8"))
    at, weight = (x.reshape(-1, *[1] * t.ndim) / 2 for x in np.polynomial.legendre.leggauss(80))
    far = np.arctan(np.abs(t) / np.sqrt(freedom))
    size = np.vectorize(lambda f: math.exp(math.lgamma((f + 1) / 2) - math.lgamma(f / 2)) / math.sqrt(math.pi))
    return (1 - 2 * far * (weight * np.cos((at + 0.5) * far) ** (freedom - 1)).sum(0) * size(freedom)).astype(out)


NUMPY = {"student_p": student_p, "mantissa": lambda a: np.frexp(a)[0], "exponent": lambda a: np.where(np.isfinite(a), np.frexp(a)[1], 0).astype(np.frexp(a)[0].dtype),
         "bessel_i0e": lambda a: np.where(np.abs(a) < 300, np.i0(np.clip(a, -300, 300).astype("f8")) * np.exp(-np.abs(np.clip(a, -300, 300).astype("f8"))), np.nan).astype(np.sqrt(a).dtype), "make_complex": make_complex, "nan_to_zero": lambda a: np.where(np.isnan(a), a.dtype.type(0), a) if a.dtype.kind == "f" else a.astype("f8"), "where": lambda c, a, b: np.where(c != 0, a, b), "real": np.real,
         "imag": lambda a: np.imag(a) if a.dtype.kind == "c" else np.zeros_like(a)}


def defined(name, kinds):
    """For elements of these kinds, in NumPy and here."""
    if "c" in kinds:
        return name in COMPLEX
    if name in WHOLE:
        return not kinds & set("fb")
    return "b" not in kinds or name.startswith(("logical", "equal", "not_equal", "as_"))


def sensible(name, a):
    """Arguments for which NumPy's result is defined and says something; a: the operands, of one type but for conditions and shifts."""
    kind = a[-1].dtype.kind
    finite = all(np.isfinite(x).all() for x in a)
    if name in ("negative", "subtract", "absolute") and kind == "u" or name in ("left_shift", "right_shift") and ((a[1] < 0) | (a[1] > 7)).any():
        return False
    if name == "power" and (kind in "iu" and (a[1] < 0).any() or kind != "i" and (not finite or max((np.abs(x).max(initial=0) for x in a), default=0) > 50)):
        return False
    if name in ("floor_divide", "remainder", "fmod", "gcd", "lcm", "reciprocal") and kind in "iu" and (a[-1] == 0).any() or name in ("floor_divide", "remainder", "fmod", "clip") and kind == "f" and not finite:
        return False
    if name in ("sin", "cos", "tan") and max(np.abs(x[np.isfinite(x)]).max(initial=0) for x in a) > 1e4:
        return False
    if kind == "c" and name in ROUGH and not finite:
        return False
    if name in CASTS and CASTS[name][0] in "iu" and kind == "f":
        most = np.iinfo(CASTS[name]).max // 2
        return finite and np.abs(a[0]).max(initial=0) < most and (CASTS[name][0] == "i" or (a[0] > -1).all())
    if name == "student_p":
        return finite and 0 < a[1].size < 500 and (a[1] >= 1).all() and (a[1] < 60).all() and (np.abs(a[0]) < 4).all()
    if name == "bessel_i0e":
        return finite and np.abs(a[0]).max(initial=0) < 300
    if name == "ldexp":
        return kind in "i" and finite
    return True


def elementwise(rng, name, values):
    """(operands, array, dimensions, whether it is exact) or None."""
    arity = next((n for n, names in ARITY.items() if name in names), 1)
    operands = [pick(rng, values) for _ in range(arity)]
    seen = aligned(*operands)
    if seen is None or name not in STEADY and not all(v.exact for v in operands):
        return None
    arrays, dims = list(seen[:-1]), seen[-1]
    first = 1 if name == "where" else 0
    if len(dims) > 4:
        return None
    if name == "ldexp":
        if arrays[0].dtype != "f8" or arrays[1].dtype.str[1:] not in ("i1", "i2", "i4"):
            return None
    else:
        common = arrays[first].dtype
        for a in arrays[first:]:
            common = np.promote_types(common, a.dtype)
        arrays[first:] = [a.astype(common) for a in arrays[first:]]
    kinds, narrow = {a.dtype.kind for a in arrays[first:]}, arrays[-1].dtype.str[1:] in ("i1", "i2", "u1", "u2")
    if not defined(name, kinds) or not sensible(name, arrays):
        return None
    if narrow and name not in NUMBERS | TRUTHS | WHOLE | set(CASTS) | {"ldexp"}:
        return None  # NumPy computes them in half precision, which Varve does not have
    if name in SIGNED | (SMOOTH | {"sqrt"} if "c" in kinds else set()) and any((x == 0).any() for v in operands for x in (v.array.real, v.array.imag)) and not all(v.read for v in operands):
        return None
    function = NUMPY.get(name) or (lambda a: a.astype(CASTS[name])) if name in CASTS else NUMPY.get(name) or getattr(np, name)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            array = np.asarray(function(*arrays))
            if name in SMOOTH and array.dtype.str[1:] in WIDE.keys() | {"f4"} and kinds <= set("fc"):
                array = np.asarray(function(*[a.astype(WIDE.get(a.dtype.str[1:], a.dtype)) for a in arrays])).astype(array.dtype)
        except TypeError:
            return None
    if name in TRUTHS:
        array = array.astype(bool)
    exact = name not in SMOOTH and not ("c" in kinds and name in ROUGH)
    return operands, array, dims, exact


# --- reductions ---


def there(x):
    return ~np.isnan(x) if x.dtype.kind in "fc" else np.ones(x.shape, bool)


def standard(power):
    def moment(x, axis, ddof=0):
        d = x - np.nanmean(x, axis, keepdims=True)
        return np.nanmean(d ** power, axis) / np.nanmean(d ** 2, axis) ** (power / 2) - (3 if power == 4 else 0)
    return moment


def extreme(function, other):
    def place(x, axis):
        lanes = np.moveaxis(x, axis, tuple(range(-len(axis), 0))).reshape([n for d, n in enumerate(x.shape) if d not in axis] + [-1])
        ok = there(lanes)
        return np.where(ok.any(-1), function(np.where(ok, lanes, other), -1), -1)
    return place


def end(last):
    def found(x, axis):
        lanes = np.moveaxis(x, axis, tuple(range(-len(axis), 0))).reshape([n for d, n in enumerate(x.shape) if d not in axis] + [-1])
        ok = there(lanes)
        at = lanes.shape[-1] - 1 - np.argmax(ok[..., ::-1], -1) if last else np.argmax(ok, -1)
        return np.take_along_axis(lanes, at[..., None], -1)[..., 0]
    return found


SKIPPING = {"sum": np.nansum, "prod": np.nanprod, "min": np.nanmin, "max": np.nanmax, "mean": np.nanmean, "var": np.nanvar, "std": np.nanstd,
            "range": lambda x, axis: np.nanmax(x, axis) - np.nanmin(x, axis), "count": lambda x, axis: there(x).sum(axis), "count_nonzero": lambda x, axis: ((x != 0) & there(x)).sum(axis),
            "any": lambda x, axis: ((x != 0) & there(x)).any(axis), "all": lambda x, axis: ((x != 0) | ~there(x)).all(axis),
            "norm": lambda x, axis: np.sqrt(np.nansum(np.abs(x) ** 2, axis)), "skew": standard(3), "kurtosis": standard(4), "first": end(False), "last": end(True),
            "argmin": extreme(np.argmin, np.inf), "argmax": extreme(np.argmax, -np.inf)}
KEEPING = {"sum": np.sum, "prod": np.prod, "min": np.min, "max": np.max, "mean": np.mean, "var": np.var, "std": np.std}
COUNTS = {"count", "count_nonzero", "argmin", "argmax"}
TRUE = {"any", "all"}
PICKED = {"min", "max", "first", "last"}
OF_COMPLEX = {"sum", "prod", "mean", "var", "std", "any", "all", "count", "count_nonzero", "norm", "first", "last"}


def reduction(rng, name, v):
    """(arguments, array, dimensions, exact, scale) or None."""
    dims = [d for d in v.dims if rng.integers(2)]
    axes = tuple(v.dims.index(d) for d in dims)
    x, kind = v.array, v.array.dtype.kind
    if not dims or 0 in x.shape or kind == "b" and name not in TRUE or not v.exact and name in TRUE | COUNTS | {"skew", "kurtosis"}:
        return None
    if kind == "c" and name not in OF_COMPLEX or name in COUNTS and kind == "f" and np.isinf(x).any() and name.startswith("arg"):
        return None
    ok = x[there(x)]
    if not np.isfinite(ok).all() and name not in PICKED | COUNTS | TRUE | {"sum", "mean"} or kind == "c" and not np.isfinite(ok).all():
        return None
    if name == "prod" and v.scale > 9 or name in ("first", "last") and len(dims) > 1:
        return None
    words, keep, ddof = "", name in KEEPING and rng.integers(3) == 0, 0
    if name in ("var", "std") and rng.integers(2):
        ddof = 1
        words = " ddof=1"
    if name in ("first", "last"):
        if not there(x).any(axes).all():
            return None
    wide = x if kind in "iub" and name != "norm" or name in PICKED | COUNTS | TRUE else x.astype("c16" if kind == "c" else "f8")
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        more = {"ddof": ddof} if ddof else {}
        array = np.asarray((KEEPING if keep else SKIPPING)[name](wide, axis=axes, **more))
        if name in ("skew", "kurtosis"):
            lanes = np.nanvar(wide, axis=axes)
            if not (lanes > 1e-3 * v.scale ** 2).all():
                return None
    if name in ("var", "std") and not (there(x).sum(axes) > ddof).all():
        return None
    if name in COUNTS | TRUE:
        array = array.astype("i8" if name in COUNTS else bool)
    elif kind == "f":
        array = array.astype(x.dtype)
    elif kind == "c":
        array = array.astype(x.dtype if array.dtype.kind == "c" else x.real.dtype) if name not in TRUE else array
    elif name in ("range", "norm", "first", "last"):
        array = array.astype(x.dtype if name != "norm" else "f8")
    if rng.integers(5) == 0:
        words += " keep_dims=1"
        array = np.expand_dims(array, axes)
        left = v.dims
    else:
        left = [d for d in v.dims if d not in dims]
    exact = name in PICKED | COUNTS | TRUE or kind in "iu" and name in ("sum", "prod", "range")
    scale = v.scale * x.size if name in ("sum", "norm") else v.scale ** 2 if name == "var" else v.scale
    return f"dims={','.join(dims)}" + (" keep_nan=1" if keep else "") + words, array, left, exact, scale


# --- windows, running and weighted statistics ---


def real(v):
    return v.array.dtype.kind in "iuf"


def as_result(array, v):
    return np.asarray(array).astype("f4" if v.array.dtype == "f4" else "f8")


def rolling(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or v.array.dtype.kind != "f" or v.array.size == 0 or np.isinf(v.array).any():
        return None
    k, n, how, least, centered = v.dims.index(d), int(rng.integers(1, 7)), pick(rng, ["mean", "sum", "min", "max", "count"]), 0, bool(rng.integers(2))
    least = int(rng.integers(0, n + 1))
    lanes, out = np.moveaxis(v.array, k, -1).astype("f8"), np.empty(np.moveaxis(v.array, k, -1).shape)
    for i in range(lanes.shape[-1]):
        last = i + (n - 1) // 2 if centered else i
        seen = lanes[..., max(0, last - n + 1):min(last + 1, lanes.shape[-1])]
        count = there(seen).sum(-1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = {"mean": np.nanmean, "sum": np.nansum, "min": np.nanmin, "max": np.nanmax, "count": lambda x, axis: there(x).sum(axis)}[how](seen, axis=-1) if seen.shape[-1] else np.nan
        out[..., i] = np.where(count >= (least or n), value, np.nan)
    return [v], f"dim={d} n={n} how={how} least={least} centered={int(centered)}", np.moveaxis(as_result(out, v), -1, k), v.dims


def cumulative(rng, v, others):
    d, how = pick_dim(rng, v), pick(rng, ["sum", "min", "max"])
    if d is None or v.array.dtype.kind not in "iuf" or not np.isfinite(v.array).all():
        return None
    k, wide = v.dims.index(d), {"f": "f8", "i": "i8", "u": "u8"}[v.array.dtype.kind]
    out = {"sum": np.add, "min": np.minimum, "max": np.maximum}[how].accumulate(v.array.astype(wide), k)
    return [v], f"dim={d} how={how}", out.astype(v.array.dtype if v.array.dtype.kind == "f" or how != "sum" else wide), v.dims


def over_some(rng, v):
    dims = [d for d in v.dims if rng.integers(2)]
    return dims, tuple(v.dims.index(d) for d in dims), [d for d in v.dims if d not in dims]


def moment(rng, v, others):
    dims, axes, left = over_some(rng, v)
    order = int(rng.integers(0, 5))
    if not dims or v.array.dtype.kind not in "iuf" or v.array.size == 0 or not np.isfinite(v.array).all() or v.scale > 1e70:
        return None
    x = v.array.astype("f8")
    out = np.mean((x - x.mean(axes, keepdims=True)) ** order, axes) if order != 1 else np.zeros_like(x.mean(axes))
    return [v], f"order={order} dims={','.join(dims)}", as_result(out, v), left, None, (2 * v.scale) ** max(order, 1)


def weighted(rng, v, others):
    w, how = pick(rng, others), pick(rng, ["sum", "mean", "var", "std", "sum_of_weights"])
    seen = aligned(v, w)
    if seen is None or not real(v) and v.array.dtype.kind != "c" or not real(w) or w.array.dtype.str[1:] in ("i1", "i2", "u1", "u2") or v.array.dtype.kind == "c" and how == "sum_of_weights":
        return None
    x, weight, all_dims = seen
    dims = [d for d in all_dims if rng.integers(2)] or all_dims
    axes, left = tuple(all_dims.index(d) for d in dims), [d for d in all_dims if d not in dims]
    x, weight = np.broadcast_arrays(x.astype("c16" if x.dtype.kind == "c" else "f8"), np.exp(np.tanh(weight.astype("f8"))))
    if not dims or x.size == 0 or not np.isfinite(x).all() or not np.isfinite(weight).all() or v.scale > 1e150:
        return None
    total = weight.sum(axes)
    mean = (x * weight).sum(axes, keepdims=True) / weight.sum(axes, keepdims=True)
    var = (np.abs(x - mean) ** 2 * weight).sum(axes) / total
    out = {"sum": lambda: (x * weight).sum(axes), "mean": lambda: mean.reshape(total.shape), "var": lambda: var, "std": lambda: np.sqrt(var), "sum_of_weights": lambda: total}[how]()
    if how == "std" and (var < 1e-6 * v.scale ** 2).any():
        return None
    kinds = np.promote_types(v.array.dtype if v.array.dtype.kind in "fc" else "f8", w.array.dtype if w.array.dtype.kind == "f" else "f8")
    if how in ("var", "std"):
        kinds = np.empty(0, kinds).real.dtype
    if how == "sum_of_weights":
        kinds = w.array.dtype if w.array.dtype.kind == "f" else np.dtype("f8")
    return ([v, ("exp", [("tanh", [w], "")], "")], f"how={how} dims={','.join(dims)}", out.astype(kinds), left, None, 3 * x.size * max(v.scale, 1) ** 2)


def fitted(rng, v, d):
    """x, y and the axis of a line by least squares along positions."""
    k = v.dims.index(d) if d else 0
    if d is None or not real(v) or v.array.size == 0 or v.length(d) < 2 or not np.isfinite(v.array).all():
        return None
    y = v.array.astype("f8")
    x = np.arange(y.shape[k], dtype="f8").reshape([-1 if i == k else 1 for i in range(y.ndim)])
    slope = ((x - x.mean()) * (y - y.mean(k, keepdims=True))).sum(k, keepdims=True) / ((x - x.mean())**2).sum()
    return k, slope, y.mean(k, keepdims=True) - slope * x.mean(), y - y.mean(k, keepdims=True) - slope * (x - x.mean())


def trend(rng, v, others):
    d, what = pick_dim(rng, v), pick(rng, ["slope", "intercept"])
    fit = fitted(rng, v, d)
    if fit is None:
        return None
    k, slope, intercept, _ = fit
    return [v], f"dim={d} what={what} per=step", as_result((slope if what == "slope" else intercept).squeeze(k), v), [x for x in v.dims if x != d], None, 4 * v.scale


def detrend(rng, v, others):
    d = pick_dim(rng, v)
    fit = fitted(rng, v, d)
    return None if fit is None else ([v], f"dim={d} per=step", as_result(fit[3], v), v.dims, None, 4 * v.scale)


def harmonics(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or not real(v) or v.array.size == 0 or v.length(d) < 2 or not np.isfinite(v.array).all():
        return None
    k, n = v.dims.index(d), int(rng.integers(1, v.length(d) // 2 + 1))
    waves = np.fft.rfft(v.array.astype("f8"), axis=k)
    kept = np.arange(waves.shape[k]).reshape([-1 if i == k else 1 for i in range(waves.ndim)]) <= n
    return [v], f"dim={d} n={n}", as_result(np.fft.irfft(waves * kept, v.length(d), axis=k), v), v.dims, None, 4 * v.scale


def circular_mean(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or v.array.dtype.kind != "f" or v.array.size == 0 or not np.isfinite(v.array).all():
        return None
    k, n = v.dims.index(d), int(rng.integers(1, v.length(d) + 1))
    out = np.mean([np.roll(v.array.astype("f8"), n // 2 - i, k) for i in range(n)], 0)
    return [v], f"dim={d} n={n}", as_result(out, v), v.dims, None, 4 * v.scale


def eof(rng, v, others):
    """Fractions, which have no sign."""
    d = pick_dim(rng, v)
    if d is None or not real(v) or v.array.ndim < 2 or v.array.size == 0 or v.array.size > 2000 or v.length(d) < 3 or not np.isfinite(v.array).all() or "mode" in v.dims or v.scale > 1e70:
        return None
    x = np.moveaxis(v.array.astype("f8"), v.dims.index(d), 0).reshape(v.length(d), -1)
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2
    n = int(rng.integers(1, len(s) + 1))
    if not s.sum() > 1e-6 * v.scale ** 2:
        return None
    return [v], f"dim={d} n={n} part=fraction", s[:n] / s.sum(), ["mode"], None, 100


def pairs(rng, v, others):
    w = pick(rng, others)
    seen = aligned(v, w)
    if seen is None or not real(v) or not real(w):
        return None
    x, y, all_dims = seen
    dims = [d for d in all_dims if rng.integers(2)] or all_dims
    axes, left = tuple(all_dims.index(d) for d in dims), [d for d in all_dims if d not in dims]
    x, y = np.broadcast_arrays(x.astype("f8"), np.tanh(y.astype("f8")))
    if not dims or x.size == 0 or not np.isfinite(x).all() or not np.isfinite(y).all() or w.array.dtype.str[1:] in ("i1", "i2", "u1", "u2"):
        return None
    out = ((x - x.mean(axes, keepdims=True)) * (y - y.mean(axes, keepdims=True))).mean(axes)
    single = v.array.dtype == "f4" and w.array.dtype == "f4"
    return [v, ("tanh", [w], "")], f"what=cov dims={','.join(dims)}", out.astype("f4" if single else "f8"), left, None, 4 * max(v.scale, 1)


def searchsorted(rng, v, others):
    table = pick(rng, others)
    if len(table.dims) != 1 or table.array.size == 0 or not (v.exact and table.exact and real(v)) or v.array.dtype != table.array.dtype or not np.isfinite(table.array).all():
        return None
    right = bool(rng.integers(2))
    out = np.searchsorted(np.sort(table.array), v.array, "right" if right else "left")
    return [("sort", [table], f"dim={table.dims[0]}"), v], f"right={int(right)}", np.asarray(out).astype("i8"), v.dims


def argtopk(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or not real(v) or not v.exact or v.length(d) == 0:
        return None
    k, n = v.dims.index(d), int(rng.integers(1, v.length(d) + 1))
    least = bool(rng.integers(2))
    lanes = np.moveaxis(v.array, k, -1)
    rank = np.unique(lanes, return_inverse=True)[1].reshape(lanes.shape)
    order = np.argsort(np.where(there(lanes), rank if least else -rank, 1 << 40), -1, kind="stable")[..., :n]
    out = np.where(np.take_along_axis(there(lanes), order, -1), order, -1)
    return [v], f"k={-n if least else n} dim={d}", np.moveaxis(out, -1, k).astype("i8"), v.dims


# --- products, factorisations, transforms ---


def numbers(v, complex_too=True):
    return (real(v) or complex_too and v.array.dtype.kind == "c") and v.array.size > 0 and np.isfinite(v.array).all()


def matmul(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or len(v.dims) > 2 or v.array.dtype == bool or v.array.dtype.kind in "fc" and not numbers(v):
        return None
    k, left = v.dims.index(d), [x for x in v.dims if x != d]
    to = free(rng, v)
    wide = v.array.astype({"f": "f8", "c": "c16"}.get(v.array.dtype.kind, v.array.dtype))
    with np.errstate(all="ignore"):
        out = np.asarray(np.tensordot(wide, wide, (k, k))).astype(v.array.dtype)
    return [v, ("rename", [v], f"dim={left[0]} to={to}") if left else v], f"dim={d}", out, left + ([to] if left else []), None, v.scale ** 2 * (v.length(d) + 1)


def einsum(rng, v, others):
    """Diagonals, sums, products of any terms, ellipses."""
    n = len(v.dims)
    if v.array.dtype.kind == "b" or not 1 <= n <= 3 or v.array.dtype.kind in "fc" and not numbers(v) or v.array.size == 0:
        return None
    letters, w = "ijk"[:n], wide_as_numpy(v)
    tidy = lambda text, *a: np.asarray(np.einsum(text, *a)).astype(v.array.dtype)
    kind = int(rng.integers(5))
    if kind == 0:
        out = "".join(rng.permutation(list(letters))[:int(rng.integers(0, n + 1))])
        return [v], f"letters={letters}->{out}", tidy(f"{letters}->{out}", w), [v.dims[letters.index(x)] for x in out], None, v.scale * v.array.size
    if kind == 1:
        return [v, v], f"letters=...{letters[-1]},...{letters[-1]}->...", tidy("...a,...a->...", w, w), v.dims[:-1], None, v.scale ** 2 * v.array.size
    if kind == 2 and n == 2:
        square = ("matmul", [v, ("rename", [v], f"dim={v.dims[0]} to=p_")], f"dim={v.dims[1]}")
        g = np.asarray(w @ w.T)
        which = pick(rng, ["ii->i", "ii", "ii,ij->j"])
        dims = {"ii->i": [v.dims[0]], "ii": [], "ii,ij->j": [v.dims[1]]}[which]
        more = [v] if "," in which else []
        return [square] + more, f"letters={which}", tidy(which, g, *([w] if more else [])), dims, None, v.scale ** 3 * v.array.size ** 2
    if kind == 3 and n == 2:
        return [v, v, v], "letters=ij,kj,kl->il", tidy("ij,kj,kl->il", w, w, w), [v.dims[0], "l" if v.dims[1] in v.dims[:1] else v.dims[1]], None, v.scale ** 3 * v.array.size ** 2
    return [v, v], f"letters={letters},{letters}", tidy(f"{letters},{letters}", w, w), [], None, v.scale ** 2 * v.array.size


def wide_as_numpy(v):
    return v.array.astype({"f": "f8", "c": "c16"}.get(v.array.dtype.kind, v.array.dtype))


def tensordot(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or v.array.dtype == bool or len(v.dims) > 2 or v.array.dtype.kind in "fc" and not numbers(v):
        return None
    k, to, other = v.dims.index(d), [f"{x}_" for x in v.dims], v
    while set(to) & set(v.dims):
        to = [f"{x}_" for x in to]
    for x, y in zip(v.dims, to):
        other = ("rename", [other], f"dim={x} to={y}")
    w = wide_as_numpy(v)
    with np.errstate(all="ignore"):
        out = np.asarray(np.tensordot(w, w, (k, k))).astype(v.array.dtype)
    return [v, other], f"left={d} right={to[k]}", out, [x for x in v.dims if x != d] + [x for x in to if x != to[k]], None, v.scale ** 2 * (v.length(d) + 1)


def covariance(function):
    def case(rng, v, others):
        if len(v.dims) != 2 or not numbers(v) or v.array.dtype == bool:
            return None
        k = int(rng.integers(2))
        x = np.moveaxis(wide(v), k, -1)
        spread = x.std(-1)
        if x.shape[1] < 2 or function is np.corrcoef and (spread < 1e-3 * v.scale).any() or v.scale > 1e6:
            return None
        out = np.asarray(function(x)).reshape(len(x), len(x))
        return [v], f"dim={v.dims[k]} other=o_", out.astype(plain(v).dtype), [v.dims[1 - k], "o_"], None, 100 * v.scale ** 2 + 1
    return case


def composed(name, function, complex_too=False, arity=1):
    """Functions that are made of elementwise ones."""
    def case(rng, v, others):
        w = pick(rng, others) if arity == 2 else v
        seen = aligned(v, w)
        if seen is None or not all(x.exact and (real(x) or complex_too and x.array.dtype.kind == "c") and x.array.dtype.str[1:] not in ("i1", "i2", "u1", "u2") for x in (v, w)):
            return None
        a, b, dims = seen
        if arity == 2:
            common = np.promote_types(a.dtype, b.dtype)
            a, b = a.astype(common), b.astype(common)
        if max(np.abs(x[np.isfinite(x)]).max(initial=0) for x in (a, b)) > 100 or a.dtype.kind == "c" and not np.isfinite(a).all():
            return None
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            words, out = function(rng, *((a, b) if arity == 2 else (a,)))
        return [v, w][:arity], words, np.asarray(out), dims, None, 1000.0 if name == "float_power" and np.isfinite(out).all() and np.abs(out).max(initial=0) > 1e3 else None
    return case


def parts_of(names, function):
    def case(rng, a):
        k = int(rng.integers(2))
        a = a if a.dtype.kind == "f" else a.astype("f8")
        out = function(a)[k]
        return f"part={names[k]}", np.where(np.isfinite(a), out, 0 if names[k] in ("exponent",) else out).astype(out.dtype)
    return case


def rounded(rng, a):
    digits = int(rng.integers(-2, 4))
    return f"digits={digits}", np.round(a, digits)


def numbered(rng, a):
    """The greatest number there is, in the place of an infinity, overflows in whatever follows, in one order or the other: only where there is none."""
    if np.isinf(a).any() or rng.integers(2):
        return "nan=3 posinf=7 neginf=-8", np.nan_to_num(a, nan=3, posinf=7, neginf=-8)
    return "", np.nan_to_num(a)


def close(all_of):
    def case(rng, a, b):
        rtol, same = float(rng.integers(1, 4)) / 2, bool(rng.integers(2))
        out = np.isclose(a, b, rtol=rtol, atol=0.25, equal_nan=same)
        return f"rtol={rtol} atol=0.25 equal_nan={int(same)}", out
    return case


def allclose(rng, v, others):
    made = composed("isclose", close(True), True, 2)(rng, v, others)
    return made and (*made[:2], np.asarray(made[2].all()), [])


def powered(rng, a, b):
    """Of no negative bases and moderate exponents."""
    return "", np.float_power(a, b) if a.dtype.kind != "c" else np.float_power(a.astype("c16"), b.astype("c16"))


def float_power(rng, v, others):
    if not real(v) or (v.array < 0).any() or not np.isfinite(v.array).all() or v.scale > 20:
        return None
    w = pick(rng, [o for o in others if real(o) and np.isfinite(o.array).all() and o.scale < 20] or [v])
    return composed("float_power", powered, False, 2)(rng, v, [w]) if not (v.array == 0).any() else None


def vdot(rng, v, others):
    if not numbers(v) or not v.dims:
        return None
    w = wide_as_numpy(v)
    out = np.asarray(np.vdot(w, w)).astype(v.array.dtype)
    return [v, v], "", out, [], None, v.scale ** 2 * v.array.size


COMPOSED = {
    "isclose": composed("isclose", close(False), True, 2), "allclose": allclose, "iscomplex": composed("iscomplex", lambda rng, a: ("", np.iscomplex(a)), True),
    "isreal": composed("isreal", lambda rng, a: ("", np.isreal(a)), True), "logaddexp": composed("logaddexp", lambda rng, a, b: ("", np.logaddexp(a, b)), False, 2),
    "logaddexp2": composed("logaddexp2", lambda rng, a, b: ("", np.logaddexp2(a, b)), False, 2), "sinc": composed("sinc", lambda rng, a: ("", np.sinc(np.atleast_1d(a)).reshape(a.shape))),
    "i0": composed("i0", lambda rng, a: ("", np.i0(a.astype("f8")).astype(a.dtype if a.dtype == "f4" else "f8"))), "float_power": float_power, "round": composed("round", rounded, True),
    "nan_to_num": composed("nan_to_num", numbered), "frexp": composed("frexp", parts_of(("mantissa", "exponent"), np.frexp)),
    "modf": composed("modf", parts_of(("fraction", "whole"), np.modf)), "vdot": vdot,
}


def plain(v):
    """As factorisations give it back."""
    return v.array if v.array.dtype.kind in "fc" else v.array.astype("f8")


def matrix(v):
    return len(v.dims) == 2 and numbers(v) and v.scale < 1e3


def wide(v):
    return plain(v).astype("c16" if v.array.dtype.kind == "c" else "f8")


def real_type(v):
    return plain(v).real.dtype


def qr(rng, v, others):
    part = lambda p: ("qr", [v], f"to=k_ part={p}")
    return ([part("q"), part("r")], "dim=k_", plain(v), v.dims, "matmul", 10 * v.scale + 1e-3) if matrix(v) else None


def svd(rng, v, others):
    part = lambda p: ("svd", [v], f"to=k_ part={p}")
    return ([("multiply", [part("u"), part("s")], ""), part("v")], "dim=k_", plain(v), v.dims, "matmul", 30 * v.scale + 1e-3) if matrix(v) else None


def svd_compressed(rng, v, others):
    if not matrix(v):
        return None
    n = min(v.array.shape)
    return [v], f"to=k_ k={n} part=s iterations=1 seed=3", np.linalg.svd(wide(v), compute_uv=False).astype(real_type(v)), ["k_"], None, 100 * v.scale * v.array.size + 1e-3


def lu(rng, v, others):
    """Rows come in another order, so all columns are sorted."""
    if not matrix(v) or not real(v):
        return None
    n, (r, c) = min(v.array.shape), v.dims
    square = ("slice", [("slice", [v], f"dim={r} start=0 stop={n}")], f"dim={c} start=0 stop={n}")
    with np.errstate(all="ignore"):
        a = plain(v)[:n, :n].astype("f8")
        if np.linalg.matrix_rank(a) < n:
            return None
    part = lambda p: ("lu", [square], f"to=k_ part={p}")
    return [("matmul", [part("l"), part("u")], "dim=k_")], f"dim={r}", np.sort(a, 0).astype(plain(v).dtype), v.dims, "sort", 1e3 * v.scale + 1e-3


def positive(v):
    """v v' + 1, as calls with the dimensions (r, p_): positive definite. And it."""
    r, c = v.dims
    other = ("rename", [v], f"dim={r} to=p_")
    if v.array.dtype.kind == "c":
        other = ("conjugate", [other], "")
    x = wide(v)
    return ("add", [("matmul", [v, other], f"dim={c}"), ("eye", [], f"dims={r}:{len(x)},p_:{len(x)} dtype=f32")], ""), x @ x.conj().T + np.eye(len(x))


def wraps(v):
    """Whether products of its elements may be too large for their type: then they are other numbers."""
    return v.array.dtype.kind in "iu" and v.array.dtype.itemsize < 4


def made_of_positive(function):
    def case(rng, v, others):
        if not matrix(v) or wraps(v) or v.array.dtype.str[1:] in ("f4", "c8"):
            return None
        (r, c), (call, g) = v.dims, positive(v)
        scale = 100 * (v.scale + 1) ** 2 * v.array.size
        if function == "cholesky":
            other = ("rename", [("cholesky", [call], "")], f"dim={r} to=q_")
            if g.dtype.kind == "c":
                other = ("conjugate", [other], "")
            return [("cholesky", [call], ""), other], "dim=p_", g, [r, "q_"], "matmul", scale
        if function == "inverse":
            return [call, ("rename", [("inverse", [call], "")], f"dim={r} to=q_")], "dim=p_", np.eye(len(g), dtype=g.dtype), [r, "q_"], "matmul", scale ** 1.5
        if function == "solve_triangular":
            call = ("tril", [call], f"rows={r} columns=p_ k=0")
            return [call, ("solve_triangular", [call, v], "which=lower")], "dim=p_", plain(v).astype(g.dtype), v.dims, "matmul", scale ** 1.5
        return [call, (function, [call, v], "")], "dim=p_", plain(v).astype(g.dtype), v.dims, "matmul", scale ** 1.5
    return case


def complex_lu(rng, v, others):
    """The factors of a positive definite complex matrix: rows in their order are what they were."""
    if not matrix(v) or v.array.dtype != "c16":
        return None
    (r, c), (call, g) = v.dims, positive(v)
    part = lambda p: ("lu", [call], f"to=k_ part={p}")
    return [("absolute", [("matmul", [part("l"), part("u")], "dim=k_")], "")], f"dim={r}", np.sort(np.abs(g), 0), [r, "p_"], "sort", 100 * (v.scale + 1) ** 2 * v.array.size


def stacked(name):
    """Of stacks of matrices: the last two dimensions, and products of factors by letters. Squares are a matrix times its transpose, plus 1."""
    def case(rng, v, others):
        if len(v.dims) != 3 or not numbers(v) or v.scale > 100 or v.array.dtype.str[1:] in ("f4", "c8", "i1", "i2", "u1", "u2"):
            return None
        (b, r, c), x, n = v.dims, wide(v), v.array.shape[1]
        other = ("conjugate", [v], "") if x.dtype.kind == "c" else v
        square = ("rename", [("add", [("einsum", [v, other], "letters=bij,bkj->bik"), ("eye", [], f"dims={r}:{n},k:{n} dtype=f32")], "")], "dim=k to=p_")
        g, scale = np.einsum("bij,bkj->bik", x, x.conj()) + np.eye(n), 100 * (v.scale + 1) ** 2 * v.array.size
        def part(function, p):
            return (function, [v], f"to=k_ part={p}")
        if name == "qr":
            return [part("qr", "q"), part("qr", "r")], "letters=bik,bkj->bij", x, v.dims, "einsum", scale
        if name == "svd":
            return [part("svd", "u"), part("svd", "s"), part("svd", "v")], "letters=bik,bk,bkj->bij", x, v.dims, "einsum", scale
        if name == "cholesky":
            l = ("cholesky", [square], "")
            return [l, ("conjugate", [("rename", [l], f"dim={r} to=q_")], "") if x.dtype.kind == "c" else ("rename", [l], f"dim={r} to=q_")], "letters=bik,bjk->bij", g, [b, r, "q_"], "einsum", scale
        if name == "inverse":
            return [square, ("rename", [("inverse", [square], "")], f"dim={r} to=q_")], "letters=bik,bkj->bij", np.broadcast_to(np.eye(n, dtype=g.dtype), g.shape), [b, r, "q_"], "einsum", scale ** 1.5
        if name == "det":
            tame = g / (np.abs(g).max() + 1)
            return [("divide", [square, ("full", [], f"dims= value={np.abs(g).max() + 1!r}")], "")], "", np.linalg.det(tame).astype(g.dtype), [b], "det", 100 * n
        return [square, ("solve", [square, v], "")], "letters=bik,bkj->bij", x, v.dims, "einsum", scale ** 1.5
    return case


def matrix_or_stack(name, function):
    return lambda rng, v, others: (stacked(name) if len(v.dims) == 3 else function)(rng, v, others)


def det(rng, v, others):
    if not matrix(v) or wraps(v):
        return None
    call, g = positive(v)
    unit = float(np.abs(g).max() + 1)
    return [("divide", [call, ("full", [], f"dims= value={unit!r}")], "")], "", np.asarray(np.linalg.det(g / unit)), [], "det", 100 * len(g)


def vector_norm(rng, v, others):
    dims, axes, left = over_some(rng, v)
    p = pick(rng, [np.inf, -np.inf, 0, 1, 2, 3])
    if not dims or not numbers(v) or p == 0 and not v.exact:
        return None
    x = np.moveaxis(wide(v), axes, tuple(range(-len(axes), 0)))
    out = np.linalg.norm(x.reshape(x.shape[:x.ndim - len(axes)] + (-1,)), p, -1)
    return [v], f"p={p} dims={','.join(dims)}", np.asarray(out).astype(real_type(v)), left, None, v.scale * v.array.size + 1


def matrix_norm(rng, v, others):
    if not matrix(v):
        return None
    order = pick(rng, ["fro", "nuc", "1", "-1", "2", "-2", "inf", "-inf"])
    out = np.linalg.norm(wide(v), order if order in ("fro", "nuc") else float(order))
    return [v], f"order={order}", np.asarray(out).astype(real_type(v)), [], None, v.scale * v.array.size + 1


def trace(rng, v, others):
    if len(v.dims) < 2 or not numbers(v):
        return None
    i, j = (int(x) for x in rng.permutation(len(v.dims))[:2])
    k = int(rng.integers(-2, 3))
    if abs(k) >= min(v.array.shape[i], v.array.shape[j]):
        return None
    x = v.array.astype({"f": "f8", "i": "i8", "u": "u8", "c": "c16"}[v.array.dtype.kind])
    out = np.asarray(np.trace(x, k, i, j))
    return [v], f"rows={v.dims[i]} columns={v.dims[j]} k={k}", out.astype(v.array.dtype if v.array.dtype.kind in "fc" else out.dtype), [x for x in v.dims if x not in (v.dims[i], v.dims[j])], None, v.scale * v.array.size


NORMS = ["backward", "ortho", "forward"]


def transform(name, function):
    def case(rng, v, others):
        dims = [d for d in v.dims if rng.integers(2)]
        real_only = name in ("rfft", "ihfft")
        if not dims or not numbers(v, not real_only) or name in ("irfft", "hfft") and v.length(dims[-1]) < 2:
            return None
        if name in ("hfft", "ihfft"):
            dims = dims[:1]
            if name == "hfft" and v.length(dims[0]) < 2:
                return None
        axes, norm = [v.dims.index(d) for d in dims], pick(rng, NORMS)
        out = function(plain(v).astype("c16" if v.array.dtype.kind == "c" else "f8"), axes, norm)
        single = v.array.dtype.str[1:] in ("f4", "c8")
        kind = ("c8" if single else "c16") if out.dtype.kind == "c" else "f4" if single else "f8"
        return [v], f"{'dim' if name in ('hfft', 'ihfft') else 'dims'}={','.join(dims)} norm={norm}", out.astype(kind), v.dims, None, v.scale * v.array.size * 2
    return case


def shifted(name):
    def case(rng, v, others):
        dims = [d for d in v.dims if rng.integers(2)]
        if not v.dims:
            return None
        return [v], f"dims={','.join(dims)}" if dims else "", getattr(np.fft, name)(v.array, [v.dims.index(d) for d in dims] or None), v.dims
    return case


def frequencies(name):
    def case(rng, v, others):
        n, distance = int(rng.integers(1, 20)), float(rng.integers(1, 9)) / 4
        return [], f"dim=lat n={n} distance={distance}", getattr(np.fft, name)(n, distance), ["lat"]
    return case


# --- functions of one's own ---


def f8(v):
    return v.array.astype("f8")


def own_map(rng, v, others):
    w = pick(rng, others)
    seen = aligned(v, w)
    if seen is None or "c" in v.array.dtype.kind + w.array.dtype.kind:
        return None
    a, b, dims = seen
    return [v, w], "", 2 * a.astype("f8") + b.astype("f8"), dims


def own_blocks(rng, v, others):
    if v.array.dtype.kind == "c":
        return None
    place = np.arange(v.array.shape[0]).reshape([-1] + [1] * (len(v.dims) - 1)) if v.dims else 0
    return [v], "", f8(v) + place, v.dims


def own_overlap(rng, v, others):
    if v.array.dtype.kind == "c" or not v.dims or v.array.shape[0] < 3 or v.array.size == 0:
        return None
    boundary = pick(rng, ["periodic", "reflect", "mirror", "nearest", "7"])
    mode = {"periodic": "wrap", "reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "7": "constant"}[boundary]
    x = np.pad(f8(v), [(1, 2)] + [(0, 0)] * (len(v.dims) - 1), mode, **({"constant_values": 7} if mode == "constant" else {}))
    n = v.array.shape[0]
    with np.errstate(all="ignore"):
        return [v], f"boundary={boundary}", x[:n] + x[1:n + 1] + x[2:n + 2] + x[3:n + 3], v.dims


def own_lanes(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or v.array.dtype.kind == "c" or v.length(d) == 0:
        return None
    k = v.dims.index(d)
    with np.errstate(all="ignore"):
        x = f8(v)
        out = np.stack([np.add.accumulate(x, k).take(-1, k), x.take(-1, k) - x.take(0, k)], k)
    return [v], f"dim={d}", out, ["pair" if x == d else x for x in v.dims]


def own_gufunc(rng, v, others):
    d = pick_dim(rng, v)
    if d is None or v.array.dtype.kind == "c" or v.length(d) == 0:
        return None
    with np.errstate(all="ignore"):
        out = np.add.accumulate(f8(v) ** 2, v.dims.index(d)).take(-1, v.dims.index(d))
    return [v, v], f"dim={d}", out, [x for x in v.dims if x != d]


def own_gufuncs(rng, v, others):
    """Results of one call: the sum of squares, twice all elements, the first and the last one as integers."""
    d, which = pick_dim(rng, v), int(rng.integers(3))
    if d is None or v.array.dtype.kind == "c" or v.length(d) == 0 or "ends_" in v.dims or which == 2 and not (np.abs(v.array.astype("f8")) < 1e6).all():
        return None
    k, left = v.dims.index(d), [x for x in v.dims if x != d]
    if which == 0:
        with np.errstate(all="ignore"):
            return [v], f"dim={d} which=0", np.add.accumulate(f8(v) ** 2, k).take(-1, k), left
    if which == 1:
        return [v], f"dim={d} which=1", 2 * np.moveaxis(v.array.astype("f4"), k, -1), left + [d]
    ends = np.stack([v.array.take(0, k), v.array.take(-1, k)], -1)
    return [v], f"dim={d} which=2", np.trunc(ends).astype("i4"), left + ["ends_"]


def own_reduction(rng, v, others):
    dims, axes, left = over_some(rng, v)
    if not dims or v.array.dtype.kind in "cb" or 0 in v.array.shape or not v.exact:  # whether an element is above 0 must not be a matter of rounding
        return None
    x = f8(v)
    return [v], f"dims={','.join(dims)}", np.stack([(x > 0).sum(axes), np.fmax(np.fmax.reduce(x, axes), 0)], -1).astype("f8"), left + ["pair"]


def own_groups(rng, v, others):
    d, how = pick_dim(rng, v), pick(rng, ["min", "max", "sum", "count"])
    if d is None or v.array.dtype.kind not in "iuf" or v.array.size == 0 or "group" in v.dims or how == "sum" and not np.isfinite(v.array[there(v.array)]).all() or v.length(d) > 50:
        return None
    k, n = v.dims.index(d), int(rng.integers(1, min(v.length(d), 5) + 1))
    labels = np.concatenate([np.arange(n), rng.integers(-1, n, v.length(d) - n)])
    rng.shuffle(labels)
    function = {"min": np.nanmin, "max": np.nanmax, "sum": np.nansum, "count": lambda x, axis: there(x).sum(axis)}[how]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = np.stack([function(np.compress(labels == g, v.array, k), axis=k) for g in range(n)], k)
    out = out.astype("i8" if how == "count" else out.dtype if v.array.dtype.kind != "f" else v.array.dtype)
    return [v], f"how={how} dim={d} n={n} labels={''.join('-' if x < 0 else str(x) for x in labels)}", out, ["group" if x == d else x for x in v.dims]


CASES = {
    "eof": eof, "harmonics": harmonics, "circular_mean": circular_mean, "pairs": pairs, "trend": trend, "detrend": detrend,
    **COMPOSED, "rolling": rolling, "cumulative": cumulative, "moment": moment, "weighted": weighted, "searchsorted": searchsorted, "argtopk": argtopk,
    "matmul": matmul, "qr": qr, "svd": svd, "svd_compressed": svd_compressed, "lu": lambda rng, v, others: (complex_lu if v.array.dtype.kind == "c" else lu)(rng, v, others), "einsum": einsum, "tensordot": tensordot, "cov_matrix": covariance(np.cov), "corrcoef": covariance(np.corrcoef), "vector_norm": vector_norm, "matrix_norm": matrix_norm, "trace": trace,
    **{name: made_of_positive(name) for name in ("cholesky", "inverse", "solve", "solve_triangular", "lstsq")},
    "fft": transform("fft", np.fft.fftn), "ifft": transform("ifft", np.fft.ifftn), "rfft": transform("rfft", np.fft.rfftn),
    "irfft": transform("irfft", lambda a, axes, norm: np.fft.irfftn(a, None, axes, norm)), "hfft": transform("hfft", lambda a, axes, norm: np.fft.hfft(a, None, axes[0], norm)),
    "ihfft": transform("ihfft", lambda a, axes, norm: np.fft.ihfft(a, None, axes[0], norm)), "fftshift": shifted("fftshift"), "ifftshift": shifted("ifftshift"),
    "fftfreq": frequencies("fftfreq"), "rfftfreq": frequencies("rfftfreq"),
    "own_map": own_map, "own_blocks": own_blocks, "own_overlap": own_overlap, "own_lanes": own_lanes, "own_gufunc": own_gufunc, "own_gufuncs": own_gufuncs, "own_reduction": own_reduction, "own_groups": own_groups,
}
CASES["det"] = det
for _name in ("qr", "svd", "cholesky", "inverse", "solve", "det"):
    CASES[_name] = matrix_or_stack(_name, CASES[_name])
for _name in ("fft", "ifft", "rfft"):
    CASES[_name] = transform(_name, (lambda f: lambda a, axes, norm: f(a, None, axes, norm))(getattr(np.fft, _name + "n")))
INEXACT = {"eof", "harmonics", "circular_mean", "pairs", "trend", "detrend", "logaddexp", "logaddexp2", "sinc", "i0", "float_power", "vdot", "round", "moment", "weighted", "qr", "svd", "svd_compressed", "lu", "cholesky", "inverse", "solve", "solve_triangular", "lstsq", "vector_norm", "matrix_norm", "trace", "fft", "ifft",
           "rfft", "det", "irfft", "hfft", "ihfft", "rolling", "cumulative", "fftfreq", "rfftfreq", "matmul", "own_groups", "einsum", "tensordot", "cov_matrix", "corrcoef"}
