"""The rows' workload: every store does the same work in the same order, share by share, each in a process of its own.

In each round the stores take turns with every share, in another order each time, so that what else the machine does falls
on all alike. A ratio is of one round: the store's time to its baseline's; told are the medians of the rounds.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store import Store
from stores import STORES

BATCH = 1_000
LOOKUPS, FINDS, UPDATES, SHARES = 2_000, 1_000, 1_000, 4
OPERATIONS = ("insert", "get", "find", "scan", "update")


class Side:
    """A store's process."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.kind = name, STORES[name]
        script = Path(__file__).with_name("worker.py")
        command = [sys.executable, "-B", str(script), name, str(count)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} failed at {order['do']}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


def orders(count: int, kind: type[Store], draw: random.Random) -> Iterator[tuple[str, dict[str, Any], int]]:
    """(operation, order, how many single operations it is)."""
    for start in range(0, count, BATCH):
        yield "insert", {"from": start, "to": min(start + BATCH, count)}, min(BATCH, count - start)
    for operation, total in (("get", LOOKUPS), ("find", FINDS), ("update", UPDATES)):
        for _ in range(SHARES):
            ids = draw.sample(range(1, count + 1), min(total // SHARES, count))
            # Without an index one look-up a share is enough: it reads everything.
            if operation == "find" and kind.finds_by_scan:
                ids = ids[:1]
            yield operation, {"ids": ids}, len(ids)
        if operation == "find":
            yield from (("scan", {}, count) for _ in range(2))


def measure(count: int, rounds: int, names: list[str], work: Path) -> dict[str, Any]:
    """Seconds of one operation for every store, operation and round, and bytes of a row."""
    sides = [Side(name, count) for name in names]
    taken: dict[str, dict[str, list[float]]] = {name: {} for name in names}
    try:
        # The first round warms up and is not counted, with fewer rows.
        for round in range(rounds + 1):
            with tempfile.TemporaryDirectory(dir=work) as folder:
                one_round(sides, count if round else min(count, 2 * BATCH), round, Path(folder), taken if round else None)
            print(f"rows: round {round} of {rounds}", file=sys.stderr)
    finally:
        for side in sides:
            side.end()
    return {name: summary(taken, name) for name in names}


def one_round(sides: list[Side], count: int, round: int, folder: Path, taken: Any) -> None:
    plans = {side.name: orders(count, side.kind, random.Random(round)) for side in sides}
    for side in sides:
        side.ask(do="create", file=str(folder / f"{side.name}.db"))
    totals: dict[str, dict[str, list[float]]] = {side.name: {} for side in sides}
    steps = sum(1 for _ in orders(count, sides[0].kind, random.Random(round)))
    for step in range(steps):
        sums = set()
        at = (step + round) % len(sides)
        turn = sides[at:] + sides[:at]
        for side in turn if step % 2 == 0 else reversed(turn):
            operation, order, operations = next(plans[side.name])
            answer = side.ask(do=operation, **order)
            total = totals[side.name].setdefault(operation, [0.0, 0])
            total[0] += answer["seconds"]
            total[1] += operations
            if not (operation == "find" and side.kind.finds_by_scan):
                sums.add(answer["sum"])
        if len(sums) > 1:
            raise RuntimeError(f"the stores did not read the same: {sums}")
    for side in sides:
        size = side.ask(do="close")["bytes"]
        if taken is not None:
            for operation, (seconds, operations) in totals[side.name].items():
                taken[side.name].setdefault(operation, []).append(seconds / operations)
            taken[side.name].setdefault("size", []).append(size / count)


def summary(taken: dict[str, dict[str, list[float]]], name: str) -> dict[str, Any]:
    kind = STORES[name]
    result: dict[str, Any] = {"title": kind.title, "baseline": kind.baseline, "finds_by_scan": kind.finds_by_scan}
    for operation, values in taken[name].items():
        pairs = zip(values, taken[kind.baseline][operation], strict=True)
        ratios = [value / base for value, base in pairs]
        result[operation] = {
            "each": statistics.median(values),
            "ratio": statistics.median(ratios),
            "spread": [min(ratios), max(ratios)],
        }
    return result
