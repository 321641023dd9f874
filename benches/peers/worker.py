"""One store in a process of its own: reads orders from standard input, a line of JSON each, and answers with its time.

    python worker.py STORE ROWS
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store import Person, Store
from stores import STORES

sys.path.append(str(Path(__file__).parents[2] / "python" / "benches"))
from people import people  # noqa: E402


class Worker:
    def __init__(self, store: str, count: int) -> None:
        self.kind = STORES[store]
        self.rows = people(count)
        self.store: Store | None = None
        self.file = Path()

    def answer(self, order: dict[str, Any]) -> dict[str, Any]:
        work: Callable[[dict[str, Any]], Any] = getattr(self, f"do_{order['do']}")
        result = work(order)
        return result if isinstance(result, dict) else {}

    def do_create(self, order: dict[str, Any]) -> None:
        self.file = Path(order["file"])
        self.store = self.kind(self.file)

    def do_insert(self, order: dict[str, Any]) -> dict[str, Any]:
        rows, store = self.rows[order["from"] : order["to"]], self.opened
        return timed(lambda: store.insert(rows))

    def do_get(self, order: dict[str, Any]) -> dict[str, Any]:
        store = self.opened
        return timed(lambda: sum(weigh(store.get(id)) for id in order["ids"]))

    def do_find(self, order: dict[str, Any]) -> dict[str, Any]:
        emails, store = [self.rows[id - 1][1] for id in order["ids"]], self.opened
        return timed(lambda: sum(weigh(store.find(email)) for email in emails))

    def do_scan(self, order: dict[str, Any]) -> dict[str, Any]:
        store = self.opened
        return timed(lambda: sum(map(weigh, store.scan())))

    def do_update(self, order: dict[str, Any]) -> dict[str, Any]:
        # As long as it was: sums of lengths stay what they are on all sides.
        changes = [(id, self.rows[id - 1][0][::-1], "user") for id in order["ids"]]
        store = self.opened
        return timed(lambda: store.update(changes))

    def do_close(self, order: dict[str, Any]) -> dict[str, Any]:
        self.opened.close()
        self.store = None
        return {"bytes": self.file.stat().st_size}

    @property
    def opened(self) -> Store:
        assert self.store is not None
        return self.store


def weigh(person: Person | None) -> int:
    assert person is not None
    id, name, email, phone, role, plan = person
    return id + len(name) + len(email) + len(phone) + len(role) + len(plan)


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    start = time.perf_counter()
    result = work()
    return {"seconds": time.perf_counter() - start, "sum": result}


def main() -> None:
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
