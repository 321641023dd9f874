"""The comparison with peers measures, attacks and writes what it says; here with the stores that the tests' environment has."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

PEERS = Path(__file__).parents[2] / "benches" / "peers"


def run(code: str, *arguments: str) -> str:
    """In a process of its own: the folder is a program, not a package."""
    command = [sys.executable, "-B", "-c", f"import sys; sys.path.insert(0, {str(PEERS)!r})\n{code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=None)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("store", ["sealite", "sealite_sql", "orm_sealite"])
def test_attacks_on_ours_are_refused_but_the_one_that_is_told(store: str) -> None:
    answers = json.loads(run(f"import json, abilities; print(json.dumps(abilities.find_all(['{store}'])['{store}']))"))
    assert answers.pop("rotation")
    assert answers == {
        "hidden": "0 of 600",
        "equal": "no",
        "indexed": "yes",
        "role": "refused",
        "byte": "refused",
        "moved": "refused",
        "stale": "refused",
        "whole": "read as genuine",
    }


def test_the_attacks_succeed_where_nothing_protects() -> None:
    answers = json.loads(run("import json, abilities; print(json.dumps(abilities.find_all(['sqlite3'])['sqlite3']))"))
    assert answers["hidden"] == "600 of 600" and answers["equal"] == "yes"
    assert {answers[attack] for attack in ("role", "byte", "moved", "stale", "whole")} == {"read as genuine"}


MEASURE = """
import json, pathlib, rows
names = ["sqlite3", "sealite", "orm_plain", "orm_sealite"]
stores = rows.measure(200, 1, names, pathlib.Path(sys.argv[1]))
value = {"title": "a", "ours": 1e-6, "each": 2e-6, "ratio": 2.0, "spread": [1.9, 2.1]}
told = dict.fromkeys(("processor", "memory", "system", "python", "sqlite", "rust", "date"), "x") | {"cores": "2"}
from abilities import QUESTIONS
results = {"machine": told, "packages": {}, "rows": 200, "rounds": 1, "stores": stores, "fields": [value], "sessions": [value],
    "passwords": [value], "abilities": {name: dict.fromkeys(QUESTIONS, "refused") for name in names},
    "rust": {"get_sealed_vs_plain": {"what": "one row", "ratio": 1.0, "spread": [0.9, 1.1]}}}
pathlib.Path(sys.argv[1], "peers.json").write_text(json.dumps(results))
one = {"plain": 1e-6, "sealed": 2e-6, "ratio": 2.0, "spread": [1.9, 2.1]}
grown = [{"count": count, "get": one, "find": one, "insert": one, "open": one, "memory": 2**20,
    "size": {"plain": 1, "sealed": 2}} for count in (10, 100)]
crowd = [{"kind": kind, "count": count, "what": what, "each": one}
    for kind in ("threads", "processes") for count in (1, 2) for what in ("get", "insert")]
scale = {"machine": told, "repeats": 1, "rows": grown, "tenants": grown, "crowd": crowd}
pathlib.Path(sys.argv[1], "scale.json").write_text(json.dumps(scale))
"""


def test_page_and_charts_come_from_the_results(tmp_path: Path) -> None:
    results, docs = tmp_path / "results", tmp_path / "docs"
    results.mkdir()
    run(MEASURE, str(results))
    report = [sys.executable, "-B", str(PEERS / "report.py"), str(results), str(docs)]
    subprocess.run(report, check=True, capture_output=True)
    page = (docs / "benchmarks.md").read_text()
    for told in ("| Sealite, tables | ", "| 2 processes | insert | 500,000 | ", 'PEERS="--rows 200 --rounds 1"'):
        assert told in page
    charts = sorted((docs / "benchmarks").iterdir())
    assert charts and {chart.suffix for chart in charts} == {".svg"}
    for chart in charts:
        assert f"](benchmarks/{chart.name})" in page
        assert ElementTree.parse(chart).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    # What was not measured anew stays as it was.
    (results / "peers.json").unlink()
    subprocess.run(report, check=True, capture_output=True)
    assert (docs / "benchmarks.md").read_text() == page
