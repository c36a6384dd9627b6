#!/usr/bin/python3
"""Small files of every layout, index, filter and type that HDF5 and NetCDF-4 have, written by other programs: format_corpus.py DIRECTORY

h5py, netCDF4-python and, where they are installed, nccopy, h5repack, h5import, h5jam and h5copy. For test_formats.py, which compares what is read."""
import ctypes
import itertools
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import netCDF4
import numpy as np

LZF, BLOSC, BZIP2, LZ4, BITSHUFFLE, ZFP, ZSTD = 32000, 32001, 307, 32004, 32008, 32013, 32015
SHAPE, CHUNK = (50, 20, 30), (7, 6, 9)


def field(shape=SHAPE, dtype="f4", seed=1):
    x = np.random.default_rng(seed).normal(280, 10, shape)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return x.astype(dtype)
    return np.random.default_rng(seed).integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype.newbyteorder("="), True).astype(dtype)


# --- plain HDF5, through h5py's low level: property lists say exactly what is wanted ---

def zstd(data, level):
    """A frame of libzstd's own; None where there is no library."""
    try:
        lib = ctypes.CDLL("libzstd.so.1")
    except OSError:
        return None
    lib.ZSTD_compressBound.restype = lib.ZSTD_compress.restype = ctypes.c_size_t
    room = lib.ZSTD_compressBound(ctypes.c_size_t(len(data)))
    out = ctypes.create_string_buffer(room)
    n = lib.ZSTD_compress(out, ctypes.c_size_t(room), data, ctypes.c_size_t(len(data)), level)
    return out.raw[:n]


