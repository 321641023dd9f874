"""`flask sealite ...`: the commands, by the application's own settings."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import flask
import pytest
from click.testing import Result

import sealite
from sealite.flask import Sealite, _commands

Run = Callable[..., Result]


@pytest.fixture
def app(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[flask.Flask]:
    monkeypatch.setenv("APP_KEY", key)
    app = flask.Flask(__name__)
    app.config.update(SEALITE_PATH=path, SEALITE_UNLOCK="env:APP_KEY")
    Sealite(app)
    yield app
    app.extensions["sealite"].close()


@pytest.fixture
def command(app: flask.Flask) -> Run:
    """Runs a command; fails where its exit code is another than expected."""

    def command(line: str, status: int = 0, given: str = "") -> Result:
        result = app.test_cli_runner().invoke(args=["sealite", *line.split()], input=given)
        assert result.exit_code == status, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return command


def test_a_vault_is_made_once(command: Run) -> None:
    assert "instance" not in command("status", 1).stdout
    assert json.loads(command("status --json", 1).stdout)["vault"] == "absent"
    assert command("verify", 4).stderr.startswith("not_initialised: ")
    assert command("init").stdout == "initialised\n"
    assert command("init", 4).stderr.startswith("already_initialised: ")
    told = json.loads(command("status --json").stdout)
    assert told["status"] == "ready" and told["vault"] == "open"
    assert "status: ready\n" in command("status").stdout


def test_verify_tells_what_was_edited_and_what_was_cut_off(app: flask.Flask, command: Run, path: Path, tmp_path: Path) -> None:
    command("init")
    vault: sealite.Vault = app.extensions["sealite"]
    vault.define_table("users", {"role": "text authenticated"})
    vault.table("users").insert(role="user")
    vault.audit.append("seen")
    file = tmp_path / "checkpoint"
    file.write_text(command("checkpoint").stdout)
    told = json.loads(command(f"verify --json --checkpoint {file}").stdout)
    assert told["sound"] and told["rows"] == 1 and told["audit_entries"] >= 2

    def edit(statement: str) -> None:
        program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
        subprocess.run([sys.executable, "-c", program, str(path), statement], check=True, timeout=120)

    edit("UPDATE users_sealed SET role = 'admin'")
    told = json.loads(command("verify --json", 1).stdout)
    assert not told["sound"] and told["audit_faults"] == []
    assert told["faults"] == [{"table": "users", "id": 1, "error": "authentication_failed"}]
    edit("UPDATE users_sealed SET role = 'user'")
    command("verify")
    edit("DELETE FROM sealite_audit_sealed WHERE seq = (SELECT max(seq) FROM sealite_audit_sealed)")
    told = json.loads(command(f"verify --json --checkpoint {file}", 1).stdout)
    assert told["faults"] == [] and "truncated" in {fault["kind"] for fault in told["audit_faults"]}
    file.write_text(sealite.Vault.in_memory().audit.checkpoint())
    assert command(f"verify --checkpoint {file}", 5).stdout == ""


def test_tokens_are_issued_listed_and_revoked(app: flask.Flask, command: Run, tmp_path: Path) -> None:
    command("init")
    tokens = app.extensions["sealite"].tokens
    out = tmp_path / "job.token"
    command(f"token issue --subject nightly --label job --scope read --scope write --limits 5/minute --expires 90d --out {out}")
    assert out.stat().st_mode & 0o777 == 0o600
    text = out.read_text().strip()
    token = tokens.verify(text, "api_key", scopes=["read", "write"])
    assert (token.subject, token.label, token.limits) == ("nightly", "job", "5/minute")
    assert round((token.expires_at - token.created_at).total_seconds()) == 90 * 86_400

    assert command("token issue", 2).stdout == ""
    piped = command("token issue --kind admin --stdout")
    assert tokens.verify(piped.stdout.strip(), "admin").id in piped.stderr
    for line in ("token list", "token list --json", "token list --subject nightly --kind api_key --active"):
        listed = command(line).output
        assert token.id in listed and text not in listed and piped.stdout.strip() not in listed
    (facts,) = json.loads(command("token list --subject nightly --json").stdout)["tokens"]
    assert facts["scopes"] == ["read", "write"] and facts["revoked_at_ms"] is None

    command(f"token revoke {token.id}")
    assert "already" in command(f"token revoke {token.id}").stderr
    with pytest.raises(sealite.TokenRejected):
        tokens.verify(text, "api_key")
    second = command("token issue --subject nightly --stdout").stdout.strip()
    command("token revoke --subject nightly")
    with pytest.raises(sealite.TokenRejected):
        tokens.verify(second, "api_key")
    assert "nightly" not in command("token list --active").stdout


def test_a_token_is_not_issued_where_its_file_cannot_be_written(app: flask.Flask, command: Run, tmp_path: Path) -> None:
    command("init")
    out = tmp_path / "taken"
    out.write_text("mine")
    assert command(f"token issue --out {out}", 7).stderr.startswith("io: ")
    assert out.read_text() == "mine" and app.extensions["sealite"].tokens.list() == []
    fresh = tmp_path / "fresh"
    assert command(f"token issue --limits no-limit --out {fresh}", 2).stderr.startswith("invalid_input: ")
    assert not fresh.exists()


def test_wrong_usage_is_told_from_failure(command: Run) -> None:
    command("init")
    for line in ("revoke", "revoke abc --subject ada", "issue --kind cookie", "issue --expires soon", "list --kind x"):
        command(f"token {line}", 2)
    assert command("token revoke 3f9c1b60a2d4e8570c6b9a12", 7).stderr.startswith("not_found: ")
    command("settings set no.such", 7, given="x")


def test_settings_are_set_from_the_standard_input_and_listed_masked(
    app: flask.Flask, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("init")
    vault: sealite.Vault = app.extensions["sealite"]
    vault.settings.define("mail.password", secret=True)
    vault.settings.define("site.name")
    monkeypatch.setenv("USER", "root")
    assert command("settings set mail.password", given="canary pass\n").stderr == "changed\n"
    assert command("settings set mail.password", given="canary pass\n").stderr == "unchanged\n"
    command("settings set site.name --actor ada --reason launch", given="Acme\n")
    use = vault.settings.use("mail.password")
    assert use is not None and use.expose() == "canary pass"
    assert vault.settings.read("mail.password").changed_by == "cli:root"
    assert vault.settings.read("site.name").changed_by == "ada"
    listed = command("settings list").stdout
    assert "canary" not in listed and "mail.password=" in listed and "site.name=Acme  (vault)" in listed


def test_every_command_answers_programs_too(app: flask.Flask, command: Run, tmp_path: Path) -> None:
    """One object on the standard output, errors too, as those of `sealite --json`."""

    def told(line: str, status: int = 0, given: str = "") -> Any:
        done = command(f"{line} --json", status, given)
        assert done.stderr == ""
        return json.loads(done.stdout)

    for line in ("verify", "checkpoint", "token list", "token revoke 3f9c1b60a2d4e8570c6b9a12", "settings list"):
        assert told(line, 4)["error"].keys() == {"code", "name", "message"}, line
    assert told("init") == {"state": "open"}
    assert told("init", 4)["error"] == {
        "code": sealite.AlreadyInitialised.code, "name": "already_initialised", "message": "the vault exists already"
    }  # fmt: skip
    vault: sealite.Vault = app.extensions["sealite"]
    vault.settings.define("mail.password", secret=True)
    assert told("checkpoint").keys() == {"checkpoint"}
    issued = told("token issue --subject ada --stdout")
    assert vault.tokens.verify(issued["text"], "api_key").id == issued["token"]["id"]
    out = tmp_path / "job.token"
    filed = told(f"token issue --subject ada --out {out}")
    assert filed["file"] == str(out) and "text" not in filed and out.read_text().strip() not in str(filed)
    assert told(f"token issue --out {out}", 7)["error"]["name"] == "io"
    id = issued["token"]["id"]
    assert [told(f"token revoke {id}") for _ in range(2)] == [{"id": id, "changed": changed} for changed in (True, False)]
    assert told("token revoke --subject ada") == {"subject_revoked": True}
    changes = [told("settings set mail.password", given="canary") for _ in range(2)]
    assert [each["changed"] for each in changes] == [True, False]
    listed = told("settings list")
    assert listed == {"settings": [changes[1]["setting"]]} and "canary" not in str(listed)
    groups: list[click.Command] = [app.cli.commands["sealite"]]
    while groups:
        each = groups.pop()
        if isinstance(each, click.Group):
            groups += each.commands.values()
        else:
            assert "as_json" in {parameter.name for parameter in each.params}, each.name


ROOT = Path(__file__).parents[2]


def exit_codes_of_the_command() -> dict[str, int]:
    """Those of the command line's source, by the class of the error; what is not named there has that of all else."""
    source = (ROOT / "cli" / "src" / "failure.rs").read_text("utf-8")
    body = source[source.index("fn exit(&self)") :]
    body = body[: body.index("_ =>")].replace("EXIT_USAGE", "2")
    found: dict[str, int] = {}
    for kinds, code in re.findall(r"((?:\|?\s*ErrorKind::\w+\s*)+)=> (\d),", body):
        found |= dict.fromkeys(re.findall(r"ErrorKind::(\w+)", kinds), int(code))
    return found


