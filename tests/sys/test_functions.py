#!/usr/bin/python3
# builds: release
# cores: 2
"""Functions of the user's as the user runs them. The Lennard-Jones potential of 5,000 particles in one expression (examples/06_lennard_jones.c): NumPy's number, the same on
every number of ranks, and no rank ever holds 256 MB, as the system counts them. And ranks that do not run the same program: an error that names what is missing, and no hang."""
import os
import re
import sys
from pathlib import Path

import numpy as np
import support

PARTICLES, SIDE, MEMORY = 5000, 18, 256000000
# The largest resident set of what it starts, by the kernel's own count.
MEASURED = """import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("peak", 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)"""


def energy():
    n = np.arange(PARTICLES)
    p = np.stack([1.1 * (n // SIDE**a % SIDE) + 0.1 * np.fmod(n * 0.6180339887498949 + a * 0.3, 1.0) for a in range(3)], axis=1)
    total = 0.0
    for i in range(PARTICLES - 1):
        inverse = (1 / ((p[i + 1:] - p[i]) ** 2).sum(axis=1)) ** 3
        total += (4 * (inverse**2 - inverse)).sum()
    return total


def another_build(program, path):
    """The same program, with another build id."""
    bytes_ = bytearray(program.read_bytes())
    note = bytes_.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")
    bytes_[note + 16] ^= 1
    Path(path).write_bytes(bytes_)
    os.chmod(path, 0o755)
    return path


class Functions(support.Case):
    def setUp(self):
        super().setUp()
        self.examples = Path(support.binary()).resolve().parent.parent / "examples"
        self.program = self.examples / "06_lennard_jones"
        if not self.program.exists():
            self.skipTest("the examples are not built")

    def refused(self, program, other, words):
        argv = support.command(program, [], 1) + [":", "-n", "1", str(other)]
        run = support.run(argv, timeout=60)
        self.assertFalse(run.hung, str(run))
        self.assertNotEqual(run.code, 0, str(run))
        self.assertEqual(len(run.messages), 1, str(run))
        self.assertRegex(run.messages[0], words)

    def test_ranks_with_other_programs(self):
        os.mkdir(self.path("elsewhere"))
        self.refused(self.program, another_build(self.program, self.path("elsewhere/06_lennard_jones")),
                     "rank 1 has another build of '06_lennard_jones': .* all ranks have to run the same files")
        self.refused(self.program, self.examples / "05_stencil", "rank 1 has no '.*06_lennard_jones' .build [0-9a-f]+., whose function at 0x")

    def test_tasks_of_other_programs(self):
        """Of futures and of delayed calls: the task that rank 1 cannot run fails, and both builds are named."""
        os.mkdir(self.path("elsewhere"))
        for name in ("17_grid_search", "13_tree_sum"):
            program = self.examples / name
            self.refused(program, another_build(program, self.path(f"elsewhere/{name}")),
                         f"on rank 1: rank 1 has another build of '{name}': ([0-9a-f]+) at .*elsewhere/{name}, not (?!\\1)[0-9a-f]+; all ranks have to run the same files")
        self.refused(self.examples / "17_grid_search", self.examples / "05_stencil", "on rank 1: rank 1 has no '.*17_grid_search' .build [0-9a-f]+., whose function at 0x")

    def test_energy_and_memory(self):
        program = self.program
        said = set()
        for ranks in (1, 2, 3, 4):
            done = self.done(support.run([sys.executable, "-c", MEASURED] + support.command(program, [], ranks), timeout=100))
            found = re.search(r"^12497500 pairs, energy (\S+)\nwithin 256 MB per rank: yes\npeak (\d+)$", done.out, re.M)
            self.assertTrue(found, str(done))
            said.add(found[1])
            self.assertLess(int(found[2]), MEMORY, str(done))
            print(f"{ranks} ranks: {found[1]}, {int(found[2]) / 1e6:.0f} MB, {done.seconds:.1f} s")
        self.assertEqual(len(said), 1, said)
        self.assertAlmostEqual(float(said.pop()) / energy(), 1, delta=1e-9)


if __name__ == "__main__":
    support.main()
