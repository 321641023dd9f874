"""The part of docs/benchmarks.md about growing: rows, tenants, threads and processes."""

from pathlib import Path
from typing import Any

import svg

SIDES = (("plain rusqlite", "plain"), ("Sealite", "sealed"))


def scale(results: dict[str, Any], charts: Path) -> str:
    told = results["machine"]
    cores = int(told["cores"])
    parts = [
        "## How it grows\n",
        f"{told['processor']}, {cores} cores, {told['memory']}, {told['system']}; Rust {told['rust']}; {told['date']}.\n",
        f"Repeat: `make bench-scale`, and `make bench-scale SCALE=\"--rows {results['rows'][-1]['count']}\"` for as many rows as "
        "here. Both sides from Rust, the same columns and pragmas, "
        f"{results['repeats']} interleaved repetitions; cells are sealed, plain and their ratio with its spread.\n",
        rows(results["rows"], charts),
        tenants(results["tenants"], charts),
        crowd(results["crowd"], cores, charts),
    ]
    return "\n".join(parts)


def cell(measured: dict[str, Any]) -> str:
    low, high = measured["spread"]
    sealed, plain = svg.seconds(measured["sealed"]), svg.seconds(measured["plain"])
    return f"{sealed}, {plain}: {measured['ratio']:.2f} ({low:.2f} to {high:.2f})"


def table(head: list[str], lines: list[list[str]]) -> str:
    text = f"| {' | '.join(head)} |\n{'| --- ' * len(head)}|\n"
    return text + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rows(measured: list[dict[str, Any]], charts: Path) -> str:
    lines = []
    for at in measured:
        sizes, count = at["size"], at["count"]
        sealed, plain = sizes["sealed"], sizes["plain"]
        size = f"{sealed / 2**20:,.1f} MiB, {plain / 2**20:,.1f} MiB: {sealed / plain:.2f}"
        lines.append([f"{count:,}", *(cell(at[what]) for what in ("get", "find", "insert")), size])
    text = "### Rows\n\nOne table of 5 columns, 3 sealed, a unique index on e-mail. An insert is of the rows since the size "
    text += "before, in transactions of 10,000; e-mail addresses and their index values come in no order.\n\n"
    text += table(["rows", "get by id", "find by e-mail", "insert", "file"], lines)
    for what, title in (("get", "Reading one row by its id"), ("find", "Finding one row by its e-mail"), ("insert", "Inserting one row")):
        text += chart(charts, f"rows-{what}", f"{title}, as the table grows", "rows", measured, what)
    return text


def chart(charts: Path, name: str, title: str, across: str, measured: list[dict[str, Any]], what: str) -> str:
    series = [(side, [(at["count"], at[what][field]) for at in measured]) for side, field in SIDES]
    axis = f"seconds for one, by {across}; both axes logarithmic; lower is better"
    (charts / f"{name}.svg").write_text(svg.lines(title, axis, "s", series))
    return f"\n![{title}](benchmarks/{name}.svg)\n"


def tenants(measured: list[dict[str, Any]], charts: Path) -> str:
    lines = []
    for at in measured:
        cells = (cell(at[what]) for what in ("get", "find", "insert", "open"))
        lines.append([f"{at['count']:,}", *cells, f"{at['memory'] / 2**20:.1f} MiB"])
    text = "### Tenants\n\nTen rows for each tenant in one table; each tenant has keys of its own, plain has a column and a unique index "
    text += "over tenant and e-mail. Look-ups are in a tenant at random; the first rows of a tenant make its keys, shown as the "
    text += "time of one of its ten rows. *Memory* is what the process grew by when it opened the vault and read in every tenant.\n\n"
    text += table(["tenants", "get by id", "find by e-mail", "insert", "open", "memory"], lines)
    for what, title in (("find", "Finding a row of one of many tenants"), ("open", "Opening the file")):
        text += chart(charts, f"tenants-{what}", title, "tenants", measured, what)
    return text


def crowd(measured: list[dict[str, Any]], cores: int, charts: Path) -> str:
    text = f"### Threads and processes\n\nTogether at one file, on {cores} cores: more than {cores} at once share them. Operations a "
    text += "second of all together; a get reads a row by its id, an insert is a transaction of one row, on the disk when it returns "
    text += "(one writes at a time, in SQLite as here). Threads share an open vault; of plain SQLite each has a connection.\n\n"
    lines = []
    for at in measured:
        each = at["each"]
        low, high = each["spread"]
        ratio = f"{1 / each['ratio']:.2f} ({1 / high:.2f} to {1 / low:.2f})"
        rates = [f"{1 / each[field]:,.0f}" for field in ("sealed", "plain")]
        lines.append([f"{at['count']} {at['kind']}", at["what"], *rates, ratio])
    text += table(["at once", "what", "sealed, a second", "plain, a second", "sealed to plain, higher is better"], lines)
    for what in ("get", "insert"):
        series = []
        for kind in ("threads", "processes"):
            points = [at for at in measured if at["kind"] == kind and at["what"] == what]
            for side, field in SIDES:
                series.append((f"{side}, {kind}", [(at["count"], 1 / at["each"][field]) for at in points]))
        title = f"{what}s a second by threads or processes, on {cores} cores"
        axis = "operations a second of all together, by how many there are; logarithmic; higher is better"
        (charts / f"crowd-{what}.svg").write_text(svg.lines(title, axis, "", series))
        text += f"\n![{title}](benchmarks/crowd-{what}.svg)\n"
    return text
