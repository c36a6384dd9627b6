#!/usr/bin/python3
# timeout: 120
# cores: 2
# builds: release asan
"""Pictures: what `varve plot` draws is what the data says - colours of known cells at known pixels, limits, ticks, units and titles as text in SVG - on any number of ranks,
of files, expressions and results of other commands; large fields are reduced where they are; and what cannot be drawn is refused.
And what `varve info` shows, in colours on a terminal, complete as JSON.
"""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import zlib

import netCDF4
import numpy as np

import support
from support import make

NT, NY, NX = 24, 19, 36
VIRIDIS_FIRST, VIRIDIS_LAST = (0x44, 0x01, 0x54), (0xFD, 0xE7, 0x25)


def read_png(path):
    """Pixels (height, width, 3) and the pixels per metre of a PNG."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    at, packed, density = 8, b"", None
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + n]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + n:at + 12 + n])[0]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
            assert (depth, color) == (8, 2)
        if kind == b"pHYs":
            density = struct.unpack(">I", body[:4])[0]
        if kind == b"IDAT":
            packed += body
        at += 12 + n
    raw, stride = zlib.decompress(packed), 1 + 3 * width
    rows, above = [], [0] * 3 * width
    for y in range(height):
        how, line = raw[y * stride], list(raw[y * stride + 1:(y + 1) * stride])
        if how == 2:
            line = [(x + b) & 255 for x, b in zip(line, above)]
        elif how:
            for x in range(3 * width):
                a, c = (line[x - 3], above[x - 3]) if x >= 3 else (0, 0)
                b = above[x]
                if how == 4:
                    pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                    a = a if pa <= pb and pa <= pc else b if pb <= pc else c
                elif how == 3:
                    a = (a + b) // 2
                line[x] = (line[x] + a) & 255
        rows.append(line)
        above = line
    return np.array(rows, np.uint8).reshape(height, width, 3), density


def texts(path):
    """What stands in an SVG."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", open(path, encoding="utf-8").read())


def field(t, y, x):
    return 280 + 10 * np.cos(np.radians(y)) + 5 * np.sin(2 * np.pi * t / 12) + 2 * np.cos(np.radians(x))


def data_file(path, calendar="360_day"):
    lat, lon = np.linspace(90, -90, NY), np.arange(NX) * 10.0
    t = np.arange(NT)
    t2m = field(t[:, None, None], lat[:, None], lon).astype("f4")
    t2m[:, 5:8, 10:14] = 1e20
    level = np.array([1000, 850, 500, 200, 50, 10.0])
    zonal = np.add.outer(-level / 20, lat / 3) + np.zeros((4, 1, 1))
    return make(path, {"time": (NT,), "lat": NY, "lon": NX, "level": 6, "member": 4}, {
        "time": (("time",), t * 30.0 + 15, {"attrs": {"units": "days since 1990-01-01", "calendar": calendar}}),
        "lat": (("lat",), lat, {"attrs": {"units": "degrees_north"}}),
        "lon": (("lon",), lon, {"attrs": {"units": "degrees_east"}}),
        "level": (("level",), level, {"attrs": {"units": "hPa", "long_name": "pressure"}}),
        "t2m": (("time", "lat", "lon"), t2m, {"fill_value": np.float32(1e20), "chunksizes": (4, 10, 20),
                                              "attrs": {"units": "K", "long_name": "air temperature"}}),
        "flux": (("lat", "lon"), 1e-5 * np.add.outer(lat, lon), {"attrs": {"units": "kg m-2 s-1"}}),
        "zonal": (("member", "level", "lat"), zonal, {"attrs": {"units": "m s-1", "standard_name": "eastward_wind"}}),
        "packed": (("time", "lat", "lon"), np.broadcast_to(np.arange(NX) * 50, (NT, NY, NX)).astype("i2"),
                   {"attrs": {"scale_factor": 0.01, "add_offset": 18.0}}),
        "runs": (("time", "member"), np.add.outer(t * 1.0, np.arange(4)), {"attrs": {"units": "mm"}}),
        "nothing": (("lat", "lon"), np.full((NY, NX), 1e20, "f4"), {"fill_value": np.float32(1e20)}),
    }, {"title": "a test"})