def hdf5():
    """The library that h5py uses, for calls that h5py does not have; None when it goes by another name."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = line.split()[-1]
        if "/libhdf5" in path and "_hl" not in path and ".so" in path:
            return ctypes.CDLL(path)
    return None


def shuffle(data, size):
    return np.frombuffer(data, "u1").reshape(-1, size).T.tobytes()


def set_filters(plist, filters, size):
    for name in filters:
        if name == "shuffle":
            plist.set_shuffle()
        elif name == "fletcher32":
            plist.set_fletcher32()
        elif name == "deflate":
            plist.set_deflate(3)
        elif name == "szip":
            plist.set_szip(h5py.h5z.SZIP_NN_OPTION_MASK, 8)
        elif name == "scaleoffset":
            plist.set_scaleoffset(h5py.h5z.SO_INT, 0)
        elif name == "nbit":
            plist.set_filter(h5py.h5z.FILTER_NBIT, 0, ())
        elif name == "zstd":
            plist.set_filter(ZSTD, h5py.h5z.FLAG_OPTIONAL, (3,))
        elif name == "blosc":
            plist.set_filter(BLOSC, 0, (2, 2, size, 0, 5, 1, 0))
        else:
            plist.set_filter({"lz4": LZ4, "bzip2": BZIP2, "lzf": LZF, "bitshuffle": BITSHUFFLE}[name], 0, (9,) if name == "bzip2" else ())


def dataset(f, name, data, chunk=None, filters=(), most=None, fill=None, alloc=None, write=True, plain_edges=False, compact=False, type_id=None):
    p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if chunk:
        p.set_chunk(chunk)
        set_filters(p, filters, data.dtype.itemsize)
    if compact:
        p.set_layout(h5py.h5d.COMPACT)
    if fill is not None:
        p.set_fill_value(np.array(fill, data.dtype))
    if alloc is not None:
        p.set_alloc_time(alloc)
    if plain_edges:
        hdf5().H5Pset_chunk_opts(ctypes.c_int64(p.id), 2)
    most = tuple(h5py.h5s.UNLIMITED if n is None else n for n in (most or data.shape))
    space = h5py.h5s.create_simple(data.shape, most) if data.shape else h5py.h5s.create(h5py.h5s.SCALAR)
    d = h5py.h5d.create(f.id, name.encode(), type_id or h5py.h5t.py_create(data.dtype, logical=True), space, p)
    if write:
        d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(data))
    return d


def chunks_of(shape, chunk):
    return itertools.product(*[range(0, n, c) for n, c in zip(shape, chunk)])


def padded(data, at, chunk):
    out = np.zeros(chunk, data.dtype)
    part = data[tuple(slice(a, a + n) for a, n in zip(at, chunk))]
    out[tuple(slice(0, n) for n in part.shape)] = part
    return out


def types(path):
    """Every element type, in both byte orders, contiguous and in chunks."""
    with h5py.File(path, "w") as f:
        for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"):
            for order in "<>":
                x = field((9, 11), order + kind)
                dataset(f, f"{kind}_{'little' if order == '<' else 'big'}", x)
                dataset(f, f"{kind}_{'little' if order == '<' else 'big'}_chunks", x, (4, 4), ("shuffle", "deflate"))
        f["special"] = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 3e38], "f4")
        f["special8"] = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1e308], ">f8")
        f["half"] = np.array([0.5, -0.0, np.nan, np.inf, 6e-8, 65504], "f2")
        f["extremes"] = np.array([-2**63, 2**63 - 1, 0, -1], "i8")
        f["bool"] = np.array([[True, False], [False, True]])
        f.create_dataset("bool_chunks", data=field((40,), "u1") > 100, chunks=(7,), compression="gzip")
        f.create_dataset("enum", data=np.array([0, 2, 1, 2], "i2"), dtype=h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 2}, "i2"))
        f["complex"] = np.array([1 + 2j, 3 - 4j], "c16")
        f["scalar"] = np.float64(42)
        f["scalar_i2"] = np.int16(-7)
        for bits, name in ((12, "precision12"), (24, "precision24")):
            t = h5py.h5t.NATIVE_INT32.copy()
            t.set_precision(bits)
            t.set_sign(h5py.h5t.SGN_2)
            x = np.arange(-40, 60, dtype="i4").reshape(10, 10)
            dataset(f, name, x, type_id=t)
            dataset(f, name + "_chunks", x, (4, 4), ("nbit",), type_id=t)


def others(path):
    """What holds no numbers: nothing of it may be in the way."""
    with h5py.File(path, "w") as f:
        f["number"] = np.arange(5.0)
        f["fixed_text"] = np.array([b"one", b"three"])
        f["text"] = ["one", "three", "grün"]
        f["one_text"] = "a string"
        f["chars"] = np.array([b"a", b"b"], "S1")
        f["compound"] = np.array([(1, 2.0), (3, 4.0)], [("a", "i4"), ("b", "f8")])
        f["nested"] = np.zeros(2, [("a", "i4", (2, 2)), ("b", [("c", "f4")])])
        f["opaque"] = np.array([b"abcd", b"efgh"], "V4")
        ragged = f.create_dataset("ragged", (2,), h5py.vlen_dtype("i4"))
        ragged[0], ragged[1] = [1, 2, 3], [4]
        f.create_dataset("reference", data=np.array([f["number"].ref], h5py.ref_dtype))
        f.create_dataset("region", data=np.array([f["number"].regionref[1:3]], h5py.regionref_dtype))
        f.create_dataset("array_type", (3,), np.dtype(("i4", (2, 2))))
        f["time_type"] = h5py.Empty("f8")
        f["datetime"] = np.array([1, 2], "i8").view("M8[s]").astype(h5py.opaque_dtype("M8[s]"))
        f.attrs["refs"] = f["number"].ref
        f["number"].attrs["compound"] = np.array((1, 2.0), [("a", "i4"), ("b", "f8")])
        f["number"].attrs["strings"] = ["a", "b"]
        f["committed"] = np.dtype("i4")


def indexes(path, libver):
    """Every chunk index: a B-tree of version 1 in old files; in new ones a single chunk, implicit, fixed array, extensible array, B-tree of version 2."""
    U = None
    with h5py.File(path, "w", libver=libver) as f:
        for filters in ((), ("shuffle", "deflate"), ("fletcher32",)):
            tag = "_" + "_".join(filters) if filters else ""
            x = field((45, 31))
            dataset(f, "fixed" + tag, x, (7, 5), filters)
            dataset(f, "single" + tag, x, x.shape, filters)
            dataset(f, "extensible" + tag, x, (7, 5), filters, (U, 31))
            dataset(f, "extensible_second" + tag, x, (7, 5), filters, (45, U))
            dataset(f, "both" + tag, x, (7, 5), filters, (U, U))
            dataset(f, "larger_than_data" + tag, field((3, 4)), (8, 8), filters, (U, U))
            dataset(f, "one_element_chunks" + tag, field((12, 3)), (1, 1), filters, (U, 3))
        dataset(f, "implicit", field((45, 31)), (7, 5), alloc=h5py.h5d.ALLOC_TIME_EARLY)
        dataset(f, "implicit_never", field((45, 31)), (7, 5), alloc=h5py.h5d.ALLOC_TIME_EARLY, fill=3.5, write=False)
        dataset(f, "never", field((45, 31)), (7, 5), ("deflate",), fill=-1.5, write=False)
        dataset(f, "never_contiguous", field((45, 31)), fill=7.25, write=False)
        dataset(f, "five", field((5, 4, 3, 6, 7)), (2, 3, 2, 5, 3), ("shuffle", "deflate"))
        if libver != "earliest" and hdf5():
            dataset(f, "edges", field((45, 31)), (7, 5), ("shuffle", "deflate"), plain_edges=True)
        for name, most in (("holes", None), ("holes_extensible", (U, 31)), ("holes_both", (U, U))):
            d = h5py.Dataset(dataset(f, name, field((45, 31), "i4"), (7, 5), ("deflate",), most, fill=-9, write=False))
            d[10:20, 3:9] = field((10, 6), "i4")
            d[44, 30] = 5
        many = h5py.Dataset(dataset(f, "many", np.zeros((3000,), "i2"), (2,), (), (U,), write=False))
        many[...] = field((3000,), "i2")


def filters(path):
    """Every order of the filters that are common, chunks that skipped some of them, and zstd."""
    x = field()
    orders = [("shuffle",), ("deflate",), ("fletcher32",), ("shuffle", "deflate"), ("shuffle", "deflate", "fletcher32"),
              ("fletcher32", "shuffle", "deflate"), ("shuffle", "fletcher32", "deflate"), ("fletcher32", "deflate"), ("deflate", "shuffle"),
              ("fletcher32", "shuffle", "deflate", "fletcher32"), ("deflate", "deflate"), ("shuffle", "shuffle", "deflate"),
              ("fletcher32", "fletcher32", "shuffle", "deflate", "fletcher32")]
    with h5py.File(path, "w") as f:
        for order in orders:
            for kind in ("f4", ">i2", "f8", "u1"):
                dataset(f, "_".join(order) + "_" + np.dtype(kind).str[1:], field(dtype=kind), CHUNK, order)
        for name in ("szip", "scaleoffset", "nbit"):
            try:
                dataset(f, name, field(dtype="i4") % 1000, CHUNK, (name,))
            except ValueError:
                pass  # szip needs a licence that not everybody wants
        skipped = dataset(f, "skipped", x, CHUNK, ("shuffle", "deflate"), write=False)
        for i, at in enumerate(chunks_of(SHAPE, CHUNK)):
            plain = padded(x, at, CHUNK).tobytes()
            data, mask = [(zlib.compress(shuffle(plain, 4)), 0), (zlib.compress(plain), 1), (shuffle(plain, 4), 2), (plain, 3)][i % 4]
            skipped.write_direct_chunk(at, data, mask)
        if zstd(b"", 1) is None:
            return
        for order in (("zstd",), ("shuffle", "zstd")):
            d = dataset(f, "_".join(order), x, CHUNK, order, write=False)
            for at in chunks_of(SHAPE, CHUNK):
                data = padded(x, at, CHUNK).tobytes()
                d.write_direct_chunk(at, zstd(shuffle(data, 4) if len(order) > 1 else data, 5))


def plugins(path):
    """What only plug-ins decode, those that are installed; the names of the filters."""
    names = []
    with h5py.File(path, "w") as f:
        for name, number in (("lz4", LZ4), ("bzip2", BZIP2), ("blosc", BLOSC), ("bitshuffle", BITSHUFFLE)):
            if h5py.h5z.filter_avail(number):
                dataset(f, name, field(), CHUNK, (name,))
                names.append(name)
        if h5py.h5z.filter_avail(LZF):
            f.create_dataset("lzf", data=field(), chunks=CHUNK, compression="lzf", shuffle=True)  # h5py has it built in
    return names


def layouts(path):
    """Compact, external, virtual; a virtual one whose source is not there."""
    with h5py.File(path, "w", libver="latest") as f:
        x = field((6, 8))
        dataset(f, "compact", x, compact=True)
        dataset(f, "compact_big", field((6, 8), ">i4"), compact=True)
        x.tofile(str(path) + ".raw")
        f.create_dataset("external", x.shape, "f4", external=[(str(path) + ".raw", 0, x.nbytes)])
        f["part"] = field((4, 8), seed=2)
        layout = h5py.VirtualLayout((10, 8), "f4")
        layout[0:4] = h5py.VirtualSource(".", "part", (4, 8))
        layout[6:10] = h5py.VirtualSource(".", "part", (4, 8))
        f.create_virtual_dataset("virtual", layout, fillvalue=-1)
        lost = h5py.VirtualLayout((4, 8), "f4")
        lost[:] = h5py.VirtualSource("nowhere.h5", "x", (4, 8))
        f.create_virtual_dataset("virtual_lost", lost, fillvalue=2)


def shapes(path):
    """Lengths of zero, dimensions that may grow, groups, links."""
    with h5py.File(path, "w") as f:
        f["none"] = np.zeros((0,), "f4")
        f["none_inside"] = np.zeros((3, 0, 2), "i2")
        f.create_dataset("none_yet", (0, 4), "f4", maxshape=(None, 4), chunks=(2, 2))
        f.create_dataset("none_yet_deflate", (0,), "f8", maxshape=(None,), compression="gzip")
        f["same"], f["same2"] = field((4, 4)), field((4, 4), seed=3)
        f["one"] = np.zeros((1, 1, 1), "f4")
        g = f.create_group("a/b/c")
        g["deep"] = field((5, 4))
        f["a/same"] = field((2, 2))
        g["up"] = f["a"]
        f["hard"] = f["same"]
        f["soft"] = h5py.SoftLink("/a/b/c/deep")
        f["dangling"] = h5py.SoftLink("/nowhere")
        f["outside"] = h5py.ExternalLink("nowhere.h5", "/x")
        f["name with blanks"] = field((3,))
        f["grün"] = field((3,))


def scales(path):
    """Dimension scales of HDF5's own making: named, nameless, shared, several along one dimension, one of another length."""
    with h5py.File(path, "w") as f:
        f["y"], f["x"], f["z"] = np.arange(6.0), np.arange(8.0), np.arange(3.0)
        f["y"].make_scale("latitude")
        f["x"].make_scale("")
        f["z"].make_scale()
        f["data"] = field((6, 8))
        f["data"].dims[0].attach_scale(f["y"])
        f["data"].dims[1].attach_scale(f["x"])
        f["partly"] = field((6, 5))
        f["partly"].dims[0].attach_scale(f["y"])
        f["wrong"] = field((4, 3))
        f["wrong"].dims[1].attach_scale(f["z"])
        f["wrong"].dims[0].label = "rows"
        f["second"] = np.arange(8.0) * 2
        f["second"].make_scale("other x")
        f["data"].dims[1].attach_scale(f["second"])
        f["square"] = field((6, 6))
        f["square"].dims[0].attach_scale(f["y"])
        f["square"].dims[1].attach_scale(f["y"])


