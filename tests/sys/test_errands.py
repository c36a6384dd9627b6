#!/usr/bin/python3
# timeout: 900
# cores: 1
# builds: release asan
"""Tasks with faults at random: graphs of errands.c on one to four ranks, messages late, lost or refused, ranks slow, tasks that fail, memory that is not there. Nothing hangs;
what comes is right, or an error. And functions of a library, by `varve run`.

VARVE_ERRANDS=1000 VARVE_FAULT_SEED=7 tests/run errands    more of them, others
"""
import os
import random
import shutil
import subprocess

import netCDF4
import numpy as np

import support
from support import ROOT

RUNS = int(os.environ.get("VARVE_ERRANDS", 20 if support.SLOW == 1 else 8))
SEED = int(os.environ.get("VARVE_FAULT_SEED", 1))
SITES = ["task", "send", "receive", "alloc", "spill", "unspill"]
TASKS, PATIENCE, WRONG = 300, 60, 9
MUTE = 2, 937785, {"VARVE_FUZZ": "1", "VARVE_PATIENCE": "2", "VV_FAULT": "send:1+@1"}  # a rank that cannot say anything, from the first task on


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
        cases = [MUTE] + [self.draw(rng) for _ in range(RUNS - 1)]
        hit = sum(support.side_by_side(self.one, enumerate(cases), workers=3))
        print(f"{RUNS} runs, {hit} of them hit")
        self.assertGreater(hit, RUNS // 12)


    def test_without_end(self):
        for ranks in (0, 2):
            result = self.done(support.run(support.command(self.program, ["endless"], ranks), timeout=PATIENCE))
            self.assertRegex(result.out, r"^task '.*' on rank \d: it has taken more than the 0.5 seconds that it may$")


LIBRARY = """
#include <stdlib.h>
#include <string.h>
#include <varve/kernel.h>
#include <varve/session.h>
static int mean_of_three(const vv_block_task *t)
{
    const float *x = t->in[0].data;
    float *y = t->result, factor = (float)atof(t->data);
    for (vv_index i = 0; i < t->out->length[0]; i++)
        for (vv_index k = 0; k < t->out->length[1]; k++) {
            const float *at = x + (i + t->in[0].before[0]) * t->in[0].length[1] + k;
            y[i * t->out->length[1] + k] = factor * (at[-t->in[0].length[1]] + at[0] + at[t->in[0].length[1]]);
        }
    return 0;
}
static int letters(vv_task *t)
{
    const char *path = vv_task_string(t, 0);
    if (strstr(path, "bad")) return vv_error(VV_ERR_READ, "I do not like it");
    return vv_return_i64(t, (int64_t)strlen(strrchr(path, '/')) * atoi(vv_task_string(t, 1)));
}
static int gives_away(vv_task *t)
{
    char *volatile inside = (char *)vv_task_string(t, 0) + 1;
    free(inside);
    return 0;
}
VV_KERNEL foreign = {.size = sizeof foreign, .file = gives_away};
VV_KERNEL smooth = {.size = sizeof smooth, .chunk = mean_of_three, .depth = "y:1", .boundary = "y:nearest"};
VV_KERNEL length = {.size = sizeof length, .file = letters};
VV_KERNEL empty = {.size = sizeof empty};
"""


class Run(support.Case):
    def setUp(self):
        super().setUp()
        source, self.object = self.path("mine.c"), self.path("mine.so")
        with open(source, "w") as f:
            f.write(LIBRARY)
        build = os.environ.get("VARVE_BUILD", ROOT / "build/release")
        subprocess.run([os.environ.get("VARVE_CC", "cc"), "-shared", "-fPIC", f"-I{ROOT}/include", f"-I{build}/include", source, "-o", self.object], check=True)

    def varve(self, *args, ranks=2):
        return support.run(support.command(support.binary(), ["run", *args], ranks))

    def test_chunks(self):
        x = np.random.default_rng(1).normal(size=(40, 30)).astype("f4")
        with netCDF4.Dataset(self.path("in.nc"), "w") as f:
            f.createDimension("y", 40), f.createDimension("x", 30)
            f.createVariable("v", "f4", ("y", "x"), chunksizes=(7, 30))[:] = x
        self.done(self.varve(f"{self.object}:smooth", self.path("in.nc"), "--args", "0.5", "-o", self.path("out.nc")))
        wide = np.pad(x, ((1, 1), (0, 0)), mode="edge")
        with netCDF4.Dataset(self.path("out.nc")) as f:
            np.testing.assert_array_equal(f["v"][:], np.float32(0.5) * (wide[:-2] + wide[1:-1] + wide[2:]))

    def test_files(self):
        for name in ("a", "bcd", "bad"):
            open(self.path(f"{name}.txt"), "w").close()
        files = [self.path("a.txt"), self.path("bcd.txt")]
        result = self.done(self.varve(f"{self.object}:length", *files, "--args", "2"))
        self.assertEqual(result.out.splitlines(), [f"{files[0]}: 12", f"{files[1]}: 16"])
        result = self.varve(f"{self.object}:length", *files, self.path("bad.txt"))
        self.assertEqual(result.code, 3, result)
        self.assertRegex(result.err, r"bad.txt: task .* on rank \d: I do not like it")

    def test_foreign_memory(self):
        """After a task has freed what is not its own nothing is certain: the job ends, and it is said whose fault that is."""
        result = self.varve(f"{self.object}:foreign", self.path("mine.c"))
        self.assertFalse(result.hung, result)
        self.assertNotEqual(result.code, 0, result)
        self.assertRegex(result.err, "task '.*' was ended by a signal \\(ABRT\\) in a library|AddressSanitizer: attempting free", result)

    def test_mistakes(self):
        for what, words in (("mine.so", "LIBRARY.so:NAME first"), ("/none.so:f", "there is no library '/none.so'"), (f"{self.object}:nothing", "nothing of that name"),
                            (f"{self.object}:empty", "has to have one function")):
            result = self.varve(what, "x.nc", ranks=0)
            self.assertIn(words, result.err)
            self.assertIn(result.code, (2, 3), result)


if __name__ == "__main__":
    support.main()
