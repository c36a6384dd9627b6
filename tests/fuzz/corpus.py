#!/usr/bin/python3
"""The small files that files.py damages, each with other parts of the formats in it: corpus.py DIRECTORY

Data are few, so that most bytes are metadata: that is where damage hurts a reader.
"""
import sys
from pathlib import Path

import h5py
import netCDF4
import numpy as np

RNG = np.random.default_rng(4)


def climate(f, shape=(12, 5, 6), **options):
    """x(time, lat, lon) with its coordinates in an open netCDF file."""
    for name, n in zip(("time", "lat", "lon"), shape):
        f.createDimension(name, None if name == "time" and options.pop("unlimited", False) else n)
    t = f.createVariable("time", "f8", ("time",))
    t.units, t.calendar, t.standard_name = "hours since 1990-01-01 00:00", "standard", "time"
    lat, lon = (f.createVariable(n, "f4", (n,)) for n in ("lat", "lon"))
    lat.units, lon.units = "degrees_north", "degrees_east"
    v = f.createVariable("x", options.pop("dtype", "f4"), ("time", "lat", "lon"), **options)
    v.long_name, v.cell_methods = "a quantity", "time: point"
    t[:] = np.arange(shape[0]) * 6
    lat[:] = np.linspace(-80, 80, shape[1])
    lon[:] = np.arange(shape[2]) * 30
    v.set_auto_scale(False)
    v[:] = RNG.normal(280, 9, shape)
    f.title, f.Conventions = "a file to be damaged", "CF-1.10"
    return v


def chunked(path):
    """NetCDF-4 along an unlimited dimension: B-tree version 1, deflate and shuffle."""
    with netCDF4.Dataset(path, "w") as f:
        climate(f, unlimited=True, zlib=True, shuffle=True, complevel=4, chunksizes=(2, 3, 4))


def contiguous(path):
    with netCDF4.Dataset(path, "w") as f:
        climate(f, contiguous=True)


def groups(path):
    """Groups in groups, strings, characters, a compound, an enumeration, a list of variable length."""
    with netCDF4.Dataset(path, "w") as f:
        climate(f, chunksizes=(4, 5, 6))
        g = f.createGroup("model").createGroup("ocean")
        g.createDimension("depth", 3)
        g.createVariable("depth", "f4", ("depth",))[:] = [1, 2, 3]
        g.createVariable("salt", "f8", ("time", "depth"), zlib=True)[:] = np.arange(36).reshape(12, 3)
        g.createVariable("name", str, ("depth",))[:] = np.array(["one", "two", ""], object)
        f.createDimension("letters", 4)
        f.createVariable("code", "S1", ("lat", "letters"))[:] = netCDF4.stringtochar(np.array(["a", "bb", "ccc", "", "dddd"], "S4"))
        pair = f.createCompoundType(np.dtype([("a", "i4"), ("b", "f8")]), "pair")
        f.createVariable("pairs", pair, ("lat",))
        kind = f.createEnumType(np.uint8, "kind", {"sea": 0, "land": 1})
        f.createVariable("mask", kind, ("lat", "lon"), fill_value=0)[:] = 1
        f.createVLType(np.int32, "list")
        f.setncattr_string("authors", ["A", "B"])
        f.createVariable("crs", "i4", ()).grid_mapping_name = "latitude_longitude"


def packed(path):
    """Scaled integers with missing values and a valid range, and checksums."""
    with netCDF4.Dataset(path, "w") as f:
        v = climate(f, dtype="i2", fill_value=-32768, zlib=True, fletcher32=True, chunksizes=(3, 5, 6))
        v.setncatts({"scale_factor": 0.01, "add_offset": 270.0, "missing_value": np.array([-1, -2], "i2"), "valid_range": np.array([-900, 900], "i2")})
        v.set_auto_maskandscale(False)
        v[:] = RNG.integers(-1000, 1000, v.shape)


def newest(path):
    """Newest format: all the other chunk indexes (single chunk, implicit, fixed array, extensible array, B-tree version 2), object headers with checksums."""
    with h5py.File(path, "w", libver="latest") as f:
        time = f.create_dataset("time", data=np.arange(12.0))
        time.attrs["units"] = "days since 2000-02-30"
        time.attrs["calendar"] = "360_day"
        time.make_scale("time")
        x = RNG.normal(size=(12, 5, 6)).astype("f4")
        for name, how in {"single": dict(chunks=(12, 5, 6), compression="gzip"), "fixed": dict(chunks=(4, 5, 3), compression="gzip", shuffle=True),
                          "growing": dict(chunks=(4, 5, 3), maxshape=(None, 5, 6), compression=1), "tree": dict(chunks=(4, 5, 3), maxshape=(None, None, 6)),
                          "summed": dict(chunks=(5, 5, 6), fletcher32=True)}.items():
            f.create_dataset(name, data=x, **how).dims[0].attach_scale(time)
        f["tree"].attrs["_FillValue"] = np.float32(1e20)


