"""`flask sealite ...`: the commands, by the application's own settings."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import flask
import pytest
from click.testing import Result

import sealite
from sealite.flask import Sealite

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
    command(f"token issue --out {out}", 1)
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