def user_block(path):
    with h5py.File(path, "w", userblock_size=2048) as f:
        dataset(f, "contiguous", field())
        dataset(f, "chunks", field(), CHUNK, ("shuffle", "deflate"))
        dataset(f, "never", field(), CHUNK, fill=3, write=False)


# --- NetCDF-4 ---

def cf(path, fmt="NETCDF4"):
    """What CF says about values."""
    four = fmt == "NETCDF4"
    with netCDF4.Dataset(path, "w", format=fmt) as f:
        f.set_auto_mask(False)
        f.createDimension("time", None)
        f.createDimension("lat", 12)
        f.createDimension("lon", 16)
        f.createVariable("time", "f8", ("time",)).units = "hours since 2000-01-01"
        f.createVariable("lat", "f4", ("lat",))[:] = np.linspace(-80, 80, 12)

        def add(name, kind, data, dims=("time", "lat", "lon"), fill=None, options=None, **attrs):
            v = f.createVariable(name, kind, dims, fill_value=fill, **((options or {}) if four else {}))
            v.set_auto_maskandscale(False)
            v.setncatts(attrs)
            v[...] = data

        squeeze = {"zlib": True, "shuffle": True, "chunksizes": (4, 5, 6)}
        shape = (10, 12, 16)
        f.variables["time"][:] = np.arange(10.0)
        rng = np.random.default_rng(5)
        i2 = rng.integers(-1000, 1000, shape).astype("i2")
        f4 = rng.normal(0, 1, shape).astype("f4")
        f4[rng.random(shape) < 0.1] = -999
        add("packed", "i2", i2, fill=np.int16(-1000), options=squeeze, scale_factor=0.01, add_offset=250.0)
        add("packed_scale_f4", "i2", i2, scale_factor=np.float32(0.01))
        add("packed_offset_only", "i2", i2, add_offset=5.0)
        add("masked", "f4", f4, fill=np.float32(-999), options=squeeze)
        add("missing_value", "f4", f4, missing_value=np.float32(-999))
        add("two_missing", "i2", i2, fill=np.int16(-1000), options=squeeze, missing_value=np.int16(-999))
        add("masked_f8", "f8", f4.astype("f8"), fill=-999.0, scale_factor=2.0)
        add("masked_i4", "i4", i2.astype("i4"), fill=np.int32(5))
        add("plain_i4", "i4", i2.astype("i4"))
        add("byte", "i1", (i2 % 100).astype("i1"), options=squeeze)
        add("unsigned_in_byte", "i1", (i2 % 256).astype("u1").view("i1"), _Unsigned="true", options=squeeze)
        add("unsigned_packed", "i1", (i2 % 256).astype("u1").view("i1"), _Unsigned="true", scale_factor=0.5, fill=np.int8(-1), options=squeeze)
        add("nan_fill", "f4", np.where(f4 == -999, np.nan, f4), fill=np.float32(np.nan))
        if four:
            add("big", ">f4", f4, options=dict(squeeze, endian="big"), fill=-999.0)
            add("summed", "f4", f4, options=dict(squeeze, fletcher32=True))
            add("summed_alone", "f8", f4, options=dict(chunksizes=(4, 5, 6), fletcher32=True))
            add("u8", "u8", (i2.astype("i8") + 2000).astype("u8"), options=squeeze)
            add("i8_masked", "i8", i2.astype("i8"), fill=np.int64(-1000), options=squeeze)
            add("u2_packed", "u2", (i2 + 2000).astype("u2"), scale_factor=0.1, add_offset=-7.0, options=squeeze)


