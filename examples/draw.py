#!/usr/bin/python3
"""Draws a map from a NetCDF file: in the terminal, and as a PNG.

    examples/draw.py out.nc [--variable t2m] [--png map.png] [--width 72]

The variable is a field over lat and lon (the first one found, unless named; of further dimensions the first position). Colours in a
terminal, plain shades elsewhere. Nothing but Python, NumPy and netCDF4: the PNG is put together here.
"""
import argparse
import os
import re
import shutil
import struct
import sys
import zlib

import netCDF4
import numpy as np

# viridis: equal steps in the data look like equal steps in colour, also in grey and to most colour-blind people
VIRIDIS = [0x440154, 0x482475, 0x414487, 0x355F8D, 0x2A788E, 0x21918C, 0x22A884, 0x44BF70, 0x7AD151, 0xBDDF26, 0xFDE725]
MISSING = (225, 225, 225)
INK, FAINT = (40, 40, 40), (120, 120, 120)

# 5 x 7 letters from 0x20 on: five columns each, lowest bit at the top
FONT = bytes.fromhex(
    "0000000000 00005f0000 0007000700 147f147f14 242a7f2a12 2313086462 3649562050 0008070300 001c224100 0041221c00 2a1c7f1c2a 08083e0808"
    "0080703000 0808080808 0000606000 2010080402 3e5149453e 00427f4000 7249494946 2141494d33 1814127f10 2745454539 3c4a494931 4121110907"
    "3649494936 464949291e 0000140000 0040340000 0008142241 1414141414 0041221408 0201590906 3e415d594e 7c1211127c 7f49494936 3e41414122"
    "7f4141413e 7f49494941 7f09090901 3e41415173 7f0808087f 00417f4100 2040413f01 7f08142241 7f40404040 7f021c027f 7f0408107f 3e4141413e"
    "7f09090906 3e4151215e 7f09192946 2649494932 03017f0103 3f4040403f 1f2040201f 3f4038403f 6314081463 0304780403 6159494d43 007f414141"
    "0204081020 004141417f 0402010204 4040404040 0003070800 2054547840 7f28444438 3844444428 384444287f 3854545418 00087e0902 18a4a49c78"
    "7f08040478 00447d4000 2040403d00 7f10284400 00417f4000 7c04780478 7c08040478 3844444438 fc18242418 18242418fc 7c08040408 4854545424"
    "04043f4424 3c4040207c 1c2040201c 3c4030403c 4428102844 4c9090907c 4464544c44 0008364100 0000770000 0041360800 0201020402".replace(" ", ""))


class Field:
    """A map as rows from north to south, with what the file says about it."""

    def __init__(self, path, name):
        with netCDF4.Dataset(path) as f:
            v = f[name] if name else self.first(f, path)
            if not {"lat", "lon"} <= set(v.dimensions):
                sys.exit(f"{path}: {v.name} has no dimensions lat and lon")
            at = tuple(slice(None) if d in ("lat", "lon") else 0 for d in v.dimensions)
            values = np.ma.filled(np.ma.asarray(v[at]).astype(float), np.nan)
            kept = [d for d in v.dimensions if d in ("lat", "lon")]
            self.values = values if kept == ["lat", "lon"] else values.T
            self.lat, self.lon = f["lat"][:].filled(np.nan), f["lon"][:].filled(np.nan)
            self.name, self.units = v.name, getattr(v, "units", "")
            title = getattr(v, "long_name", v.name)
            methods = re.findall(r"(\w+): (\w+)", getattr(v, "cell_methods", ""))
        if self.lat[0] < self.lat[-1]:
            self.lat, self.values = self.lat[::-1], self.values[::-1]
        done = f", {methods[-1][1]} over {methods[-1][0]}" if methods else ""
        self.title = title + done + (f" [{self.units}]" if self.units else "")
        if np.isnan(self.values).all():
            sys.exit(f"{path}: {self.name} has no values to draw")
        self.ticks = ticks(np.nanmin(self.values), np.nanmax(self.values), 6)
        self.low, self.high = np.nanmin(self.values), np.nanmax(self.values)

    @staticmethod
    def first(f, path):
        for v in f.variables.values():
            if {"lat", "lon"} <= set(v.dimensions):
                return v
        sys.exit(f"{path}: no variable over lat and lon")

    def sampled(self, height, width):
        """The nearest value for each cell of a grid of this size."""
        rows = (np.arange(height) + 0.5) * len(self.lat) / height
        columns = (np.arange(width) + 0.5) * len(self.lon) / width
        return self.values[rows.astype(int)[:, None], columns.astype(int)[None, :]]

    def share(self, x):
        """Place of a value between the lowest and the highest, 0 to 1."""
        return (x - self.low) / ((self.high - self.low) or 1)


def ticks(low, high, about):
    """Round numbers between low and high."""
    if low == high:
        return [low]
    step = 10 ** np.floor(np.log10((high - low) / about))
    step *= min((m for m in (1, 2, 5, 10)), key=lambda m: abs((high - low) / (step * m) - about))
    first = np.ceil(low / step) * step
    return [round(x, 10) for x in np.arange(first, high + step / 1e6, step)]


def colours(share):
    """RGB bytes for shares; grey where there is no value."""
    anchors = np.array([[c >> 16, c >> 8 & 255, c & 255] for c in VIRIDIS], float)
    place = np.clip(np.nan_to_num(share), 0, 1) * (len(anchors) - 1)
    below = np.minimum(place.astype(int), len(anchors) - 2)
    rgb = anchors[below] + (place - below)[..., None] * (anchors[below + 1] - anchors[below])
    return np.where(np.isnan(share)[..., None], MISSING, np.round(rgb)).astype(np.uint8)


