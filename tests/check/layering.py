#!/usr/bin/python3
"""The layers of src/ hold: every #include is checked against the table in src/README.md.

    tests/check/layering.py [SOURCE-TREE]

- A folder includes only itself, folders of a lower level and the public headers; public headers include only each other and C.
- The top level of the command line (cli) includes the public headers and itself, nothing else.
- MPI's and HDF5's headers stay where the last column of the table does not forbid them; MPI_COMM_WORLD is written once.
- No source file is longer than 1,000 lines, and nothing unexpected lies at the top of the repository.

builds: release
"""
import os
import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("VARVE_SOURCE", Path(__file__).resolve().parents[2])).resolve()
TOP = {"src", "include", "examples", "jobscripts", "tests", "cmake", "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"}
OUTSIDE = {"mpi.h": "MPI", "hdf5.h": "HDF5", "hdf5_hl.h": "HDF5"}
MAX_LINES = 1000
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)

problems = []


def problem(path, line, text):
    problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def layers():
    """{folder: (level, what it must not know)} from the table behind the mark `<!-- layers: level folder -->`."""
    text = (ROOT / "src/README.md").read_text()
    table = text.partition("<!-- layers:")[2]
    rows = re.findall(r"^\| (\d+) \| `([\w/]+)` \|[^|]*\|([^|]*)\|", table, re.M)
    if not rows:
        sys.exit("src/README.md: no table of layers behind the mark '<!-- layers:'")
    return {folder: (int(level), forbidden) for level, folder, forbidden in rows}


def includes(path):
    """(line, what is included) of a file."""
    text = path.read_text()
    return [(text.count("\n", 0, m.start(1)) + 1, m.group(1)) for m in INCLUDE.finditer(text)]


def target(path, name):
    """Where an include leads: a layer's folder, "public", or None for what is outside of Varve."""
    if name.startswith("varve/"):
        return "public"
    if (ROOT / "src" / name).exists():
        return name.split("/")[0]
    if (path.parent / name).exists():
        return path.relative_to(ROOT / "src").parts[0]
    return None


def check_source(path, table):
    folder = path.relative_to(ROOT / "src").parts[0]
    if folder not in table:
        return problem(path, 1, f"folder {folder}/ is not in the table of src/README.md")
    level, forbidden = table[folder]
    top = max(l for l, _ in table.values())
    for line, name in includes(path):
        where = target(path, name)
        if OUTSIDE.get(name, "-") in re.split(r"[,\s]+", forbidden) and f"{OUTSIDE[name]} calls" not in forbidden:
            problem(path, line, f"{folder} (level {level}) must not know {OUTSIDE[name]}: #include <{name}>")
        if OUTSIDE.get(name) == "HDF5" and folder != "storage":
            problem(path, line, f"HDF5 is called in storage only: #include <{name}>")
        if OUTSIDE.get(name) == "MPI" and level < table["exec"][0]:
            problem(path, line, f"MPI is called from exec upwards only: #include <{name}>")
        if where in (None, "public", folder):
            continue
        if where not in table:
            problem(path, line, f"folder {where}/ is not in the table of src/README.md")
        elif level == top:
            problem(path, line, f"{folder} is built on the public headers only: #include \"{name}\"")
        elif table[where][0] >= level:
            problem(path, line, f"{folder} (level {level}) must not include {where} (level {table[where][0]}): #include \"{name}\"")


def check_public(path):
    for line, name in includes(path):
        if not name.startswith("varve/") and ((ROOT / "src" / name).exists() or name in OUTSIDE):
            problem(path, line, f"a public header stands alone: #include \"{name}\"")


def check_world(sources):
    """The communicator of all ranks is taken once, where the session starts; comments may speak of it."""
    found = []
    for path in sources:
        code = re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m.group().count("\n"), path.read_text(), flags=re.S)
        found += [(path, n) for n, line in enumerate(code.splitlines(), 1) if re.search(r"\bMPI_COMM_WORLD\b", line)]
    for path, line in found[1:]:
        problem(path, line, f"MPI_COMM_WORLD again; it is taken in {found[0][0].relative_to(ROOT)}:{found[0][1]}")


def files(*folders):
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*") if p.suffix in (".c", ".h") and "build" not in p.parts)


def main():
    table = layers()
    sources, public = files("src"), files("include")
    for path in sources:
        check_source(path, table)
    for path in public:
        check_public(path)
    check_world(sources)
    for path in files("src", "include", "examples", "tests"):
        length = path.read_text().count("\n")
        if length > MAX_LINES:
            problem(path, MAX_LINES, f"{length} lines, {MAX_LINES} at most")
    for name in sorted(os.listdir(ROOT)):
        if name not in TOP and not name.startswith((".", "build")):
            problem(ROOT / name, 1, "does not belong at the top of the repository")
    print(*problems, sep="\n")
    print(f"{len(sources) + len(public)} files, {len(problems)} problems")
    sys.exit(bool(problems))


main()
