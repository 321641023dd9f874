"""docs/benchmarks.md and its charts, from the results in target/bench: no figure of that page is written by hand.

    python report.py RESULTS-FOLDER DOCS-FOLDER

Each part of the page is made from its own results; where those are not there, the part stays as it was.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import scale_report
import svg
from abilities import QUESTIONS

OPERATIONS = ("insert", "get", "find", "scan", "update")
Part = Callable[[dict[str, Any], Path], str]
START, END = "<!-- made by {name} -->\n", "<!-- end of {name} -->\n"

INTRODUCTION = """# Benchmarks

What Sealite costs, and what else could be taken, measured. The figures of this page and its charts are written by the
commands that measure them, `make bench-peers` and `make bench-scale`; the ratios in the README by `make bench-quick`. Shown are
medians; a ratio is the median of the ratios of interleaved rounds, with its smallest and largest. Repeat them on your own
machine: a busy one shows in the spread.

"""


def peers(results: dict[str, Any], charts: Path) -> str:
    parts = ["## Against what else could be taken\n", about(results)]
    stores = results["stores"]
    plain = {name: store for name, store in stores.items() if store["baseline"] == "sqlite3"}
    orm = {name: store for name, store in stores.items() if store["baseline"] != "sqlite3"}
    parts.append(
        f"### Rows\n\n{results['rows']:,} people, three personal columns (name, e-mail, phone) and two others, a unique e-mail "
        "address; every store on SQLite in WAL mode with `synchronous=FULL` and `secure_delete`, from Python, each in a process "
        f"of its own. They take turns with shares of the work; {results['rounds']} rounds. Inserts and updates are transactions "
        "of 1,000 and 250 rows; gets and finds stand alone. *By hand*: the program encrypts each value before it binds it, and "
        "keeps a keyed hash of the e-mail address in a column of its own to find it by.\n"
    )
    parts.append(table_of_stores(plain))
    parts.append(table_of_stores(orm))
    for operation in OPERATIONS:
        values = [(store["title"], store[operation]["each"], kind(name)) for name, store in stores.items()]
        title = f"{operation}: time for one row"
        (charts / f"peers-{operation}.svg").write_text(svg.bars(title, "median, logarithmic; shorter is better", values))
        parts.append(f"![{title}](benchmarks/peers-{operation}.svg)\n")
    parts.append(slower(stores))
    if "rust" in results:
        parts.append(rust(results["rust"]))
    parts.append("### Single values, sessions, passwords\n")
    parts.append(
        "Theirs against ours, interleaved; above 1 theirs takes longer. Values: a text of 64 bytes sealed and opened, ours bound to "
        "its field and row and with a key commitment. Sessions: verified, and whose they are read; ours can be revoked, which "
        "signed ones can't. Passwords: a right one verified, which is meant to be slow.\n"
    )
    for name, title in (("fields", "a value sealed and opened"), ("sessions", "a session verified"), ("passwords", "a password")):
        parts.append(table_of_values(title, results[name]))
    parts.append(table_of_abilities(results["abilities"], stores))
    return "\n".join(parts)


def kind(name: str) -> str:
    if "sealite" in name:
        return "ours"
    return "base" if name in ("sqlite3", "orm_plain") else "other"


def about(results: dict[str, Any]) -> str:
    told = results["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in results["packages"].items())
    options = f'PEERS="--rows {results["rows"]} --rounds {results["rounds"]}"'
    return f"{machine(told)} {packages}.\n\nRepeat: `make bench-peers {options}`.\n"


def machine(told: dict[str, str]) -> str:
    return (
        f"{told['processor']}, {told['cores']} cores, {told['memory']}, {told['system']}; Python {told['python']}, SQLite "
        f"{told['sqlite']}, Rust {told['rust']}; {told['date']}."
    )


def table_of_stores(stores: dict[str, Any]) -> str:
    base = next(iter(stores.values()))["title"]
    head = f"| against {base} | insert | get | find | scan | update | bytes a row |\n| --- | --- | --- | --- | --- | --- | --- |\n"
    rows = []
    for store in stores.values():
        cells = [cell(store[operation]) for operation in OPERATIONS]
        rows.append(f"| {store['title']} | {' | '.join(cells)} | {store['size']['each']:.0f} ({store['size']['ratio']:.2f}) |\n")
    return head + "".join(rows)


def cell(measured: dict[str, Any]) -> str:
    low, high = measured["spread"]
    spread = "" if low == high else f", {number(low)} to {number(high)}"
    return f"{svg.seconds(measured['each'])} ({number(measured['ratio'])}{spread})"


def number(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def slower(stores: dict[str, Any]) -> str:
    """Where somebody else who encrypts is faster than ours of the same kind, in so many words."""
    found = []
    for ours in ("sealite", "sealite_sql", "orm_sealite"):
        for name, store in stores.items():
            if kind(name) != "other" or store["baseline"] != stores[ours]["baseline"]:
                continue
            ratios = {what: stores[ours][what]["ratio"] / store[what]["ratio"] for what in (*OPERATIONS, "size")}
            better = [f"{what} {number(ratio)} times" for what, ratio in ratios.items() if ratio > 1.02]
            if better:
                found.append(f"- {store['title']} against {stores[ours]['title']}: {', '.join(better)}.\n")
    words = "".join(found) or "Nothing that encrypts was.\n"
    return f"Where another that encrypts was faster, or its file smaller:\n\n{words}"


def rust(ratios: dict[str, Any]) -> str:
    rows = []
    for name, measured in ratios.items():
        low, high = measured["spread"]
        rows.append(f"| `{name}` | {measured['what']} | {measured['ratio']:.2f} | {low:.2f} to {high:.2f} |\n")
    head = "| ratio | what | median | spread |\n| --- | --- | --- | --- |\n"
    return "### From Rust, against rusqlite\n\nSealed to plain; below 1 ours is faster.\n\n" + head + "".join(rows)


def table_of_values(title: str, values: list[dict[str, Any]]) -> str:
    head = f"| {title} | theirs | ours | theirs to ours | spread |\n| --- | --- | --- | --- | --- |\n"
    rows = []
    for value in values:
        low, high = value["spread"]
        figures = f"{number(value['ratio'])} | {number(low)} to {number(high)}"
        rows.append(f"| {value['title']} | {svg.seconds(value['each'])} | {svg.seconds(value['ours'])} | {figures} |\n")
    return head + "".join(rows)


def table_of_abilities(answers: dict[str, dict[str, str]], stores: dict[str, Any]) -> str:
    text = (
        "### What each protects\n\nFound out by the same run, which attacks a file of 200 people that each store has written: "
        "somebody without the key looks for the values in it, and edits it by sqlite3. *Read as genuine*: the program gets the "
        "forged or the old value and no error. *Not possible*: there is nothing to aim at. Of SQLCipher, which encrypts pages "
        "and not values, bytes of pages are changed, pages exchanged, and old pages put back. The last column is from each "
        "one's documentation. Where somebody has the whole old row, or file, it goes unnoticed everywhere, with Sealite too.\n\n"
    )
    head = "| " + " | ".join(["", *QUESTIONS.values()]) + " |\n" + "| --- " * (len(QUESTIONS) + 1) + "|\n"
    rows = []
    for name, answer in answers.items():
        cells = (answer[question].replace("refused", "**refused**") for question in QUESTIONS)
        rows.append(f"| {stores[name]['title']} | {' | '.join(cells)} |\n")
    return text + head + "".join(rows)


PARTS: dict[str, Part] = {"bench-peers": peers, "bench-scale": scale_report.scale}


def main() -> None:
    results, docs = Path(sys.argv[1]), Path(sys.argv[2])
    page, charts = docs / "benchmarks.md", docs / "benchmarks"
    charts.mkdir(parents=True, exist_ok=True)
    old = page.read_text() if page.exists() else ""
    parts = [INTRODUCTION]
    for name, make in PARTS.items():
        start, end = START.format(name=name), END.format(name=name)
        file = results / f"{name.removeprefix('bench-')}.json"
        if file.exists():
            parts.append(start + make(json.loads(file.read_text()), charts) + end + "\n")
        elif start in old:
            parts.append(start + old.split(start, 1)[1].split(end, 1)[0] + end + "\n")
        else:
            parts.append(f"{start}Not measured yet: `make {name}`.\n{end}\n")
    page.write_text("".join(parts).rstrip() + "\n")
    print(f"written: {page}", file=sys.stderr)


if __name__ == "__main__":
    main()