def netcdf4(path):
    """What only NetCDF-4 has: groups, user types, variables shorter than their dimension, contiguous storage of all."""
    with netCDF4.Dataset(path, "w") as f:
        f.createDimension("time", None)
        f.createDimension("x", 30)
        f.createDimension("empty", None)
        f.createDimension("zero", 0)
        x = field((50, 30))
        f.createVariable("long", "f4", ("time", "x"), zlib=True, chunksizes=(8, 7))[:] = x
        f.createVariable("short", "f4", ("time", "x"), zlib=True, shuffle=True, chunksizes=(8, 7), fill_value=-5.0)[:13] = x[:13]
        f.createVariable("short_summed", "i4", ("time", "x"), fletcher32=True, chunksizes=(8, 7))[:16] = field((16, 30), "i4")
        f.createVariable("short_big", "f8", ("time",), endian="big", chunksizes=(6,))[:20] = np.arange(20.0)
        f.createVariable("short_none", "f4", ("time", "x"))
        f.createVariable("in_empty", "f4", ("empty", "x"))
        f.createVariable("in_zero", "f4", ("zero",))
        f.createVariable("x", "f8", ("x",))[:] = np.arange(30.0)
        f.createVariable("scalar", "i4", ())[...] = 7
        f.createVariable("text", str, ("x",))[:] = np.array([f"station {i}" for i in range(30)], object)
        f.createVariable("one_text", str, ())[...] = "alone"
        f.createDimension("strlen", 8)
        f.createVariable("name", "S1", ("x", "strlen"))[:] = netCDF4.stringtochar(np.array([f"st{i}" for i in range(30)], "S8"))
        pair = f.createCompoundType(np.dtype([("a", "i4"), ("b", "f8")]), "pair")
        f.createVariable("pairs", pair, ("x",))
        ragged = f.createVLType(np.int32, "ragged")
        f.createVariable("lists", ragged, ("x",))[0] = np.arange(3, dtype="i4")
        cloud = f.createEnumType(np.int8, "cloud", {"clear": 0, "overcast": 1, "missing": 127})
        f.createVariable("clouds", cloud, ("x",), fill_value=127)[:] = np.arange(30) % 2
        g = f.createGroup("forecast").createGroup("surface")
        g.createDimension("member", 4)
        g.createVariable("member", "i4", ("member",))[:] = np.arange(4)
        g.createVariable("t2m", "f4", ("member", "x"), zlib=True)[:] = field((4, 30))
        g.createVariable("x", "f4", ("member",))[:] = np.arange(4.0)  # named like a dimension of the root
        f.createVariable("time", "f8", ("time", "x"))  # two-dimensional, with its dimension's name


