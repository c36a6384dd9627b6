#!/usr/bin/python3
"""Damages copies of small files at random and runs varve on them: nothing may crash or hang, whatever is in a file.

    VARVE=build/asan/bin/varve tests/fuzz/files.py --runs 10000              the long run
    VARVE=build/asan/bin/varve tests/fuzz/files.py --runs 10000 --seed 7     others
    VARVE=build/asan/bin/varve tests/fuzz/files.py --only newest:7:123       one copy again (as a finding is named), kept in the current folder

"contained" counts runs in which the HDF5 library crashed or ran in circles, and all that came of it was the message that says so.
Each copy of each file in corpus.py is described by `varve info` and reduced by `varve mean`. A run ends well, or with exit status 1 to 5 and one message that
names the file; it takes no longer than the limit, uses no more memory than a few times its budget, and leaves no unfinished output.
Damage that the format cannot see may change values: that is not looked at here.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import corpus

VARVE = os.path.abspath(os.environ.get("VARVE", "build/asan/bin/varve"))
PATIENCE = 2  # seconds that the HDF5 library may compute
LIMIT = float(os.environ.get("VARVE_TEST_SLOW", "1")) * 40  # seconds for one run
COMMANDS = {"info": ["info"], "json": ["info", "--json"], "mean": ["mean", "-d", "time", "--memory", "400MB", "--threads", "1"]}
MORE = {"groups": ["-v", "x"]}  # nothing is written back to groups yet
CONTAINED = "the HDF5 library"  # so begins what is said of a reader that died (src/storage/apart.h)
SANITIZED = re.compile(r"ERROR: AddressSanitizer|LeakSanitizer: detected|runtime error:")
TELLING = [0, 1, 0x7F, 0x80, 0xFF]
WIDE = [0, 1, 2**31 - 1, 2**31, 2**32 - 1, 10**18, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 8]

# --- damage ---


def flip_bits(rng, b):
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        b[rng.randrange(len(b))] ^= 1 << rng.randrange(8)


def set_bytes(rng, b):
    for _ in range(rng.choice((1, 1, 2, 4))):
        b[rng.randrange(len(b))] = rng.choice(TELLING + [rng.randrange(256)])


def set_number(rng, b):
    size, at = rng.choice((2, 4, 8)), rng.randrange(len(b) - 8)
    b[at:at + size] = (rng.choice(WIDE) % (1 << 8 * size)).to_bytes(size, rng.choice(("little", "little", "big")))


def step_number(rng, b):
    size, at = rng.choice((1, 2, 4, 8)), rng.randrange(len(b) - 8)
    value = int.from_bytes(b[at:at + size], "little") + rng.choice((-1, 1, -8, 8, 100))
    b[at:at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")


def copy_run(rng, b):
    n = rng.choice((4, 8, 16, 100, 1000))
    to, at = rng.randrange(len(b)), rng.randrange(len(b))
    run = b[at:at + n][:len(b) - to]
    b[to:to + len(run)] = run


def wipe_run(rng, b):
    n, at = rng.choice((4, 16, 256, 4096)), rng.randrange(len(b))
    b[at:at + n] = bytes([rng.choice(TELLING)]) * len(b[at:at + n])


def cut(rng, b):
    del b[rng.randrange(len(b)):]


def drop_run(rng, b):
    at = rng.randrange(len(b))
    del b[at:at + rng.choice((1, 8, 512))]


HOWS = [flip_bits] * 6 + [set_bytes] * 3 + [set_number] * 4 + [step_number] * 2 + [copy_run, wipe_run, cut, drop_run]


def damaged(original, seed):
    """The same bytes for the same seed."""
    rng, b = random.Random(seed), bytearray(original)
    rng.choice(HOWS)(rng, b)
    return bytes(b)


# --- running ---


def in_hdf5(text):
    """Whether every sanitizer report in it is about the HDF5 library: the first frame that is no part of the sanitizer or of libc is in there."""
    reports = text.split("==ERROR: ")[1:]
    for report in reports:
        frames = [l for l in re.findall(r"^ +#\d+ .*", report, re.M) if not re.search(r"sanitizer|interceptor|asan|sysdeps|libc\.so|\.\./", l, re.I)]
        if not frames or "libhdf5" not in frames[0]:
            return False
    return bool(reports)


def limits():
    if "asan" not in VARVE:
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def environment():
    env = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC", VARVE_PATIENCE=str(PATIENCE), UBSAN_OPTIONS="print_stacktrace=1",
               ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=4096:hard_rss_limit_mb=3000")
    env.pop("VV_FAULT", None)
    return env


def run_one(name, path, command, folder):
    """(kind, text): ok, refused, contained, or a finding: CRASH, HANG, BAD."""
    out = os.path.join(folder, "out")
    os.makedirs(out, exist_ok=True)
    argv = [VARVE, *COMMANDS[command], str(path)]
    if command == "mean":
        argv += [*MORE.get(name, []), "-O", "-o", os.path.join(out, "o.nc")]
    try:
        r = subprocess.run(argv, capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL, env=environment(), preexec_fn=limits)
    except subprocess.TimeoutExpired:
        shutil.rmtree(out)
        return "HANG", ""
    text = r.stderr.decode(errors="replace")
    messages = [l for l in text.splitlines() if l.startswith("varve:")]
    left = [n for n in os.listdir(out) if n != "o.nc" or r.returncode]
    shutil.rmtree(out)
    contained = r.returncode == 3 and len(messages) == 1 and CONTAINED in messages[0]
    if r.returncode < 0 or r.returncode > 5 or SANITIZED.search(text) and not (contained and in_hdf5(text)):
        return "CRASH", f"exit {r.returncode}\n{text}"
    if left:
        return "BAD", f"left {left}\n{text}"
    if r.returncode == 0:
        return "ok", text
    if len(messages) != 1 or os.path.basename(path) not in messages[0]:
        return "BAD", f"exit {r.returncode}, not one message that names the file\n{text}"
    return "contained" if contained else "refused", messages[0]


def one(task):
    name, original, number, folder, commands = task
    path = Path(folder, f"{name}-{os.getpid()}-{number}.nc")
    path.write_bytes(damaged(original, number))
    results = [(command, *run_one(name, path, command, str(path) + ".d")) for command in commands]
    path.unlink()
    shutil.rmtree(str(path) + ".d", ignore_errors=True)
    return name, number, results


def tasks(originals, runs, seed, folder, commands):
    names = list(originals)
    for i in range(runs):
        name = names[i % len(names)]
        yield name, originals[name], f"{name}:{seed}:{i}", folder, commands


def campaign(runs, seed, workers, folder, commands, log=None):
    """Counts of outcomes, and what was found: [(task, command, kind, text)]."""
    originals = {p.stem: p.read_bytes() for p in corpus.write(folder)}
    counts, found = collections.Counter(), []
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        for name, number, results in pool.map(one, tasks(originals, runs, seed, folder, commands), chunksize=4):
            for command, kind, text in results:
                counts[command, kind] += 1
                if kind.isupper():
                    found.append((number, command, kind, text))
                    if log:
                        print(f"=== {number} {command} {kind}\n{text}", file=log, flush=True)
    return counts, found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10000, help="damaged copies")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--commands", default="info,mean")
    parser.add_argument("--log", help="file for what is found")
    parser.add_argument("--only", help="NAME:SEED:NUMBER: writes and runs this copy")
    args = parser.parse_args()
    commands, start = args.commands.split(","), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="varve-fuzz-") as folder:
        if args.only:
            name = args.only.split(":")[0]
            original = next(p for p in corpus.write(folder) if p.stem == name).read_bytes()
            path = Path(args.only.replace(":", "-") + ".nc")
            path.write_bytes(damaged(original, args.only))
            for command in commands:
                print(command, *run_one(name, path, command, folder + "/d"))
            return 0
        log = open(args.log, "w") if args.log else sys.stderr
        counts, found = campaign(args.runs, args.seed, args.workers, folder, commands, log)
    for (command, kind), n in sorted(counts.items()):
        print(f"{command:5} {kind:10} {n}")
    print(f"{args.runs} damaged copies of {len(corpus.FILES)} files, seed {args.seed}: {len(found)} findings in {time.monotonic() - start:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
