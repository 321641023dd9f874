"""Mutation testing: `make mutants`.

The mutants are those that `cargo mutants --list` finds in the parts that everything rests on. One build holds them all,
each behind a switch (switch.py); a first run notes which test comes by which; then the tests that do are run with each
mutant on. An interrupted run goes on where it was. Results: target/mutation/results.jsonl; docs/mutation.md is written
from them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
from pathlib import Path

import build
import constants
import judge
import report
import switch

PARTS = ("crypto", "format", "keys", "token", "audit")
# They look at the sources, or build the crate: what a mutant is can't change what they find.
BESIDE = {"docs", "dependencies", "layers"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cargo-mutants", default="cargo-mutants", help="the program that lists the mutants")
    parser.add_argument("--work", type=Path, default=Path("target/mutation"), help="a folder for the copy and results")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once")
    parser.add_argument("--budget", type=float, default=20, help="seconds of tests for one mutant, as they take without it")
    parser.add_argument("--again", metavar="TEXT", help="judge anew the survivors whose names contain this")
    parser.add_argument("--report", action="store_true", help="only write the page anew")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    project = Path(__file__).resolve().parents[2]
    work = given.work.resolve()
    root, results = work / "copy", work / "results.jsonl"
    if not given.report:
        work.mkdir(parents=True, exist_ok=True)
        listed = [given.cargo_mutants, "mutants", "--list", "--json", "-p", "sealite", "--no-config"]
        for part in PARTS:
            listed += ["-f", f"core/src/{part}/**"]
        text = subprocess.run(listed, cwd=project, check=True, capture_output=True, text=True).stdout
        mutants = switch.read(text)
        build.copy(project, root)
        broken, unplaced = build.fit(root, project, mutants)
        made = {"broken": sorted(broken), "unplaced": sorted(unplaced), "mutants": [m.name for m in mutants]}
        (work / "fit.json").write_text(json.dumps(made))
        print(f"{len(mutants)} mutants; {len(broken)} don't compile, {len(unplaced)} can't be switched")
        programs = tests(root, work)
        run([m for m in mutants if m.number not in broken | unplaced], programs, results, given)
        slow = [m for m in mutants if m.number in unplaced and m.name not in names(results)]
        with results.open("a") as out:
            for found in constants.judge(project, work, given.cargo_mutants, slow, given.jobs):
                out.write(json.dumps(found) + "\n")
    return report.write(project, work)


def names(results: Path) -> set[str]:
    """The mutants that have been judged."""
    lines = results.read_text().splitlines() if results.exists() else []
    return {json.loads(line)["name"] for line in lines}


def tests(root: Path, work: Path) -> list[judge.Program]:
    """The programs that pass without a mutant, their traces read."""
    folder = work / "trace"
    folder.mkdir(exist_ok=True)
    found = []
    for name, path, place in build.binaries(root):
        program = judge.Program(name, path, place, work)
        if name in BESIDE:
            continue
        if program.trace(folder):
            found.append(program)
        else:
            print(f"left out, since a test fails in the copy: {name}", file=sys.stderr)
    return found


def run(mutants: list[switch.Mutant], programs: list[judge.Program], results: Path, given: argparse.Namespace) -> None:
    kept = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    if given.again is not None:
        kept = [k for k in kept if k["outcome"] in ("caught", "timeout") or given.again not in k["name"]]
    results.write_text("".join(json.dumps(k) + "\n" for k in kept))
    done = {k["name"] for k in kept}
    todo = [m for m in mutants if m.name not in done]
    lock = threading.Lock()
    with results.open("a") as out:

        def work() -> None:
            while True:
                with lock:
                    if not todo:
                        return
                    mutant = todo.pop(0)
                found = judge.judge(mutant, programs, given.budget)
                with lock:
                    out.write(json.dumps({"name": mutant.name, **found}) + "\n")
                    out.flush()

        threads = [threading.Thread(target=work) for _ in range(given.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
