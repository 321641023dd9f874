"""The stub says what the module is, and a program that uses it passes the strictest type check."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import sealite

EXAMPLES = Path(__file__).parents[1] / "examples"
TOOLS = Path(__file__).parents[1] / "tools"
EXAMPLE = '''
from collections.abc import Mapping
import sealite

def show(row: Mapping[str, object]) -> None: ...

vault = sealite.Vault.open("app.db", sealite.Unlock.environment("APP_KEY"), busy_timeout=5.0, synchronous="full")
created: bool = vault.define_table("users", {"email": "text sealed"}, padding="padme")
users = vault.table("users")
id: int = users.insert(email="a", age=None, photo=b"", tags=bytearray())
ids: list[int] = users.insert_many([{"email": "a"}, {"email": "b", "age": 1}])
ids += users.insert_many(["email", "age"], [("a", 1), ["b", None]])
row = users.get(1)
if row is not None:
    show(row)
    email: str = row["email"]
    pairs: dict[str, object] = dict(row)
    default: int = row.get("age", 0)
for each in users.scan():
    values: tuple[object, ...] = each.values()
with vault.transaction() as tx:
    tx.define_table("pets", {"name": "text sealed"}, padding="padme")
    with tx.savepoint():
        tx.table("users").update(1, {"email": "b"}, age=2)
    for (number,) in tx.query("SELECT ?", (1,)):
        print(number)
    tx.tenant("acme").table("notes").insert(body="x")
with vault.snapshot() as snap:
    found: list[sealite.Row | None] = snap.table("users").get_many([1, 2])
slot, code = vault.add_recovery_slot("paper")
print(code.reveal(), vault.status == "open")
sealed: list[bytes] = vault.field("users.email").seal_many(["a", None], [1, 2])
issued = vault.tokens.issue("session", subject="ada", expires_in="never", data={"theme": "dark"})
token: sealite.Token = vault.tokens.verify(issued.text, ["session", "api_key"], scopes=("read",))
whose: str | None = token.subject
theme: str = token.data["theme"]
charged: bool = vault.quotas.check_and_charge(token.quota_key, token.quota_limits or sealite.QuotaLimit.parse("5/s")).allowed
vault.settings.define("mail.port", "integer", default=25)
vault.settings.define_all({"mail.host": {"default": "localhost"}, "mail.on": {"kind": "boolean", "secret": False}})
begun = vault.transaction().begin()
begun.roll_back()
held: bool = sealite.Vault.holds_file("app.db") and not vault.health().blocking
right, better = sealite.PasswordHasher(passes=2).verify_and_update(b"abc", None)
try:
    assert vault.verify(print).sound
except sealite.Busy as error:
    print(error.code, error.name, error.sqlite_code)
'''

ADAPTERS = '''
import asyncio
import datetime
import fastapi
import flask
import limits.storage
import prometheus_client
import pydantic_settings
import sqlalchemy as sa
import sqlite3
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
import sealite.alembic
import sealite.fastapi
import sealite.dbapi2
import sealite.flask
import sealite.limits
import sealite.logging
import sealite.prometheus
import sealite.pydantic_settings
import sealite.sqlite3
import sealite.testing
import sealite.vaults
import sealite.web
from sealite import aio
from sealite.sqlalchemy import Sealed, register_vault, tenant

class Base(DeclarativeBase): ...

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique email", label="users.email"))

async def main(vault: sealite.Vault) -> str:
    register_vault(vault)
    async with aio.transaction(vault) as tx:
        count: int = await tx.run(lambda inner: inner.table("users").count())
    return await aio.wait_for_decision(vault.approvals, str(count), timeout=1)

def find(session: Session) -> str:
    with tenant("acme"):
        return session.scalars(sa.select(User.email).where(User.email == "a", User.email.in_(["b"]))).one()

vault = sealite.Vault.in_memory()
asyncio.run(main(vault))
sealite.sqlite3.register(sqlite3.connect(":memory:"), vault.tenant("acme"))
allowed: bool = sealite.limits.VaultStorage("sealite://default").acquire_entry("a", 5, 60)
hidden: str = sealite.logging.redact("a?b=c", also=["d"])
prometheus_client.REGISTRY.register(sealite.prometheus.VaultCollector(vault, {"requests": "hits"}))
clock = sealite.testing.Clock(vault)
clock.advance(datetime.timedelta(seconds=1))
sealite.vaults.register_vault(vault, "other")
known: sealite.Vault = sealite.vaults.registered_vault("other")
other_site = sealite.flask.Sealite(flask.Flask("site"), known)
api = sealite.fastapi.Sealite(vault=vault)
app = fastapi.FastAPI(lifespan=api.lifespan)

class AppSettings(pydantic_settings.BaseSettings):
    name: str = ""

source: pydantic_settings.PydanticBaseSettingsSource = sealite.pydantic_settings.VaultSettingsSource(AppSettings, vault.settings)
seal = sealite.alembic.SealColumn("users", "email", Sealed(sa.Text(), label="users.email"))

def shown(vault: sealite.fastapi.VaultDep) -> int:
    return vault.table("users").count()

site = sealite.flask.Sealite()

@site.limit("5/minute")
@site.require_session(["admin"], login="home")
def view(number: int) -> str:
    session = site.login("ada", data={"theme": "dark"}, idle=600)
    return f"{number} {session.subject} {site.csrf_token()}"

answer: str = view(1)
'''

WRONG = '''
import sealite
vault = sealite.Vault.in_memory()
vault.protect("users", "name", "hidden")
vault.table("users").get(1.5)
vault.table("users").insert(name=object())
sealite.Unlock.key("text")
vault.status == "opened"
vault.tokens.issue("cookie")
vault.settings.define_all({"x": {"colour": "red"}})
vault.settings.define("x", secret="yes")
'''


def pyright(*programs: Path) -> "subprocess.CompletedProcess[str]":
    return mypy("pyright", "--level", "error", "--pythonpath", sys.executable, *map(str, programs))


def mypy(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=cwd, capture_output=True, text=True, timeout=300)


def test_the_stub_says_what_the_module_is(tmp_path: Path) -> None:
    done = mypy("mypy.stubtest", "sealite._native", "sealite._dbapi2", "--mypy-config-file", str(config(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stub_has_the_docstrings_of_the_module() -> None:
    done = subprocess.run([sys.executable, "-B", TOOLS / "stub_docs.py", "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    stub = (Path(sealite.__file__).parent / "_native.pyi").read_text("utf-8")
    nodes = [node for node in ast.walk(ast.parse(stub)) if isinstance(node, ast.FunctionDef)]
    assert len(nodes) > 500
    # Methods that Python itself calls are Python's to explain.
    bare = {node.name for node in nodes if ast.get_docstring(node) is None}
    assert {name for name in bare if not name.startswith("_")} == set()


def test_examples_pass_the_strict_checks(tmp_path: Path) -> None:
    programs = [tmp_path / "example.py", tmp_path / "adapters.py"]
    for program, text in zip(programs, (EXAMPLE, ADAPTERS), strict=True):
        program.write_text(text)
    package = Path(sealite.__file__).parent
    examples = sorted(EXAMPLES.glob("*/*.py"))
    assert examples
    for what in (list(map(str, programs)), ["-p", "sealite"], *([str(example)] for example in examples)):
        done = mypy("mypy", "--strict", "--config-file", str(config(tmp_path)), *what)
        assert done.returncode == 0, done.stdout + done.stderr
    done = pyright(*programs, package, *examples)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_adopters_pass_the_strict_checks(tmp_path: Path) -> None:
    adopters = EXAMPLES / "adopters"
    packages = sorted(each.name for each in adopters.iterdir() if (each / "__init__.py").exists())
    assert len(packages) == 5
    named = [argument for package in packages for argument in ("-p", package)]
    done = mypy("mypy", "--strict", "--config-file", str(config(tmp_path)), *named, cwd=adopters)
    assert done.returncode == 0, done.stdout + done.stderr
    done = pyright(*(adopters / package for package in packages))
    assert done.returncode == 0, done.stdout + done.stderr


def test_mistakes_do_not_pass(tmp_path: Path) -> None:
    program = tmp_path / "wrong.py"
    program.write_text(WRONG)
    done = mypy("mypy", "--strict", "--config-file", str(config(tmp_path)), str(program))
    lines = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert lines == {4, 5, 6, 7, 8, 9, 10, 11}, done.stdout + done.stderr


def config(folder: Path) -> Path:
    file = folder / "mypy.ini"
    file.write_text(f"[mypy]\ncache_dir = {folder / 'cache'}\n")
    return file


def test_every_public_module_is_among_the_examples() -> None:
    modules = {each.name for each in pkgutil.iter_modules(sealite.__path__) if not each.name.startswith("_")}
    text = EXAMPLE + ADAPTERS
    assert {name for name in modules if f"sealite.{name}" not in text and f"import {name}" not in text} == set()


def test_the_package_is_the_installed_one() -> None:
    assert sealite.__file__ is not None
    folder = Path(sealite.__file__).parent
    assert (folder / "py.typed").exists() and (folder / "_native.pyi").exists()
    assert set(sealite.__all__) <= set(dir(sealite))
