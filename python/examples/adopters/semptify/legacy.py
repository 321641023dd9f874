"""The JSON files that Semptify kept before: brought over once, and then gone.

All of them are read before anything is stored. One that is torn or unknown stops the import and the application with it: it is
never taken for an empty one, and it stays as it is for somebody to look at.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from sealite import LegacyEntry, SealiteError, Tokens, Vault

# For how long the flag file arms the break-glass tokens.
ARMED_FOR = 900


class Unreadable(Exception):
    """Files that can't be imported as they are."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


class Legacy:
    """The files of before: in a folder for tokens, and one for logs."""

    def __init__(self, security: Path, logs: Path) -> None:
        self.admins, self.users = security / "admin_tokens.json", security / "users.json"
        self.flag, self.events = security / "breakglass.flag", logs / "events.log"

    def problems(self) -> list[str]:
        """The names of the files that can't be imported, for `/readyz`."""
        try:
            self._read()
        except Unreadable as error:
            return error.reasons
        return []

    def bring_over(self, vault: Vault) -> None:
        """Imports what is there, and removes it once it is stored. In any number of workers, any number of times: what was
        imported before changes nothing, and revives nothing that was revoked since."""
        files = (self.admins, self.users, self.events, self.flag)
        if not any(path.exists() for path in files):
            return
        with vault.transaction() as tx:
            # Read while nobody else writes: of many workers one finds the flag.
            found = [path.name for path in files if path.exists()]
            tokens, events, digest = self._read()
            imported = tx.tokens.import_legacy(tokens).imported
            if events and tx.table("imports").get(digest) is None:
                tx.table("imports").insert(digest=digest, name=self.events.name)
                for event in events:
                    tx.audit(f"legacy.{event['event']}", payload={"ts": event["ts"], "payload": event["payload"]})
            if self.flag.name in found:
                arm_all(tx.tokens, self.flag.name)
                self.flag.unlink()
            if found:
                tx.audit("legacy.imported", payload={"files": found, "tokens": imported})
        for path in files:
            if path.name in found:
                path.unlink(missing_ok=True)

    def _read(self) -> tuple[list[LegacyEntry], list[dict[str, Any]], str]:
        reasons: list[str] = []
        tokens: list[LegacyEntry] = []
        for path, parse in ((self.admins, LegacyEntry.admin_tokens), (self.users, LegacyEntry.users)):
            try:
                tokens += parse(path.read_text("utf-8"))
            except FileNotFoundError:
                pass
            except (SealiteError, UnicodeDecodeError, OSError):
                reasons.append(f"unreadable:{path.name}")
        events, digest = [], ""
        try:
            text = self.events.read_bytes()
            events = [_event(line) for line in text.splitlines()]
            digest = hashlib.sha256(text).hexdigest()
        except FileNotFoundError:
            pass
        except (ValueError, OSError):
            reasons.append(f"unreadable:{self.events.name}")
        if reasons:
            raise Unreadable(reasons)
        return tokens, events, digest


def arm_all(tokens: Tokens, reason: str) -> None:
    """Arms every break-glass token, each for one use."""
    for token in tokens.list(kind="break_glass"):
        tokens.arm(token.id, reason, ARMED_FOR)


def _event(line: bytes) -> dict[str, Any]:
    event = json.loads(line)
    if not isinstance(event, dict) or event.keys() != {"ts", "event", "payload"}:
        raise ValueError("not an event")
    return event
