#!/usr/bin/python3
"""A Slurm cluster on one machine: real munged, slurmctld and slurmd, each emulated node with a network, a name and a /dev/shm of its own.

    tests/slurm/cluster.py [--nodes 3] COMMAND...       runs COMMAND on the head node; sbatch, srun, squeue know the cluster

Everything lives in namespaces that end with this process: nothing is left on the machine, whatever way it ends. Debian's packages: slurmctld slurmd
slurm-client munge. It needs the right to make namespaces (root has it, most containers do not): missing() says what is not there.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INSIDE = "VARVE_CLUSTER_INSIDE"  # set in the namespaces of a cluster
NETWORK = "10.78.0."
HEAD = 254
TOOLS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "ip", "unshare")
NAMESPACES = ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]

CONFIG = """ClusterName=emulated
SlurmctldHost=head({network}{head})
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/tmp.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/finished.log
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_min_interval=100000,bf_interval=1
MpiDefault=pmix
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MinJobAge=3600
JobRequeue=1
NodeName=n[1-{nodes}] NodeHostname=n[1-{nodes}] NodeAddr={network}[1-{nodes}] CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES State=UP
"""

NODE = """set -e
hostname {name}
mount -t tmpfs tmpfs /dev/shm
mount --bind {folder}/hosts /etc/hosts
echo ready
read go
ip link set lo up
ip address add {address}/24 dev eth0
ip link set eth0 up
exec slurmd -D -f {folder}/slurm.conf -N {name} >{folder}/slurmd.{name}.out 2>&1
"""


def missing():
    """What keeps a cluster from running here, in a few words; None when nothing does."""
    for tool in TOOLS:
        if not shutil.which(tool):
            return f"no {tool} (Debian: slurmctld slurmd slurm-client munge iproute2 util-linux)"
    tried = subprocess.run(NAMESPACES + ["sh", "-c", "ip link add probe type bridge && mount -t tmpfs tmpfs /dev/shm"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"namespaces are not permitted: {tried.stderr.strip().splitlines()[-1] if tried.stderr else 'unshare failed'}"


def enter():
    """Goes on in namespaces of its own: the process is replaced by one that runs the same program there. Returns at once when it is there already."""
    if os.environ.get(INSIDE):
        return
    os.environ[INSIDE] = "1"
    # bash is the namespace's first process: it takes up what daemons leave behind
    os.execvp(NAMESPACES[0], NAMESPACES + ["bash", "-c", '"$@"; exit $?', "cluster", sys.executable, *sys.argv])


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, text=True, **more).stdout


class Cluster:
    """Use it as a context manager, in a process that has called enter()."""

    def __init__(self, nodes=3, cpus=2, memory=4000):
        self.n, self.cpus, self.memory = nodes, cpus, memory
        self.folder = Path(tempfile.mkdtemp(prefix="varve-slurm-"))
        self.daemons, self.nodes = [], {}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")
        # On a busy machine Slurm 22.05's tree of nodes lets a rank out of the barrier that ends MPI_Init before all are in it: a rank that hears from it too early calls what is not there yet
        os.environ["SLURM_PMIX_FENCE"] = "ring"
        self.files()
        self.network()
        self.daemon("munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key", f"--socket={self.folder}/munge.socket",
                    f"--pid-file={self.folder}/munged.pid", f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munge.seed")
        self.until(lambda: (self.folder / "munge.socket").exists(), "munged")
        self.daemon("slurmctld", "-D", "-c", "-f", self.folder / "slurm.conf")
        for i in range(1, self.n + 1):
            self.start_node(f"n{i}")
        self.until(lambda: len(re.findall(r"\bidle\b", self.sinfo())) == self.n, "the nodes")

    def files(self):
        """The folder is for root alone, as munge demands of its key's and socket's place."""
        for name in ["state"] + [f"{what}.n{i}" for what in ("spool", "tmp") for i in range(1, self.n + 1)]:
            (self.folder / name).mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o600)
        (self.folder / "slurm.conf").write_text(CONFIG.format(folder=self.folder, network=NETWORK, head=HEAD, nodes=self.n, cpus=self.cpus, memory=self.memory))
        hosts = ["127.0.0.1 localhost", f"{NETWORK}{HEAD} head"] + [f"{NETWORK}{i} n{i}" for i in range(1, self.n + 1)]
        (self.folder / "hosts").write_text("\n".join(hosts) + "\n")

    def network(self):
        run("hostname", "head")
        run("mount", "--bind", self.folder / "hosts", "/etc/hosts")
        run("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "bridge", "type", "bridge")
        run("ip", "address", "add", f"{NETWORK}{HEAD}/24", "dev", "bridge")
        run("ip", "link", "set", "bridge", "up")

    def daemon(self, *argv):
        with open(self.folder / f"{argv[0]}.out", "ab") as log:
            self.daemons.append(subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))

    def start_node(self, name):
        """A node: slurmd on a network card of its own, at a cable to the bridge."""
        script = NODE.format(name=name, folder=self.folder, address=NETWORK + name[1:])
        node = subprocess.Popen(["unshare", "--net", "--mount", "--uts", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                start_new_session=True)
        if node.stdout.readline() != "ready\n":
            raise RuntimeError(f"node {name} did not start")
        subprocess.run(["ip", "link", "delete", f"cable-{name}"], capture_output=True)  # of a node of this name that was killed
        run("ip", "link", "add", f"cable-{name}", "type", "veth", "peer", "name", "eth0", "netns", node.pid)
        run("ip", "link", "set", f"cable-{name}", "master", "bridge", "up")
        node.stdin.write("go\n")
        node.stdin.close()
        node.stdout.close()
        self.nodes[name] = node

    def kill_node(self, name):
        """A power cut: the cable is dead, so that nobody hears of it, and everything in the node's namespace dies at once."""
        node = self.nodes.pop(name)
        run("ip", "link", "set", f"cable-{name}", "down")
        home = os.readlink(f"/proc/{node.pid}/ns/net")
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/ns/net") == home:
                    os.kill(int(entry), signal.SIGKILL)
            except OSError:
                pass
        node.wait()

    def shape(self, rate):
        """Every node's cable carries this much a second, such as 1gbit, each way."""
        for name, node in self.nodes.items():
            limit = ["tbf", "rate", rate, "burst", "128kb", "latency", "50ms"]
            run("tc", "qdisc", "replace", "dev", f"cable-{name}", "root", *limit)
            run("nsenter", "-t", node.pid, "-n", "tc", "qdisc", "replace", "dev", "eth0", "root", *limit)

    def traffic(self, name):
        """Bytes that a node has sent and has taken in, as its cable's other end has counted them."""
        line = re.search(rf"cable-{name}:(.*)", Path("/proc/net/dev").read_text()).group(1).split()
        return int(line[0]), int(line[8])

    def stop(self):
        for daemon in self.daemons[::-1] + list(self.nodes.values()):
            daemon.kill()
            daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def until(self, true, what, seconds=60):
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise RuntimeError(f"waited {seconds} s for {what}\n{self.said()}")
            time.sleep(0.05)

    def said(self):
        """The last lines of every daemon."""
        return "".join(f"--- {log.name}\n" + "".join(log.read_text(errors="replace").splitlines(True)[-40:])
                       for log in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")))

    def sinfo(self):
        return subprocess.run(["sinfo", "-N", "-h", "-o", "%N %t"], capture_output=True, text=True).stdout

    # --- jobs ---

    def submit(self, *argv, cwd=None, env=None):
        """sbatch; the job's number."""
        return int(re.search(r"job (\d+)", run("sbatch", *argv, cwd=cwd, env=env)).group(1))

    def job(self, number):
        """What scontrol says of a job, as a dictionary; of an array, of its first task."""
        shown = subprocess.run(["scontrol", "show", "job", str(number), "-o"], capture_output=True, text=True).stdout.splitlines()
        return dict(re.findall(r"(\w+)=(\S*)", shown[0])) if shown else {}

    def wait(self, number, seconds=120):
        """Waits for the end of a job or of all tasks of an array; [(state, exit code)]."""
        over = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")

        def ends():
            shown = subprocess.run(["scontrol", "show", "job", str(number), "-o"], capture_output=True, text=True).stdout
            return re.findall(r"JobState=(\S+).*? ExitCode=(\S+)", shown)

        self.until(lambda: ends() and all(state in over for state, _ in ends()), f"job {number}: {self.job(number)}", seconds)
        return ends()


def main():
    p = argparse.ArgumentParser(description="Runs a command on the head node of an emulated Slurm cluster.")
    p.add_argument("--nodes", type=int, default=3)
    p.add_argument("--cpus", type=int, default=2, help="of each node")
    p.add_argument("command", nargs=argparse.REMAINDER)
    a = p.parse_args()
    if not os.environ.get(INSIDE) and missing():
        sys.exit(f"no cluster here: {missing()}")
    enter()
    with Cluster(a.nodes, a.cpus):
        sys.exit(subprocess.run(a.command or ["sinfo"]).returncode)


if __name__ == "__main__":
    main()
