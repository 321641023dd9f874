"""Runs the tests that reach a mutant, with that mutant on."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections import defaultdict
from pathlib import Path

import switch

GIB = 1 << 30
TIME = re.compile(r"^test (\S+) \.\.\. ok <([\d.]+)s>$", re.M)
# Seconds; what takes longer is run when nothing quicker has caught a mutant.
SLOW = 1.0
# By this variable the processes of one run are known.
RUN = "SEALITE_MUTANT_RUN"


class Program:
    """A test program, and which of its tests come by which mutant."""

    def __init__(self, name: str, path: Path, folder: Path, scratch: Path):
        self.name, self.path, self.folder, self.scratch = name, path, folder, scratch
        self.seconds: dict[str, float] = {}
        self.reached: dict[int, set[str]] = defaultdict(set)

    def run(self, args: list[str], env: dict[str, str], seconds: float, output: Path | None = None) -> str:
        """`passed`, `failed` or `timeout`."""
        folder = self.scratch / f"run-{threading.get_ident()}"
        folder.mkdir(parents=True, exist_ok=True)
        mine = f"{threading.get_ident()}-{time.monotonic_ns()}"
        env = {
            **os.environ, **env, "CARGO_MANIFEST_DIR": str(self.folder), "TMPDIR": str(folder), "RUST_BACKTRACE": "0",
            RUN: mine,
        }
        with open(output or os.devnull, "wb") as out:
            process = subprocess.Popen(
                [self.path, "--test-threads=2", *args], cwd=self.folder, env=env, start_new_session=True,
                preexec_fn=limit, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
            )
        try:
            return "passed" if process.wait(seconds) == 0 else "failed"
        except subprocess.TimeoutExpired:
            return "timeout"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
            sweep(mine)
            shutil.rmtree(folder, ignore_errors=True)

    def trace(self, folder: Path) -> bool:
        """Runs all of it without a mutant, noting which test comes by which and takes how long. False where one fails."""
        file, known, text = folder / self.name, folder / f"{self.name}.json", folder / f"{self.name}.txt"
        build = f"{self.path}, {self.path.stat().st_mtime_ns}"
        if not known.exists() or json.loads(known.read_text())["build"] != build:
            file.unlink(missing_ok=True)
            # The time of each test is told by an option that a stable libtest hides.
            env = {"SEALITE_MUTANT_TRACE": str(file), "RUSTC_BOOTSTRAP": "1"}
            outcome = self.run(["-Zunstable-options", "--report-time"], env, 900, text)
            times = {test: float(seconds) for test, seconds in TIME.findall(text.read_text())}
            known.write_text(json.dumps({"build": build, "seconds": times, "outcome": outcome}))
        found = json.loads(known.read_text())
        self.seconds = found["seconds"]
        names = set(self.seconds)
        for line in file.read_text().splitlines() if file.exists() else ():
            test, _, number = line.partition("\t")
            # A test's thread has its name. Of another thread, or a process of its own, it can't be said whose it is.
            self.reached[int(number)].add(test if test in names else "*")
        return found["outcome"] == "passed"


def sweep(run: str) -> None:
    """Ends the processes that a failed test has left behind."""
    wanted = f"{RUN}={run}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:
            continue


def limit() -> None:
    """A mutant may ask for anything."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (GIB, GIB))
    resource.setrlimit(resource.RLIMIT_AS, (6 * GIB, 6 * GIB))


def chosen(mutant: switch.Mutant, programs: list[Program]) -> list[tuple[Program, list[str], float]]:
    """The tests that reach the mutant: the quick ones first, of the crate itself, then of what is named like its folder."""
    part = mutant.file.split("/")[2].removesuffix("s")
    out = []
    for program in programs:
        tests = program.reached.get(mutant.number, set())
        if "*" in tests:
            tests = set(program.seconds)
        for slow in (False, True):
            some = sorted(test for test in tests if (program.seconds[test] > SLOW) == slow)
            if some:
                seconds = sum(program.seconds[test] for test in some)
                out.append(((slow, program.name != "sealite", part not in program.name, seconds), program, some))
    return [(program, ["--exact", *some], order[-1]) for order, program, some in sorted(out, key=lambda o: o[0])]


def judge(mutant: switch.Mutant, programs: list[Program], budget: float) -> dict[str, str | int]:
    """What becomes of one mutant, and the program that caught it; `left` counts programs for which there was no time."""
    reaching, spent, left = chosen(mutant, programs), 0.0, 0
    for program, args, seconds in reaching:
        if spent > 0 and spent + seconds > budget:
            left += 1
            continue
        spent += seconds
        outcome = program.run(args, {"SEALITE_MUTANT": str(mutant.number)}, 30 + 10 * seconds)
        if outcome != "passed":
            return {"outcome": "caught" if outcome == "failed" else "timeout", "by": program.name}
    return {"outcome": "missed" if reaching else "unreached", "left": left}
