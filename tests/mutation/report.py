"""Writes docs/mutation.md from the results, and what is known of the survivors from survivors.toml."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

PLACE = re.compile(r"^(\S+?):\d+:\d+: ")
OUTCOMES = ("caught", "timeout", "missed", "unreached")

HEAD = """# Mutation testing

Do the tests notice when the code is wrong? [cargo-mutants](https://mutants.rs) lists small changes to the code, each a
fault somebody might have made: a comparison turned round, a value returned without work, an arm of a match left out. For
each, the tests that come by it are run: one that fails has caught it. What is below is written by

```text
make mutants
```

which takes about an hour with two cores. One build holds every mutant behind a switch, and a first run notes which test
comes by which, so that a mutant costs the tests that reach it and no compilation ([`tests/mutation/`](../tests/mutation)).
The tests are those of the crate and those across it (`tests/`), for a mutant as many as take 20 seconds without it; the tests in
C and Python, the fuzz targets and the crash matrix in full are not run, nor those of memory and forks, which count copies of
secrets and processes and see the switches themselves. They would catch some more.

- *caught*: a test failed. *timeout*: the tests took ten times their time and half a minute, as where a loop has no end.
- *survived*: no test failed, though some come by; or none comes by. Each is named below, with the reason.
- *no fault*: survivors that can't be noticed by any test, because the changed code does the same, or does it in another
  time or memory only.
- *not compiled*: the change isn't valid Rust, such as a default of a type that has none.
- *constants*: what is computed while compiling can't be switched; these are built one by one, with the crate's own tests.
"""


def key(name: str) -> str:
    """A mutant's name without its line, which moves."""
    return PLACE.sub(r"\1: ", name)


def part(name: str) -> str:
    return name.split("/")[2]


def table(rows: list[list[str]]) -> list[str]:
    head, *body = rows
    return [f"| {' | '.join(head)} |", "|---" + "|---:" * (len(head) - 1) + "|", *(f"| {' | '.join(r)} |" for r in body), ""]


def write(project: Path, work: Path) -> int:
    """Writes the page. The answer is 1 while a survivor has no reason."""
    fit = json.loads((work / "fit.json").read_text())
    results = {r["name"]: r for r in map(json.loads, (work / "results.jsonl").read_text().splitlines())}
    reasons = tomllib.loads((Path(__file__).parent / "survivors.toml").read_text())
    why = {name: (kind, entry["why"]) for kind in ("same", "open") for entry in reasons[kind] for name in entry["mutants"]}
    names = fit["mutants"]
    broken = {names[number - 1] for number in fit["broken"]}
    constant = {names[number - 1] for number in fit["unplaced"]}

    counts: dict[str, Counter[str]] = defaultdict(Counter)
    survivors: dict[str, list[str]] = defaultdict(list)
    for name in names:
        outcome = "broken" if name in broken else results.get(name, {"outcome": "not run"})["outcome"]
        counts[part(name)][outcome] += 1
        counts[part(name)]["constant"] += name in constant and outcome != "broken"
        if outcome in ("missed", "unreached"):
            survivors[part(name)].append(name)
            counts[part(name)]["same" if why.get(key(name), ("",))[0] == "same" else "fault"] += 1

    rows = [["part", "mutants", "not compiled", "caught", "timeout", "survived", "of which no fault", "not run"]]
    total: Counter[str] = Counter()
    for name, count in counts.items():
        total.update(count)
    for name, count in [*counts.items(), ("all", total)]:
        listed = sum(count[o] for o in (*OUTCOMES, "broken", "not run"))
        survived = count["missed"] + count["unreached"]
        rows.append([name, *map(str, (
            listed, count["broken"], count["caught"], count["timeout"], survived, count["same"], count["not run"],
        ))])
    out = [HEAD, *table(rows)]
    judged = total["caught"] + total["timeout"]
    out += [
        *([f"Not finished: {total['not run']} have not been run.", ""] if total["not run"] else []),
        f"Of the {judged + total['fault']} mutants that compile and change something, {judged} were caught: "
        f"{judged / max(1, judged + total['fault']):.1%}. {total['constant']} are in constants.", "",
    ]
    unknown = []
    for name, found in survivors.items():
        out += [f"## {name}", ""]
        grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
        for survivor in sorted(found, key=key):
            grouped[why.get(key(survivor), ("", "Not looked into."))].append(survivor)
        for (kind, reason), mutants in sorted(grouped.items(), key=lambda g: g[0][0] != "same"):
            unknown += mutants if not kind else []
            label = {"same": "No fault. ", "open": "Not held by a test. "}.get(kind, "")
            out += [f"{label}{reason}", ""]
            for mutant, times in sorted(Counter(map(key, mutants)).items()):
                out.append(f"- `{mutant}`" + (f" ({times} places)" if times > 1 else ""))
            out.append("")
    (project / "docs/mutation.md").write_text("\n".join(out).rstrip() + "\n")
    stale = set(why) - {key(name) for found in survivors.values() for name in found}
    for name in sorted(stale):
        print(f"no survivor any more: {name}")
    for name in unknown:
        print(f"no reason given: {name}")
    return 1 if unknown else 0
