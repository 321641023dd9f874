"""Mutants that can't be switched while running: cargo-mutants builds each, and runs the crate's own tests."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import switch

OUTCOMES = {"CaughtMutant": "caught", "MissedMutant": "missed", "Timeout": "timeout", "Unviable": "broken"}


def judge(project: Path, work: Path, tool: str, mutants: list[switch.Mutant], jobs: int) -> list[dict[str, str]]:
    if not mutants:
        return []
    wanted = {mutant.name for mutant in mutants}
    names = "|".join(map(re.escape, sorted(wanted)))
    # Not every kind of mutant is chosen by its name: what else is found in these files is left out below.
    files = [word for file in sorted({mutant.file for mutant in mutants}) for word in ("-f", file)]
    subprocess.run(
        [
            tool, "mutants", "-p", "sealite", "--no-config", *files, "--re", f"^(?:{names})$", "--baseline", "skip", "--timeout", "120",
            "--build-timeout", "900", "--no-times", "--jobs", str(jobs), "--output", str(work), "--", "--lib", "--locked",
        ],
        cwd=project, check=False,
    )
    found = json.loads((work / "mutants.out/outcomes.json").read_text())["outcomes"]
    return [
        {"name": outcome["scenario"]["Mutant"]["name"], "outcome": OUTCOMES[outcome["summary"]], "by": "sealite"}
        for outcome in found
        if isinstance(outcome["scenario"], dict) and outcome["scenario"]["Mutant"]["name"] in wanted
    ]