# --- tools ---

def run(*argv):
    return subprocess.run([str(a) for a in argv], check=True, stdout=subprocess.DEVNULL)


TEXT_IMPORT = """PATH grid/t
INPUT-CLASS TEXTFP
RANK 2
DIMENSION-SIZES 6 10
OUTPUT-CLASS FP
OUTPUT-SIZE 32
OUTPUT-ARCHITECTURE IEEE
OUTPUT-BYTE-ORDER BE
CHUNKED-DIMENSION-SIZES 4 3
MAXIMUM-DIMENSIONS -1 10
COMPRESSION-TYPE GZIP
COMPRESSION-PARAM 3
"""
BINARY_IMPORT = """PATH n
INPUT-CLASS IN
INPUT-SIZE 32
INPUT-BYTE-ORDER BE
RANK 1
DIMENSION-SIZES 60
OUTPUT-CLASS IN
OUTPUT-SIZE 16
"""


def imported(folder, add):
    """What h5import makes of a text and of bytes, with a user block by h5jam, and copied from group to group by h5copy."""
    inputs = []
    np.savetxt(folder / "import.txt", field((6, 10)))
    np.arange(-30, 30, dtype=">i4").tofile(folder / "import.bin")
    for name, config in (("import.txt", TEXT_IMPORT), ("import.bin", BINARY_IMPORT)):
        (folder / f"{name}.conf").write_text(config)
        inputs += [folder / name, "-c", folder / f"{name}.conf"]
    made = folder / "h5import.h5"
    add("h5import.h5", "h5import", *inputs, "-o", made)
    add("h5jam.h5", "h5jam", "-u", folder / "import.txt", "-i", made, "-o", folder / "h5jam.h5")
    add("h5copy.h5", "h5copy", "-p", "-i", made, "-o", folder / "h5copy.h5", "-s", "/grid", "-d", "/again/deep")