def degrees(x, positive, negative):
    if positive == "E":
        x = (x + 180) % 360 - 180
    letter = "" if x in (0, -180) else positive if x > 0 else negative
    return f"{abs(x):g}{letter}"


# --- terminal ---


def terminal(field, width, colour):
    height = max(8, round(width * len(field.lat) / len(field.lon)) // 2 * 2)  # of cells half as high as a character
    share = field.share(field.sampled(height, width))
    lines = [field.title]
    if colour:  # two rows of cells in one of characters
        rgb = colours(share)
        for y in range(0, height, 2):
            cells = ("\x1b[38;2;{};{};{}m\x1b[48;2;{};{};{}m\u2580".format(*rgb[y, x], *rgb[y + 1, x]) for x in range(width))
            lines.append("".join(cells) + "\x1b[0m")
        bar = colours(np.linspace(0, 1, 24))
        strip = "".join("\x1b[48;2;{};{};{}m ".format(*c) for c in bar) + "\x1b[0m"
    else:
        shades = np.array(list(" .:-=+*#%@"))
        index = np.clip(np.nan_to_num(share) * len(shades), 0, len(shades) - 1).astype(int)
        lines += ["".join(row) for row in np.where(np.isnan(share), "?", shades[index])[::2]]
        strip = "|" + "".join(s * 2 for s in shades) + "|"
    lines.append(f"{field.low:.4g} {strip} {field.high:.4g} {field.units}")
    return "\n".join(lines)


# --- PNG ---


class Picture:
    def __init__(self, width, height):
        self.rgb = np.full((height, width, 3), 255, np.uint8)

    def box(self, x, y, width, height, colour):
        self.rgb[y:y + height, x:x + width] = colour

    def frame(self, x, y, width, height, colour=INK):
        for edge in ((x - 1, y - 1, width + 2, 1), (x - 1, y + height, width + 2, 1), (x - 1, y, 1, height), (x + width, y, 1, height)):
            self.box(*edge, colour)

    def text(self, x, y, words, size=2, anchor=0.0, colour=INK):
        """Words with their top at y; anchor 0 begins, 0.5 centres, 1 ends them at x."""
        words = [min(max(ord(c), 0x20), 0x7E) - 0x20 for c in words]
        x = round(x - anchor * (len(words) * 6 - 1) * size)
        for c in words:
            columns = np.frombuffer(FONT[5 * c:5 * c + 5], np.uint8)
            dots = (columns[None, :] >> np.arange(8)[:, None] & 1).repeat(size, 0).repeat(size, 1).astype(bool)
            part = self.rgb[y:y + dots.shape[0], max(x, 0):x + dots.shape[1]]
            part[dots[:part.shape[0], :part.shape[1]]] = colour
            x += 6 * size

    def save(self, path):
        height, width, _ = self.rgb.shape
        raw = np.concatenate([np.zeros((height, 1), np.uint8), self.rgb.reshape(height, -1)], axis=1).tobytes()

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        with open(path, "wb") as f:
            f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
                    + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def axis_ticks(picture, field, left, top, width, height):
    lat, lon = field.lat, field.lon
    for x in np.arange(np.ceil(lon[0] / 60) * 60, lon[-1] + 1, 60):
        at = round(left + (x - lon[0] + 0.5 * (lon[1] - lon[0])) / (lon[1] - lon[0]) * width / len(lon))
        picture.box(at, top + height + 1, 1, 6, INK)
        picture.text(at, top + height + 12, degrees(x, "E", "W"), anchor=0.5)
    for y in np.arange(-60, 61, 30):
        if min(lat) <= y <= max(lat):
            at = round(top + (lat[0] - y + 0.5 * (lat[0] - lat[1])) / (lat[0] - lat[1]) * height / len(lat))
            picture.box(left - 7, at, 6, 1, INK)
            picture.text(left - 12, at - 7, degrees(y, "N", "S"), anchor=1)


def png(field, path):
    scale = max(1, 1080 // len(field.lon))
    width, height = scale * len(field.lon), scale * len(field.lat)
    left, top, gap, bar = 70, 58, 30, 24
    picture = Picture(left + width + gap + bar + 110, top + height + 46)
    picture.text(left, 22, field.title)
    picture.rgb[top:top + height, left:left + width] = colours(field.share(field.values)).repeat(scale, 0).repeat(scale, 1)
    picture.frame(left, top, width, height)
    axis_ticks(picture, field, left, top, width, height)
    x = left + width + gap
    picture.rgb[top:top + height, x:x + bar] = colours(np.linspace(1, 0, height))[:, None, :]
    picture.frame(x, top, bar, height)
    for value in field.ticks:
        y = round(top + (1 - field.share(value)) * (height - 1))
        picture.box(x + bar + 1, y, 6, 1, INK)
        picture.text(x + bar + 12, y - 7, f"{value:g}")
    picture.text(x, top - 24, field.units or field.name, colour=FAINT)
    picture.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--variable")
    parser.add_argument("--png")
    parser.add_argument("--width", type=int, default=min(72, shutil.get_terminal_size().columns))
    given = parser.parse_args()
    field = Field(given.path, given.variable)
    print(terminal(field, given.width, sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    if given.png:
        png(field, given.png)
        print(f"the same as a picture: {given.png}")


if __name__ == "__main__":
    main()
