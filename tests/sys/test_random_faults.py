#!/usr/bin/python3
# timeout: 900
# cores: 1
# builds: release asan
"""Faults at random: expressions of algebra.c on one to four ranks, everything spilled or nothing, any schedule, and a fault somewhere. Nothing hangs; a run
ends well with the right values, or with an error and one message; nothing is left in the scratch directory, but for the unfinished output of a program that was killed.

VARVE_FAULT_RUNS=1000 VARVE_FAULT_SEED=7 tests/run random_faults    more of them, others
"""
import os
import random
import re
import shutil

import support
from support import ROOT

RUNS = int(os.environ.get("VARVE_FAULT_RUNS", 80 if support.SLOW == 1 else 20))
SEED = int(os.environ.get("VARVE_FAULT_SEED", 1))
EXPRESSIONS, EACH, PATIENCE = 400, 5, 40


def sites():
    text = (ROOT / "src/base/fault.h").read_text()
    return re.findall(r'^\s*X\(\w+, "([\w-]+)", ', text, re.M)


class RandomFaults(support.Case):
    def setUp(self):
        super().setUp()
        self.program = support.helper("algebra")
        if self.program is None:
            self.skipTest("the helper program algebra is not built")
        self.right = self.done(support.run([self.program, "1", str(EXPRESSIONS)])).out.splitlines()

    @staticmethod
    def draw(rng):
        """(ranks, first expression, environment) of a run."""
        ranks, first = rng.choice((1, 2, 2, 3, 4)), rng.randrange(1, EXPRESSIONS - EACH)
        fault = f"{rng.choice(sites())}:{rng.choice((1, 1, 2, 3, 5, 9, 20, 60))}{rng.choice(('', '', '+'))}"
        if rng.random() < 0.7:
            fault += f"@{rng.randrange(ranks)}"
        if rng.random() < 0.1:
            fault += "!kill"
        env = {"VV_FAULT": fault, "VARVE_FUZZ": str(rng.randrange(3))}
        if rng.random() < 0.5:
            env["VARVE_STORE"] = "0"
        return ranks, first, env

    def one(self, case):
        """Whether the run was hit."""
        number, (ranks, first, env) = case
        scratch, fault = self.path(f"scratch{number}"), env["VV_FAULT"]
        os.mkdir(scratch)
        env["TMPDIR"] = scratch
        result = support.run(support.command(self.program, [first, EACH], ranks), timeout=PATIENCE, env=env)
        note = f"{env} on {ranks} ranks, expressions from {first}\n{result}"
        self.assertFalse(result.hung, note)
        self.assertNotIn("Sanitizer", result.err, note)  # in such a build
        if result.code == 0:
            self.assertEqual(result.out.splitlines(), self.right[first - 1:first - 1 + EACH], note)
        elif not fault.endswith("!kill"):
            self.assertGreaterEqual(len(result.messages), 1, note)
            self.assertLess(result.code, 128, note)
        if fault.endswith("!kill"):
            for name in os.listdir(scratch):
                if name.endswith(".varve-part"):
                    os.remove(os.path.join(scratch, name))
        self.assertEqual([n for n in os.listdir(scratch) if "varve" in n], [], note)
        shutil.rmtree(scratch)
        return result.code != 0

    def test_any_fault_anywhere(self):
        rng = random.Random(SEED)
        cases = [self.draw(rng) for _ in range(RUNS)]
        hit = sum(support.side_by_side(self.one, enumerate(cases), workers=3))
        print(f"{RUNS} runs, {hit} of them hit")
        self.assertGreater(hit, RUNS // 5)


if __name__ == "__main__":
    support.main()