class Plot(support.Case):
    def setUp(self):
        super().setUp()
        self.data = data_file(self.path("in.nc"))

    def plot(self, *args, name="out.svg", **how):
        out = self.path(name)
        self.run_ok("plot", *args, "-O", "-o", out, **how)
        self.no_parts(self.dir)
        return out

    def test_a_map_says_what_it_shows(self):
        said = texts(self.plot(f"{self.data}:t2m"))
        for text in ("Air temperature", "1990-01-16 (the first of 24)", "K", "60°N", "0°", "30°S", "60°E", "180°", "60°W"):
            self.assertIn(text, said)
        self.assertTrue({"270", "275", "280", "285"} <= set(said) or {"280", "284", "288"} <= set(said), said)
        said = texts(self.plot(f"{self.data}:t2m", "--select", "time=1990-07", "--title", "July & more"))
        self.assertIn("July &amp; more", said)
        self.assertIn("1990-07-16", said)
        said = texts(self.plot(f"{self.data}:t2m", "--select", "season=JJA,lat=-30:60", "--panels", "time"))
        self.assertEqual([t for t in said if t.startswith("199")], ["1990-06-16", "1990-07-16", "1990-08-16", "1991-06-16", "1991-07-16", "1991-08-16"])
        self.assertNotIn("60°S", said)
        self.assertIn("10⁻³ kg m⁻² s⁻¹", texts(self.plot(f"{self.data}:flux")))

    def test_pixels_have_the_colours_of_their_cells(self):
        out = self.plot("2 * arange(x, 4)", name="four.png")
        self.assertEqual(len(read_png(out)[0].shape), 3)
        out = self.plot(f"{self.data}:t2m", "--size", "640x400", "--vmin", "270", "--vmax", "295", name="map.png")
        pixels, density = read_png(out)
        self.assertEqual(pixels.shape, (400, 640, 3))
        self.assertEqual(density, 3937)  # 100 to the inch
        self.assertGreater(len(np.unique(pixels.reshape(-1, 3), axis=0)), 100)
        frame = np.argwhere((pixels < 45).all(axis=2))
        rows, columns = np.bincount(frame[:, 0], minlength=400), np.bincount(frame[:, 1], minlength=640)
        top, bottom = np.flatnonzero(rows > 300)[[0, -1]]
        upright = np.flatnonzero(columns > 150)
        left, right = upright[0], upright[1]
        self.assertAlmostEqual((right - left) / (bottom - top), 2, delta=0.05)
        bar_left = upright[2]

        def expected(value):
            anchors = np.array([0x440154, 0x48186A, 0x472D7B, 0x424086, 0x3B528B, 0x33638D, 0x2C728E, 0x26818E, 0x21908C, 0x1F9F88,
                                0x28AE80, 0x3EBC74, 0x5DC963, 0x82D34C, 0xABDC32, 0xD5E21A, 0xFDE725])
            rgb = np.stack([anchors >> 16, anchors >> 8 & 255, anchors & 255], 1).astype(float)
            place = (value - 270) / 25 * 16
            return [np.interp(place, range(17), rgb[:, c]) for c in range(3)]

        for row, column in ((9, 0), (3, 18), (15, 30), (1, 35)):
            y, x = 90 - 10 * row, 10 * column
            pixel = pixels[round(top + (90 - y) / 180 * (bottom - top)), round(left + (x + 5) / 360 * (right - left))]
            np.testing.assert_allclose(pixel, expected(field(0, y, x)), atol=3, err_msg=f"{y} {x}")
        hatched = pixels[round(top + (90 - 30) / 180 * (bottom - top)), round(left + 125 / 360 * (right - left))]
        self.assertEqual(len(set(hatched.tolist())), 1, "missing values are grey")
        bar = pixels[top + 3:bottom - 3, bar_left + 9]
        np.testing.assert_allclose(bar[0], VIRIDIS_LAST, atol=14)
        np.testing.assert_allclose(bar[-1], VIRIDIS_FIRST, atol=14)

    def test_what_lies_around_zero_is_centred_there(self):
        out = self.plot("anom = t2m[time=0] - t2m[time=0].mean(lon)", self.data, "--size", "480", name="a.png")
        pixels, _ = read_png(out)
        reds = ((pixels[..., 0] > 180) & (pixels[..., 2] < 140)).sum()
        blues = ((pixels[..., 2] > 140) & (pixels[..., 0] < 120)).sum()
        self.assertTrue(reds > 300 and blues > 300, (reds, blues))
        said = texts(self.plot("t2m[time=0] - t2m[time=0].mean(lon)", self.data, "--levels=-3,-1,0,1,3"))
        self.assertEqual([t for t in said if t in ("−3", "−1", "0", "1", "3")], ["−3", "−1", "0", "1", "3"])
        self.assertIn("Air temperature", texts(self.plot("t2m[time=0]", self.data)))
        said = texts(self.plot("x = t2m[time=0] - 285", self.data, "--center", "5", "--vmin", "-5", "--vmax", "15"))
        self.assertTrue({"−5", "0", "5", "10", "15"} <= set(said), said)
        said = texts(self.plot("x = t2m[time=0] - t2m[time=0].mean(lon)", self.data, "--center", "none"))
        self.assertTrue({"−2", "−2.0"} & set(said), said)

    def test_lines_have_dates_of_their_calendar(self):
        said = texts(self.plot("warmest = max(t2m, lat, lon)", "coldest = min(t2m, lat, lon)", self.data))
        for text in ("warmest", "coldest", "K", "Jan", "1990", "1991"):
            self.assertIn(text, said)
        said = texts(self.plot(f"{self.data}:runs"))
        self.assertEqual(sum(t.startswith("member") for t in said), 4, said)
        said = texts(self.plot(f"{self.data}:t2m", "-d", "time", "--select", "lat=~0,lon=100"))
        self.assertIn("0°, 100°E", said)

    def test_sections_histograms_panels(self):
        out = self.plot(f"{self.data}:zonal")
        said = texts(out)
        for text in ("Eastward wind", "m s⁻¹", "pressure [hPa]", "1000", "500", "100", "10", "30°S"):
            self.assertIn(text, said)
        places = dict((t, float(y)) for y, t in re.findall(r'<text x="[\d.]+" y="([\d.]+)"[^>]*>(1000|500|10)</text>', open(out, encoding="utf-8").read()))
        self.assertTrue(places["1000"] > places["500"] > places["10"], "pressure grows downwards")
        said = texts(self.plot(f"{self.data}:t2m", "--kind", "histogram", "--bins", "10", "--vmin", "270", "--vmax", "300"))
        self.assertTrue({"share of values [%]", "t2m [K]", "270", "300"} <= set(said), said)
        said = texts(self.plot(f"{self.data}:t2m", "--select", "time=#0:4", "--panels", "time"))
        self.assertEqual([t for t in said if t.startswith("1990")], ["1990-01-16", "1990-02-16", "1990-03-16", "1990-04-16"])
        self.assertEqual(said.count("60°N"), 2, "panels side by side name their ticks once")
        said = texts(self.plot(f"{self.data}:t2m,flux"))
        self.assertTrue({"K", "10⁻³ kg m⁻² s⁻¹", "Air temperature", "flux"} <= set(said), said)

    def test_curvilinear_grids(self):
        """A grid turned by 30 degrees about 170 E, 10 N: a map with longitudes over the date line, missing outside of the grid; x + y of the map is what is drawn."""
        j, i = np.meshgrid(np.arange(40) - 20.0, np.arange(60) - 30.0, indexing="ij")
        lon, lat = 170 + i * np.cos(np.pi / 6) - j * 0.5, 10 + i * 0.5 + j * np.cos(np.pi / 6)
        path = make(self.path("curved.nc"), {"time": 2, "y": 40, "x": 60}, {
            "lon": (("y", "x"), (lon + 180) % 360 - 180, {"attrs": {"units": "degrees_east"}}),
            "lat": (("y", "x"), lat, {"attrs": {"units": "degrees_north"}}),
            "sum": (("time", "y", "x"), np.stack([lon + lat] * 2), {"attrs": {"coordinates": "lon lat"}})})
        out = self.plot(f"{path}:sum", "--size", "560x440", "--vmin", "100", "--vmax", "260", "--cmap", "gray", name="curved.png")
        pixels, _ = read_png(out)
        said = texts(self.plot(f"{path}:sum"))
        self.assertTrue({"160°E", "180°", "160°W", "0°", "20°N"} <= set(said), said)
        dark = (pixels < 45).all(axis=2)
        upright, level = np.flatnonzero(dark.sum(axis=0) > 200), np.flatnonzero(dark.sum(axis=1) > 200)
        left, right, top, bottom = upright[0], upright[1], level[0], level[-1]
        middle = pixels[(top + bottom) // 2, (left + right) // 2].astype(int)
        near = pixels[(top + bottom) // 2, (left + right) // 2 + 20].astype(int)
        self.assertEqual(len(set(middle.tolist())), 1)
        self.assertGreater(near[0], middle[0], "values grow to the east")
        corners = [pixels[y, x].tolist() for y, x in ((top + 4, left + 4), (bottom - 4, right - 4))]
        self.assertTrue(all(min(c) > 170 for c in corners), f"outside of the grid nothing is known: {corners}")

    def test_coordinates_of_no_use_are_positions(self):
        odd = make(self.path("odd.nc"), {"time": 5, "lat": 4, "lon": 6}, {
            "time": (("time",), np.array([0.0, 10, 5, 20, 30]), {"attrs": {"units": "days since 1990-01-01"}}),
            "lon": (("lon",), np.array([170.0, 175, 180, -175, -170, -165]), {"attrs": {"units": "degrees_east"}}),
            "lat": (("lat",), np.array([1.0, 2, 2, 3]), {"attrs": {"units": "degrees_north"}}),
            "x": (("time",), np.arange(5.0)), "y": (("lat", "lon"), np.arange(24.0).reshape(4, 6))})
        said = texts(self.plot(f"{odd}:x"))
        self.assertIn("time (position)", said)
        self.assertFalse([t for t in said if "199" in t], said)
        said = texts(self.plot(f"{odd}:y"))
        self.assertIn("lat (position)", said)
        self.assertTrue({"170°E", "180°", "170°W"} <= set(said), "longitudes go on over the date line")

    def test_ranks_and_other_commands(self):
        one = open(self.plot(f"{self.data}:t2m"), "rb").read()
        self.assertEqual(one, open(self.plot(f"{self.data}:t2m", ranks=3), "rb").read())
        self.run_ok("mean", "-d", "time", "-v", "t2m", self.data, "-o", self.path("mean.png"))
        self.assertEqual(read_png(self.path("mean.png"))[0].shape[1], 1200)
        self.run_ok("mean", "-d", "time", "-v", "t2m", self.data, "-o", self.path("mean.svg"))
        self.assertIn("Air temperature, mean over time", texts(self.path("mean.svg")))
        self.run_ok("select", "time=#3", "-v", "packed", self.data, "-o", self.path("selected.svg"))
        self.assertTrue({"20", "26", "32"} <= set(texts(self.path("selected.svg"))), "values, not what is stored")
        pdf = self.plot(f"{self.data}:t2m", name="x.pdf")
        self.assertEqual(open(pdf, "rb").read(5), b"%PDF-")
        twice, density = read_png(self.plot(f"{self.data}:flux", "--dpi", "200", name="twice.png"))
        self.assertEqual((twice.shape[1], density), (2400, 7874))

    def test_large_fields_are_reduced_where_they_are(self):
        big = "virtual:x?shape=lat:3000,lon:4001&chunk=500,500&dtype=f32&value=index"
        out = self.path("big.png")
        result = self.run_ok("plot", f"{big}", "-v", "x", "-o", out, "--stats", ranks=2, timeout=100)
        self.assertLess(result.stats["moved"], 60e6)
        text = self.run_ok("plot", big, "-v", "x", "-o", out, "--explain").out
        self.assertIn("gather", text)
        sizes = [float(x) for x in re.findall(r"gather .*?(\d+) x \d+", text)] or [0]
        self.assertLess(max(sizes), 3000)
        line = self.run_ok("plot", "arange(x, 1000000)", "-o", self.path("line.svg"))
        self.assertLess(os.path.getsize(self.path("line.svg")), 1e6, line)

    def test_terminals(self):
        out = self.run_ok("plot", f"{self.data}:t2m").out
        self.assertIn("Air temperature", out)
        self.assertIn("60°N", out)
        self.assertIn("?", out)
        self.assertNotIn("\x1b", out)
        self.assertEqual(out, self.run_ok("plot", f"{self.data}:t2m", "-o", "-").out)
        self.assertLessEqual(max(map(len, out.splitlines())), 82)
        self.assertIn("⠁", self.run_ok("plot", "arange(x, 40)").out.replace("⡀", "⠁").replace("⢀", "⠁"))

    def on_terminal(self, *args, **env):
        """What a command writes to a terminal of 100 columns."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        how = support.environment({"TERM": "xterm", **env})
        for name in ("NO_COLOR", "OMPI_COMM_WORLD_RANK"):
            if name not in env:
                how.pop(name, None)
        job = subprocess.Popen([support.binary(), *args], stdout=slave, stderr=subprocess.DEVNULL, env=how)
        os.close(slave)
        said = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            said += part
        os.close(master)
        self.assertEqual(job.wait(60 * support.SLOW), 0)
        return said.decode()

    def test_colours_on_terminals_only(self):
        self.assertIn("\x1b[38;2;", self.on_terminal("plot", f"{self.data}:t2m"))
        self.assertNotIn("\x1b", self.on_terminal("plot", f"{self.data}:t2m", NO_COLOR="1"))
        plain, bright = self.run_ok("info", self.data).out, self.on_terminal("info", self.data)
        self.assertNotIn("\x1b", plain)
        self.assertIn("\x1b[1mvariables\x1b[0m", bright)
        self.assertIn("\x1b[36m", bright)
        self.assertEqual(re.sub("\x1b\\[[0-9;]*m", "", bright).replace("\r", ""), plain, "colours change no text")
        self.assertEqual(self.on_terminal("info", self.data, NO_COLOR="1").replace("\r", ""), plain)

    def test_info_is_complete_as_json(self):
        told = json.loads(self.run_ok("info", "--json", self.data).out)
        with netCDF4.Dataset(self.data) as f:
            self.assertEqual({n: len(d) for n, d in f.dimensions.items()}, {n: d["length"] for n, d in told["dimensions"].items()})
            self.assertEqual(set(f.variables), set(told["variables"]))
            self.assertEqual({n: f.getncattr(n) for n in f.ncattrs()}, told["attributes"])
            for name, v in f.variables.items():
                t = told["variables"][name]
                self.assertEqual(list(v.dimensions), t["dimensions"])
                self.assertEqual(v.dtype.itemsize, int(t["type"][1:]) // 8)
                self.assertEqual(v.chunking(), t["chunk"] or "contiguous")
                filters = v.filters()
                self.assertEqual((filters["zlib"], filters["shuffle"], filters["fletcher32"]), (t["deflate"] is not None, t["shuffle"], t["fletcher32"]))
                self.assertEqual(set(v.ncattrs()), set(t["attributes"]))
                for a in v.ncattrs():
                    there = np.asarray(v.getncattr(a))
                    np.testing.assert_equal(np.asarray(t["attributes"][a]).astype(there.dtype), there, f"{name}.{a}")
                self.assertEqual(t["fill"], t["attributes"].get("_FillValue"))
                if not filters["zlib"] and not t["chunk"]:
                    self.assertEqual(t["stored"], v.size * v.dtype.itemsize)
        self.assertEqual(told["bytes"], os.path.getsize(self.data))
        time = told["variables"]["time"]
        self.assertEqual((time["first_time"], time["last_time"], time["step"]), ("1990-01-16", "1991-12-16", 30))

    def test_what_cannot_be_drawn_is_refused(self):
        def refused(code, pattern, *args):
            self.refused(support.varve("plot", *args), code, pattern)
            self.assertFalse(os.path.exists(self.path("no.png")))

        out = ("-o", self.path("no.png"))
        refused(2, "several variables, t2m,flux.*which one", self.data, *out)
        refused(3, "did you mean 't2m'", f"{self.data}:t2n", *out)
        refused(2, "ends in .png, .svg or .pdf", f"{self.data}:t2m", "-o", self.path("no.jpg"))
        refused(2, "did you mean 'viridis'", f"{self.data}:t2m", "--cmap", "virdis", *out)
        refused(2, "has no dimension 'tim' for panels; did you mean 'time'", f"{self.data}:t2m", "--panels", "tim", *out)
        refused(2, "a selection is DIM=WHAT", f"{self.data}:t2m", "--select", "1990", *out)
        refused(2, "single value", "mean(t2m)", self.data, *out)
        refused(1, "all are missing", f"{self.data}:nothing", *out)
        refused(2, "levels ascend", f"{self.data}:t2m", "--levels", "3,2,1", *out)
        refused(2, "lower limit 5 is not below", f"{self.data}:t2m", "--vmin", "5", "--vmax", "5", *out)
        refused(2, "has no room", f"{self.data}:t2m", "--size", "150x100", *out)
        refused(2, "takes pixels such as", f"{self.data}:t2m", "--size", "big", *out)
        refused(2, "complex", "make_complex(flux, flux)", self.data, *out)
        refused(3, "in.nc.*no.nc|no.nc", self.path("no.nc"), *out)
        open(self.path("there.svg"), "w").close()
        self.refused(support.varve("plot", f"{self.data}:t2m", "-o", self.path("there.svg")), 5, "exists")
        self.refused(support.varve("plot", f"{self.data}:t2m", "-o", self.path("no/such/dir.svg")), 5, "cannot write")


if __name__ == "__main__":
    support.main(workers=2)
