#!/usr/bin/python3
"""Every example does what its opening comment says: the run line is run with the dataset of examples/make_climate.py, and what it prints is
compared with the lines under "Expected output" (`...` stands for anything).

builds: release asan
cores: 1
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE, BUILD = Path(os.environ["VARVE_SOURCE"]), Path(os.environ["VARVE_BUILD"])
MPIRUN = os.environ.get("VARVE_MPIRUN", "mpirun")


def indented(text, after):
    """The lines of the indented block that follows the first line which contains `after`."""
    block = []
    lines = iter(text.splitlines())
    for line in lines:
        if after in line:
            break
    for line in lines:
        stripped = re.sub(r"^ \*", "", line)
        if stripped.startswith("     "):
            block.append(stripped.strip())
        elif block:
            break
    return block


def matches(expected, got):
    return re.fullmatch(re.escape(expected).replace(r"\.\.\.", ".*"), got) is not None


def run(path, folder):
    comment = path.read_text().partition("*/")[0]
    command = shlex.split((indented(comment, "/*") or [""])[0])
    if "./" + path.stem not in command:
        return f"its opening comment has no run line with ./{path.stem}"
    command = [str(BUILD / "examples" / path.stem) if word == "./" + path.stem else word for word in command]
    if command[0] == "mpirun":
        command[:1] = [MPIRUN]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120 * float(os.environ.get("VARVE_TEST_SLOW", 1)))
    if result.returncode:
        return f"exit status {result.returncode}\n{result.stdout}{result.stderr}"
    expected, got = indented(comment, "Expected output"), [l.strip() for l in result.stdout.strip().splitlines()]
    if len(expected) != len(got) or not all(map(matches, expected, got)):
        return "\n".join(["expected:"] + expected + ["got:"] + got)
    return None


def tour(folder):
    """Every command of the tour ran, said what it should and made its files."""
    env = dict(os.environ, PYTHON=sys.executable)
    result = subprocess.run([str(SOURCE / "examples/tour.sh"), f"{folder}/tour"], capture_output=True, text=True, env=env,
                            timeout=300 * float(os.environ.get("VARVE_TEST_SLOW", 1)))
    said = result.stdout + result.stderr
    if result.returncode:
        return f"exit status {result.returncode}\n{said}"
    for text in ("1990-01-01 12:00 .. 1991-12-31 12:00", "warm_land  309.04", "did you mean 'mean'?", "cell_methods   time: mean", "60°N "):
        if text not in said:
            return f"it does not say '{text}'\n{said}"
    for name in ("series.png", "months.png", "anomaly.png", "histogram.png"):
        if not Path(folder, "tour", name).read_bytes().startswith(b"\x89PNG"):
            return f"{name} is no PNG"
    return None


def main():
    failed = 0
    with tempfile.TemporaryDirectory(prefix="varve-examples-") as folder:
        subprocess.run([sys.executable, str(SOURCE / "examples/make_climate.py"), "t2m.nc"], cwd=folder, check=True)
        for path in sorted((SOURCE / "examples").glob("[0-9][0-9]_*.c")):
            trouble = run(path, folder)
            print(f"{path.name}: {trouble or 'ok'}")
            failed += trouble is not None
        if os.environ.get("VARVE_TEST_SLOW", "1") == "1":  # once is enough: its commands are tested one by one elsewhere
            trouble = tour(folder)
            print(f"tour.sh: {trouble or 'ok'}")
            failed += trouble is not None
    sys.exit(bool(failed))


main()