def oldest(path):
    """Oldest format: symbol tables and local heaps; compact and empty data sets, both byte orders, bool, enum, complex, half and 24-bit numbers."""
    with h5py.File(path, "w", libver="earliest") as f:
        x = RNG.normal(size=(12, 5, 6))
        time = f.create_dataset("time", data=np.arange(12.0))
        time.make_scale()
        f["little"], f["big"], f["half"] = x.astype("<f4"), x.astype(">f8"), x.astype("f2")
        f["flag"], f["z"] = x > 0, (x + 1j).astype("c8")
        f["whole"] = np.arange(60, dtype=">u8").reshape(12, 5)
        f.create_dataset("text", data=np.array(["a", "bb"], "S5"))
        f.create_dataset("nothing", (0, 5), "i4", maxshape=(None, 5))
        f.create_dataset("never", (12, 5, 6), "i4", chunks=(4, 5, 6), fillvalue=7)
        f.create_dataset("empty", data=h5py.Empty("f4"))
        f["deep/er/still"] = np.arange(12.0)
        for name in ("little", "big", "half", "flag", "z", "whole", "never"):
            f[name].dims[0].attach_scale(time)
        create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        create.set_layout(h5py.h5d.COMPACT)
        small = h5py.h5d.create(f.id, b"compact", h5py.h5t.STD_I32LE, h5py.h5s.create_simple((12,)), create)
        small.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(12, dtype="i4"))
        odd = h5py.h5t.STD_I32LE.copy()
        odd.set_precision(24)
        h5py.h5d.create(f.id, b"odd", odd, h5py.h5s.create_simple((12,))).write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(12, dtype="i4"))


def crowded(path):
    """Many variables and attributes: links and attributes in fractal heaps."""
    with netCDF4.Dataset(path, "w") as f:
        v = climate(f, zlib=True)
        for i in range(20):
            v.setncattr(f"attribute_{i}", np.arange(i, dtype="i4") if i % 2 else "text " * i)
            f.createVariable(f"v{i}", "i2", ("time",))[:] = i


def linked(path):
    """Links of every kind, in circles and to nowhere; virtual and external data."""
    with h5py.File(path, "w", libver="latest") as f:
        f["x"], f["time"] = RNG.normal(size=(12, 5)).astype("f4"), np.arange(12.0)
        f["time"].make_scale()
        f["x"].dims[0].attach_scale(f["time"])
        g = f.create_group("a/b")
        g["up"], f["again"] = f["/"], f["x"]
        f["soft"], f["nowhere"] = h5py.SoftLink("/x"), h5py.SoftLink("/no/where")
        f["circle"], f["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/circle")
        f["outside"] = h5py.ExternalLink("other.nc", "/x")
        layout = h5py.VirtualLayout((24, 5), "f4")
        for i in range(2):
            layout[i * 12:(i + 1) * 12] = h5py.VirtualSource(".", "x", shape=(12, 5))
        f.create_virtual_dataset("virtual", layout, fillvalue=-1)
        f.create_dataset("external", (12,), "f4", external=[("other.raw", 0, 48)])


def classic(path, format="NETCDF3_CLASSIC"):
    """Record variables beside fixed ones."""
    with netCDF4.Dataset(path, "w", format=format) as f:
        v = climate(f, dtype="i2" if format == "NETCDF3_CLASSIC" else "f4", unlimited=True, fill_value=-99)
        v.scale_factor = 0.5
        f.createVariable("second", "f8", ("time", "lon"))[:] = np.arange(72).reshape(12, 6)
        f.createVariable("byte", "i1", ("time",))[:] = 1
        f.createVariable("fixed", "i4", ("lat", "lon"))[:] = 3


FILES = {"chunked": chunked, "contiguous": contiguous, "groups": groups, "packed": packed, "newest": newest, "oldest": oldest, "crowded": crowded,
         "linked": linked, "cdf1": classic, "cdf5": lambda p: classic(p, "NETCDF3_64BIT_DATA")}


def write(folder):
    """Writes them all; their paths."""
    paths = [Path(folder) / f"{name}.nc" for name in FILES]
    for path, make in zip(paths, FILES.values()):
        make(path)
    return paths


if __name__ == "__main__":
    for path in write(sys.argv[1]):
        print(path, path.stat().st_size)
