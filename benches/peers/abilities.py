"""What each store protects, found out by attacking it: by somebody who reads the file, and by somebody who writes it."""

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store import Person, Store
from stores import STORES, SqlCipher

sys.path.append(str(Path(__file__).parents[2] / "python" / "benches"))
from people import people  # noqa: E402

ROWS = 200
REFUSED, TAKEN, UNHARMED = "refused", "read as genuine", "not possible"

QUESTIONS = {
    "hidden": "personal values found in the file",
    "equal": "equal values look alike in the file",
    "indexed": "index on the encrypted e-mail",
    "role": "a plain column of a row edited in the file",
    "byte": "one byte of an encrypted value changed",
    "moved": "an encrypted value moved to another row",
    "stale": "an old encrypted value put back, alone",
    "whole": "a whole old row put back",
    "rotation": "a new key, for what is stored",
}


def find_all(names: list[str]) -> dict[str, dict[str, str]]:
    """The answers for all of them, each asked in a process of its own."""
    answers = {}
    for name in names:
        command = [sys.executable, "-B", __file__, name]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if run.returncode != 0:
            raise RuntimeError(f"{name}: {run.stderr}")
        answers[name] = json.loads(run.stdout)
    return answers


def find_out(name: str, folder: Path, rows: list[Any]) -> dict[str, str]:
    """The answers for one store, in an empty folder."""
    kind = STORES[name]
    file = folder / f"{name}.db"
    store = kind(file)
    store.insert(rows[:ROWS])
    genuine = read(store)
    store.close()
    answers = {"hidden": hidden(file, rows[:ROWS])}
    answers["equal"] = "yes" if alike(file, kind) else "no"
    answers["indexed"] = "no: reads every row" if kind.finds_by_scan else "yes"
    attacks: dict[str, Callable[[Path, type[Store]], bool]] = {"role": role, "byte": byte, "moved": moved}
    for question, attack in attacks.items():
        answers[question] = outcome(kind, file, folder / f"{question}.db", attack, genuine)
    answers["stale"] = put_back(kind, file, folder / "stale.db", alone=True)
    answers["whole"] = put_back(kind, file, folder / "whole.db", alone=False)
    answers["rotation"] = kind.rotation
    return answers


def read(store: Store) -> list[Person | None]:
    return [store.get(1), store.get(2)]


def hidden(file: Path, rows: list[Any]) -> str:
    content = file.read_bytes()
    found = sum(value.encode() in content for row in rows for value in row[:3])
    return f"{found} of {3 * len(rows)}"


def alike(file: Path, kind: type[Store]) -> bool:
    """Whether people of one name, of whom there are some, are seen to be."""
    if kind is SqlCipher:
        return False
    table, column = kind.physical
    [(distinct,)] = write(file, f"SELECT count(DISTINCT {column}) FROM {table}")
    return bool(distinct < ROWS)


def copy(file: Path, to: Path) -> None:
    shutil.copy(file, to)
    for beside in (".key", ".metastore"):
        if file.with_suffix(beside).exists():
            shutil.copy(file.with_suffix(beside), to.with_suffix(beside))


def outcome(kind: type[Store], file: Path, victim: Path, attack: Callable[[Path, type[Store]], bool], genuine: Any) -> str:
    copy(file, victim)
    if not attack(victim, kind):
        return UNHARMED
    return after(kind, victim, genuine)


def after(kind: type[Store], victim: Path, genuine: Any) -> str:
    """What the program gets from the file that somebody else has written."""
    try:
        store = kind(victim)
        answer = read(store)
        store.close()
    except Exception:  # Whatever it is called: the program does not go on with the value.
        return REFUSED
    return "no effect" if answer == genuine else TAKEN


def role(victim: Path, kind: type[Store]) -> bool:
    if kind is SqlCipher:
        # Nothing of a page can be edited to a purpose; a byte of it, below, can be changed.
        return False
    write(victim, f"UPDATE {kind.physical[0]} SET role = 'admin' WHERE id = 1")
    return True


def byte(victim: Path, kind: type[Store]) -> bool:
    if kind is SqlCipher:
        content = bytearray(victim.read_bytes())
        for page in range(1, len(content) // 4096):
            content[page * 4096 + 2_000] ^= 1
        victim.write_bytes(content)
        return True
    table, column = kind.physical
    [(value,)] = write(victim, f"SELECT {column} FROM {table} WHERE id = 1")
    write(victim, f"UPDATE {table} SET {column} = ? WHERE id = 1", changed(value))
    return True


def changed(value: Any) -> Any:
    at = len(value) // 2
    if isinstance(value, str):
        return value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
    return value[:at] + (b"A" if value[at : at + 1] != b"A" else b"B") + value[at + 1 :]


def moved(victim: Path, kind: type[Store]) -> bool:
    if kind is SqlCipher:
        content = victim.read_bytes()
        pages = [content[at : at + 4096] for at in range(0, len(content), 4096)]
        victim.write_bytes(b"".join([pages[0], *reversed(pages[1:])]))
        return True
    table, column = kind.physical
    write(victim, f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE id = 2) WHERE id = 1")
    return True


def put_back(kind: type[Store], file: Path, victim: Path, alone: bool) -> str:
    """The program writes name and role of a row; then its old encrypted value is put back, alone or with the rest of the row.

    Of SQLCipher a value can't be told from its page: alone, each page that changed is put back without the others; whole,
    the file is.
    """
    copy(file, victim)
    store = kind(victim)
    store.update([(1, "Somebody Else", "admin")])
    genuine = read(store)
    store.close()
    if kind is SqlCipher:
        old, new = file.read_bytes(), bytearray(victim.read_bytes())
        places = [at for at in range(4096, len(old), 4096) if old[at : at + 4096] != new[at : at + 4096]]
        for at in places:
            new[at : at + 4096] = old[at : at + 4096]
        victim.write_bytes(new if alone else old)
        return after(kind, victim, genuine)
    table, column = kind.physical
    old_file = sqlite3.connect(file)
    cursor = old_file.execute(f"SELECT * FROM {table} WHERE id = 1")
    row = dict(zip([about[0] for about in cursor.description], cursor.fetchone(), strict=True))
    old_file.close()
    names = [column] if alone else list(row)
    sets = ", ".join(f'"{name}" = ?' for name in names)
    write(victim, f"UPDATE {table} SET {sets} WHERE id = 1", *(row[name] for name in names))
    return after(kind, victim, genuine)


def write(file: Path, sql: str, *values: Any) -> list[Any]:
    """By somebody else's sqlite3, who has no key."""
    connection = sqlite3.connect(file)
    with connection:
        result = connection.execute(sql, values).fetchall()
    connection.close()
    return result


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as here:
        print(json.dumps(find_out(sys.argv[1], Path(here), people(ROWS))))
