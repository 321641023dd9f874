"""`flask sealite ...`: the vault of this application, by its own settings, from the shell. The command `sealite` does more,
and takes the file and the key on its command line. Exit codes are the same, and so is what `--json` makes of errors."""

import datetime
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
from flask.cli import AppGroup

from .. import IoError, SealiteError, Setting, Token, Vault, _native, web

_FAULTS = 1
# What is issued; a short code is made by `issue_code`.
_KINDS = ("admin", "user", "api_key", "break_glass", "magic_link", "reset", "invite", "session", "refresh")

_LENGTH = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def _length(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise click.BadParameter("a length of time is a number and s, m, h or d")
    return int(found[1]) * _SECONDS[found[2]]


def commands(
    vault_of: Callable[[], Vault], initialise: Callable[[], None], checks: list[web.ReadyCheck]
) -> AppGroup:
    """The group, for `app.cli`."""
    group = AppGroup("sealite", help="The application's vault.", short_help="The application's vault.")

    @group.command()
    @_as_json
    def init(as_json: bool) -> None:
        """Make the vault, exactly once.

        With the key that SEALITE_UNLOCK refers to.
        """
        with _failures(as_json):
            initialise()
        click.echo(json.dumps({"state": "open"}) if as_json else "initialised")

    @group.command()
    @_as_json
    def status(as_json: bool) -> None:
        """Tell how the vault is.

        Exits with 1 where it is not ready.
        """
        with _failures(as_json):
            told = web.status(vault_of(), checks)
        _tell(told, as_json)
        _exit(told["status"] == "ready")

    @group.command()
    @_as_json
    @click.option("--checkpoint", type=click.File(), help="A checkpoint that was kept elsewhere.")
    def verify(as_json: bool, checkpoint: IO[str] | None) -> None:
        """Check every record and the audit trail.

        Exits with 1 where a fault is found.
        """
        with _failures(as_json):
            vault = vault_of()
            records = vault.verify()
            trail = vault.audit.verify(None if checkpoint is None else checkpoint.read().strip())
        sound = records.sound and trail.sound
        faults = [{"table": fault.table, "id": fault.id, "error": fault.error.name} for fault in records.faults]
        gaps = [{"kind": fault.kind, "seq": fault.seq, "through": fault.through} for fault in trail.faults]
        told = {
            "sound": sound,
            "rows": sum(records.tables.values()),
            "audit_entries": trail.entries,
            "faults": faults,
            "integrity": records.integrity,
            "audit_faults": gaps,
        }
        _tell(told, as_json)
        _exit(sound)

    @group.command()
    @_as_json
    def checkpoint(as_json: bool) -> None:
        """Print a checkpoint of the audit trail.

        It says how far the trail goes: keep it on another machine.
        """
        with _failures(as_json):
            text = vault_of().audit.checkpoint()
        click.echo(json.dumps({"checkpoint": text}) if as_json else text)

    group.add_command(_tokens(vault_of))
    group.add_command(_settings(vault_of))
    return group


def _tokens(vault_of: Callable[[], Vault]) -> AppGroup:
    group = AppGroup("token", help="Issue, list and revoke tokens.", short_help="Issue, list and revoke tokens.")

    @group.command()
    @click.option("--kind", type=click.Choice(_KINDS), default="api_key", show_default=True)
    @click.option("--subject", help="Whose it is: an id of the application's.")
    @click.option("--label", help="What people know it by.")
    @click.option("--scope", "scopes", multiple=True, help="May be given several times.")
    @click.option("--limits", help='Limits of its own: "30/minute; 1000/day".')
    @click.option("--expires", callback=_length, help="30s, 15m, 12h, 7d, in place of the kind's time.")
    @click.option("--out", type=click.Path(), help="A new file for the text, mode 0600.")
    @click.option("--stdout", is_flag=True, help="Write the text to a standard output that is no terminal.")
    @_as_json
    def issue(
        kind: Any,
        subject: str | None,
        label: str | None,
        scopes: tuple[str, ...],
        limits: str | None,
        expires: int | None,
        out: str | None,
        stdout: bool,
        as_json: bool,
    ) -> None:
        """Issue a token; its text is given out this once."""
        if out is None and not stdout and not sys.stdout.isatty():
            raise click.UsageError("the standard output is no terminal: --out, or --stdout to insist")
        with _failures(as_json), _given_out(out) as file:
            issued = vault_of().tokens.issue(
                kind,
                subject=subject,
                label=label,
                scopes=scopes,
                limits=limits,
                expires_in=expires,
            )
            if out is not None or not as_json:
                file.write(f"{issued.text}\n")
        if as_json:
            told = {"text": issued.text} if out is None else {"file": out}
            click.echo(json.dumps({"token": _facts(issued.token), **told}))
        else:
            click.echo(f"{issued.token.id}: {issued.token.kind}", err=True)

    @group.command("list")
    @click.option("--subject", help="Of this subject only.")
    @click.option("--kind", type=click.Choice((*_KINDS, "short_code")))
    @click.option("--active", is_flag=True, help="Only those that hold.")
    @_as_json
    def list_(subject: str | None, kind: Any, active: bool, as_json: bool) -> None:
        """List tokens, the newest first; never their secrets."""
        with _failures(as_json):
            tokens = vault_of().tokens.list(subject=subject, kind=kind, active=active)
        if as_json:
            click.echo(json.dumps({"tokens": [_facts(token) for token in tokens]}))
            return
        for token in tokens:
            until = "for ever" if token.expires_at is None else f"until {token.expires_at:%Y-%m-%d %H:%M} UTC"
            state = "revoked" if token.revoked_at else until if token.enabled else "disabled"
            names = (token.subject or "-", token.label or "-", " ".join(token.scopes) or "-")
            click.echo("  ".join((token.id, token.kind, *map(_text, names), state)))

    @group.command()
    @click.argument("id", required=False)
    @click.option("--subject", help="Everything that was ever issued to a subject.")
    @_as_json
    def revoke(id: str | None, subject: str | None, as_json: bool) -> None:
        """Revoke for good: one token by its public id, or all of a subject."""
        if (id is None) == (subject is None):
            raise click.UsageError("either an ID or --subject")
        changed = True
        with _failures(as_json):
            tokens = vault_of().tokens
            if subject is not None:
                tokens.revoke_subject(subject)
            elif id is not None:
                changed = tokens.revoke(id)
        if as_json:
            click.echo(json.dumps({"subject_revoked": True} if subject is not None else {"id": id, "changed": changed}))
        else:
            click.echo("revoked" if changed else "it was revoked already", err=True)

    return group


def _settings(vault_of: Callable[[], Vault]) -> AppGroup:
    group = AppGroup("settings", help="List and set settings.", short_help="List and set settings.")

    @group.command("list")
    @_as_json
    def list_(as_json: bool) -> None:
        """List the settings; secrets as a mask."""
        with _failures(as_json):
            settings = vault_of().settings.list()
        if as_json:
            click.echo(json.dumps({"settings": [_known(setting) for setting in settings]}))
            return
        for setting in settings:
            click.echo(f"{setting.name}={_text(setting.shown)}  ({setting.source})")

    @group.command("set")
    @click.argument("name")
    @click.option("--actor", help="Who acts, for the audit trail; the user's name where none is given.")
    @click.option("--reason", help="Why, for the audit trail.")
    @_as_json
    def set_(name: str, actor: str | None, reason: str | None, as_json: bool) -> None:
        """Set a setting.

        To what is typed, unseen, or to what stands in the standard input. Never an argument: those are seen by other
        processes, and kept by the shell.
        """
        if sys.stdin.isatty():
            text = click.prompt(name, hide_input=True, confirmation_prompt=True)
        else:
            text = sys.stdin.read().removesuffix("\n").removesuffix("\r")
        with _failures(as_json):
            kept = vault_of().settings
            changed = kept.write_text(name, text, actor=actor or _user(), reason=reason)
            setting = kept.read(name)
        if as_json:
            click.echo(json.dumps({"changed": changed, "setting": _known(setting)}))
        else:
            click.echo("changed" if changed else "unchanged", err=True)

    return group


@contextmanager
def _failures(as_json: bool) -> Iterator[None]:
    try:
        yield
    except SealiteError as error:
        if as_json:
            click.echo(json.dumps({"error": {"code": error.code, "name": error.name, "message": str(error)}}))
        else:
            click.echo(f"{error.name}: {error}", err=True)
        raise click.exceptions.Exit(_native.exit_code(error.name)) from None


@contextmanager
def _given_out(path: str | None) -> Iterator[IO[str]]:
    """Where the text of a token goes: a file that exists before the token does, or the terminal."""
    if path is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise IoError(f"{path}: {error.strerror}") from None
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            yield file
    except BaseException:
        os.unlink(path)
        raise


def _facts(token: Token) -> dict[str, Any]:
    """What is known of a token, in the words of `sealite --json token list`."""
    return {
        "id": token.id,
        "kind": token.kind,
        "subject": token.subject,
        "label": token.label,
        "scopes": token.scopes,
        "limits": token.limits,
        "enabled": token.enabled,
        "created_at_ms": _milliseconds(token.created_at),
        "expires_at_ms": _milliseconds(token.expires_at),
        "last_used_at_ms": _milliseconds(token.last_used_at),
        "revoked_at_ms": _milliseconds(token.revoked_at),
    }


def _known(setting: Setting) -> dict[str, Any]:
    """What is known of a setting, in the words of `sealite --json setting list`; the value only of what is no secret."""
    return {
        "name": setting.name,
        "type": setting.kind,
        "secret": setting.secret,
        "set": setting.is_set,
        "source": setting.source,
        "shown": setting.shown,
        "value": setting.value,
        "changed_at_ms": _milliseconds(setting.changed_at),
        "changed_by": setting.changed_by,
    }


def _milliseconds(at: datetime.datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000)


def _tell(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, value in told.items():
        click.echo(f"{name}: {_text(value)}")


def _text(value: Any) -> str:
    """For a terminal: without the characters that steer one."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _exit(good: bool) -> None:
    if not good:
        raise click.exceptions.Exit(_FAULTS)


def _user() -> str:
    """Who the environment says the user is, marked as a claim of the command line."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME")
    return f"cli:{user}" if user else "cli"