def test_exit_codes_are_those_of_the_command() -> None:
    classes = [
        value for value in vars(sealite).values()
        if isinstance(value, type) and issubclass(value, sealite.SealiteError) and value is not sealite.SealiteError
    ]  # fmt: skip
    expected = exit_codes_of_the_command()
    assert set(expected) <= {each.__name__ for each in classes} and len(expected) >= 10
    for error in classes:
        with pytest.raises(click.exceptions.Exit) as exit, _commands._failures(as_json=True):
            raise error("said")
        assert exit.value.exit_code == expected.get(error.__name__, 7), error


def test_the_documented_exit_codes_are_all_that_there_are() -> None:
    table = re.findall(r"^\| (\d) \| (.+) \|$", (ROOT / "docs" / "cli.md").read_text("utf-8"), re.MULTILINE)
    assert [int(code) for code, _ in table] == list(range(8))
    assert set(exit_codes_of_the_command().values()) == {2, 3, 4, 5, 6}
    # By the words of `--help`.
    shown = (ROOT / "cli" / "src" / "failure.rs").read_text("utf-8")
    for code, meaning in table:
        assert f"  {code}  {meaning.replace('`', '')}" in shown, code


def test_tokens_of_every_kind_can_be_issued_and_listed(app: flask.Flask, command: Run) -> None:
    stub = (ROOT / "python" / "sealite" / "_native.pyi").read_text("utf-8")
    kinds = re.findall(r'"(\w+)"', stub[stub.index("_TokenKind: ") : stub.index("_TokenKinds: ")])
    assert len(kinds) >= 10 and set(kinds) == {*_commands._KINDS, "short_code"}
    command("init")
    for kind in kinds:
        status = 2 if kind == "short_code" else 0
        command(f"token issue --kind {kind} --subject ada --stdout", status)
        assert len(command(f"token list --kind {kind}").stdout.splitlines()) == (status == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_what_is_typed_at_a_terminal_is_not_seen(path: Path, key: str, tmp_path: Path) -> None:
    import pty

    with sealite.Vault.create(path, sealite.Unlock.key_text(key)) as vault:
        vault.settings.define("mail.password", secret=True)
    (tmp_path / "wsgi.py").write_text(APPLICATION)
    program = (
        "import os, sys; os.setsid(); os.close(os.open(sys.argv[1], os.O_RDWR))\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'flask', '--app', 'wsgi', 'sealite', *sys.argv[2:]])\n"
    )
    ours, theirs = pty.openpty()
    line = [sys.executable, "-c", program, os.ttyname(theirs), "settings", "set", "mail.password"]
    with subprocess.Popen(
        line, cwd=tmp_path, env=environment(path, key), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        for prompt in (b"mail.password: ", b"confirmation: "):
            while not shown.endswith(prompt):
                shown += os.read(ours, 1)
            os.write(ours, b"typed canary\n")
        # The system's error for a terminal that the last process has closed is its end.
        try:
            while more := os.read(ours, 100):
                shown += more
        except OSError:
            pass
        assert process.wait(120) == 0, shown
    os.close(ours)
    assert b"changed" in shown and b"canary" not in shown
    with sealite.Vault.open(path, sealite.Unlock.key_text(key)) as vault:
        kept = vault.settings.use("mail.password")
        assert kept is not None and kept.expose() == "typed canary"


APPLICATION = """
import flask
from sealite.flask import Sealite
app = flask.Flask(__name__)
app.config.from_prefixed_env()
Sealite(app)
"""


def environment(path: Path, key: str) -> dict[str, str]:
    return {**os.environ, "FLASK_SEALITE_PATH": str(path), "FLASK_SEALITE_UNLOCK": "env:APP_KEY", "APP_KEY": key}


def test_the_commands_work_from_the_shell(path: Path, key: str, tmp_path: Path) -> None:
    """By `flask` itself, in processes of their own, as an administrator types them."""
    (tmp_path / "wsgi.py").write_text(APPLICATION)

    def shell(*arguments: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "flask", "--app", "wsgi", "sealite", *arguments]
        return subprocess.run(
            line, cwd=tmp_path, env=environment(path, key) | more, input=given, capture_output=True, text=True, timeout=120
        )

    assert shell("init").returncode == 0
    issued = shell("token", "issue", "--subject", "ops", "--stdout")
    assert issued.returncode == 0 and sealite.is_token_text(issued.stdout.strip())
    assert shell("verify").returncode == 0
    wrong = shell("status", APP_KEY=sealite.generate_key())
    assert wrong.returncode != 0 and key not in wrong.stdout + wrong.stderr
    with sealite.Vault.open(path, sealite.Unlock.key_text(key)) as vault:
        assert vault.tokens.verify(issued.stdout.strip(), "api_key").subject == "ops"
        vault.settings.define("mail.password", secret=True)
    assert shell("settings", "set", "mail.password", given="s3cret").returncode == 0
    listed = shell("settings", "list")
    assert "s3cret" not in listed.stdout and "mail.password=" in listed.stdout