def tools(folder):
    """Copies by nccopy and h5repack of files that are here, and what HDF5's other tools write."""
    made = []

    def add(name, *argv):
        run(*argv)
        made.append(folder / name)

    if shutil.which("nccopy"):
        for name, options in (("deflated", ["-d", "4", "-s"]), ("deflated_fixed", ["-u", "-d", "1"]), ("chunked", ["-c", "time/3,lat/5,lon/7"]),
                              ("contiguous", ["-u", "-c", "time/,lat/,lon/"])):
            add(f"nccopy_{name}.nc", "nccopy", "-k", "nc4", *options, folder / "cf3.nc", folder / f"nccopy_{name}.nc")
        add("nccopy_classic_model.nc", "nccopy", "-k", "nc7", "-d", "2", folder / "cf3.nc", folder / "nccopy_classic_model.nc")
    if shutil.which("h5repack"):
        source = folder / "indexes_earliest.h5"
        for name, options in (("latest", ["-L"]), ("gzip", ["-f", "SHUF", "-f", "GZIP=5"]), ("checked", ["-f", "FLET"]), ("szip", ["-f", "SZIP=8,NN"]),
                              ("nbit", ["-f", "NBIT"]), ("contiguous", ["-l", "CONTI"]), ("all", ["-L", "-l", "CHUNK=5x3", "-f", "SHUF", "-f", "GZIP=2", "-f", "FLET"])):
            add(f"h5repack_{name}.h5", "h5repack", *options, source, folder / f"h5repack_{name}.h5")
        add("h5repack_compact.h5", "h5repack", "-l", "COMPA", folder / "shapes.h5", folder / "h5repack_compact.h5")
    if all(map(shutil.which, ("h5import", "h5jam", "h5copy"))):
        imported(folder, add)
    return made


def write(folder):
    """All of them: {"plain": [...], "netcdf": [...], "plugins": [...]}; what is compared differs."""
    folder = Path(folder)
    plain = []
    for make in (types, others, filters, layouts, shapes, scales, user_block):
        plain.append(folder / f"{make.__name__}.h5")
        make(plain[-1])
    for libver in ("earliest", "latest"):
        plain.append(folder / f"indexes_{libver}.h5")
        indexes(plain[-1], libver)
    cf(folder / "cf4.nc")
    cf(folder / "cf3.nc", "NETCDF3_64BIT_OFFSET")
    netcdf4(folder / "netcdf4.nc")
    made = tools(folder)
    return {"plain": plain + [p for p in made if p.suffix == ".h5"], "cf": [folder / "cf4.nc"] + [p for p in made if p.suffix == ".nc"],
            "netcdf": [folder / "netcdf4.nc"], "plugins": plugins(folder / "plugins.h5")}


if __name__ == "__main__":
    write(sys.argv[1])
