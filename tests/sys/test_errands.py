#!/usr/bin/python3
# timeout: 900
# cores: 1
# builds: release asan
"""Tasks with faults at random: graphs of errands.c on one to four ranks, messages late, lost or refused, ranks slow, tasks that fail, memory that is not there. Nothing hangs;
what comes is right, or an error.

VARVE_ERRANDS=1000 VARVE_FAULT_SEED=7 tests/run errands    more of them, others
"""
import os
import random
import shutil

import support

RUNS = int(os.environ.get("VARVE_ERRANDS", 20 if support.SLOW == 1 else 8))
SEED = int(os.environ.get("VARVE_FAULT_SEED", 1))
SITES = ["task", "send", "receive", "alloc", "spill", "unspill"]
TASKS, PATIENCE, WRONG = 300, 60, 9


class Errands(support.Case):
    def setUp(self):
        super().setUp()
        self.program = support.helper("errands")
        if self.program is None:
            self.skipTest("the helper program errands is not built")

    @staticmethod
    def draw(rng):
        """(ranks, seed of the graph, environment) of a run."""
        ranks, env = rng.choice((1, 2, 2, 3, 4)), {"VARVE_FUZZ": str(rng.randrange(4)), "VARVE_PATIENCE": "2"}
        what = rng.random()
        if what < 0.6:
            env["VV_FAULT"] = f"{rng.choice(SITES)}:{rng.choice((1, 2, 3, 7, 20, 60, 200))}{rng.choice(('', '+'))}"
            if rng.random() < 0.7:
                env["VV_FAULT"] += f"@{rng.randrange(ranks)}"
            if rng.random() < 0.1:
                env["VV_FAULT"] += "!kill"
        elif what < 0.75 and ranks > 1:
            env["VARVE_LOSE"] = str(rng.choice((1, 2, 5, 20)))
        return ranks, rng.randrange(1, 1000000), env

    def one(self, case):
        """Whether the run was hit."""
        number, (ranks, seed, env) = case
        scratch = self.path(f"scratch{number}")
        os.mkdir(scratch)
        env["TMPDIR"] = scratch
        result = support.run(support.command(self.program, [seed, TASKS], ranks), timeout=PATIENCE, env=env)
        note = f"{env} on {ranks} ranks, seed {seed}\n{result}"
        self.assertFalse(result.hung, note)
        self.assertNotIn("Sanitizer", result.err, note)  # in such a build
        self.assertNotEqual(result.code, WRONG, note)
        if result.code == 0:
            self.assertIn("meant to fail", result.out, note)
        elif "kill" not in env.get("VV_FAULT", ""):
            self.assertGreaterEqual(len(result.messages), 1, note)
            self.assertLess(result.code, 128, note)
            self.assertTrue("VV_FAULT" in env or "VARVE_LOSE" in env, note)  # nothing fails by itself
        self.assertEqual([n for n in os.listdir(scratch) if "varve" in n], [], note)
        shutil.rmtree(scratch)
        return result.code != 0

    def test_right_or_an_error(self):
        rng = random.Random(SEED)
        cases = [self.draw(rng) for _ in range(RUNS)]
        hit = sum(support.side_by_side(self.one, enumerate(cases), workers=3))
        print(f"{RUNS} runs, {hit} of them hit")
        self.assertGreater(hit, RUNS // 12)


if __name__ == "__main__":
    support.main()
