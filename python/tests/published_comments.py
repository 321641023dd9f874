"""Isso, on Python's sqlite3 alone: comments under the pages of other sites, with their writers' e-mail and IP addresses."""

import json
import re
from pathlib import Path

from published import HOST, Browser, Page, Site

SETTINGS = """
[general]
dbpath = {database}
host = http://127.0.0.1:9/
max-age = 1d
[server]
listen = http://{host}:{port}
trusted-proxies = 127.0.0.1
[moderation]
enabled = true
approve-if-email-previously-approved = true
[admin]
enabled = true
password = the moderator's password
[guard]
ratelimit = 100
direct-reply = 2
"""

# All that an adopter writes: Isso connects through this, and everything else of it is as it was.
LAUNCHER = """
import functools, sys, types
import isso, isso.db
from sealite import dbapi2

connect = functools.partial(dbapi2.connect, key="env:SITE_KEY")
isso.db.sqlite3 = types.SimpleNamespace(connect=connect, Error=dbapi2.Error)
isso.main()
"""

ADA = {"author": "Ada Canary", "email": "ada.canary@example.org", "website": "https://canary.example.org/"}
BOB = {"author": "Bob Canary", "email": "bob.canary@example.org"}
CAROL = {"author": "Carol Canary", "email": "carol.canary@example.org"}


class Comments(Site):
    tables = [
        [
            "comments",
            "email sealed lookup 5000",
            "remote_addr sealed lookup 5000",
            "author sealed",
            "website sealed",
            "text sealed",
            "voters sealed",
            "tid integer",
        ],
        ["preferences", "value sealed"],
    ]

    def __init__(self, python: Path, folder: Path) -> None:
        super().__init__(python, folder)
        (folder / "isso.cfg").write_text(SETTINGS.format(database=self.database, host=HOST, port=self.port))
        (folder / "sealed.py").write_text(LAUNCHER)

    def command(self) -> tuple[list[str | Path], dict[str, str]]:
        start: list[str | Path] = [self.folder / "sealed.py"] if self.is_sealed else ["-c", "import isso; isso.main()"]
        return [self.python, *start, "-c", self.folder / "isso.cfg", "run"], {}

    def first(self) -> None:
        ada, bob = self.browser(X_Forwarded_For="203.0.113.77"), self.browser(X_Forwarded_For="198.51.100.66")
        assert self._say(ada, "/post", ADA, "The first text-canary.").status == 202
        assert self._say(bob, "/post", BOB, "A second text-canary.").status == 202
        assert json.loads(ada.get("/?uri=/post").body)["total_replies"] == 0  # they wait for the moderator
        moderator = self._moderator()
        assert ADA["email"] in moderator.get("/admin/").body
        for number in (1, 2):
            self._moderate(moderator, number, "activate")
        found = json.loads(bob.get("/?uri=/post").body)["replies"]
        assert [reply["author"] for reply in found] == ["Ada Canary", "Bob Canary"]
        # Who has been let through before is let through by the address.
        assert self._say(ada, "/post", ADA, "A third text-canary.").status == 201
        assert self._say(self.browser(), "/other", BOB, "On another page: text-canary.").status == 201
        assert json.loads(bob.send("POST", "/id/1/like", "", "application/json").body)["likes"] == 1
        again = json.loads(bob.send("POST", "/id/1/like", "", "application/json").body)
        assert again["likes"] == 1 and "denied" in again["message"]
        changed = ada.send("PUT", "/id/3", json.dumps({"text": "An edited text-canary."}), "application/json")
        assert "edited" in changed.body

    def second(self) -> None:
        ada, bob = self.browser(X_Forwarded_For="203.0.113.77"), self.browser(X_Forwarded_For="198.51.100.66")
        found = json.loads(ada.get("/?uri=/post").body)
        assert [reply["id"] for reply in found["replies"]] == [1, 2, 3]
        assert self._say(ada, "/post", ADA, "More of a text-canary.", parent=2).status == 201
        assert self._say(ada, "/post", ADA, "Too much of a text-canary.").status == 403  # two of an address, at most
        assert self._say(bob, "/third", {}, "A nameless text-canary.").status == 202
        counts = bob.send("POST", "/count", json.dumps(["/post", "/other", "/third"]), "application/json")
        assert json.loads(counts.body) == [4, 1, 0]
        assert json.loads(bob.send("POST", "/id/1/like", "", "application/json").body)["likes"] == 1
        moderator = self._moderator()
        for query in ("mode=1", "mode=2&order_by=id&asc=1", "mode=1&order_by=tid", "comment_search_url=http://site/other"):
            moderator.get(f"/admin/?{query}")
        change = CAROL | {"text": "A moderated text-canary.", "website": ""}
        self._moderate(moderator, 4, "edit", json.dumps(change))
        assert "Carol Canary" in ada.get("/?uri=/other").body
        self._moderate(moderator, 4, "delete")
        assert json.loads(ada.get("/?uri=/other").body)["replies"] == []
        # Its last comment has gone, and so has the thread, by the trigger that Isso has made.
        assert "/other" not in moderator.get("/admin/?mode=1&order_by=tid").body
        assert self._say(self.browser(), "/other", ADA, "Begun anew: text-canary.").status == 201
        assert ada.send("DELETE", "/id/5", None, "application/json").status == 200
        self._moderate(moderator, 2, "delete")
        assert [reply["id"] for reply in json.loads(ada.get("/?uri=/post").body)["replies"]] == [1, 3]

    def _say(self, browser: Browser, uri: str, person: dict[str, str], text: str, parent: int | None = None) -> Page:
        comment = {**person, "text": text, "title": f"About {uri}", "parent": parent}
        return browser.send("POST", f"/new?uri={uri}", json.dumps(comment), "application/json")

    def _moderator(self) -> Browser:
        browser = self.browser()
        browser.send("POST", "/login/", "password=the+moderator's+password", "application/x-www-form-urlencoded")
        return browser

    def _moderate(self, moderator: Browser, number: int, action: str, body: str = "{}") -> None:
        for mode in (1, 2):
            key = re.search(rf"\({number}, '([^']+)'", moderator.get(f"/admin/?mode={mode}").body)
            if key:
                done = moderator.send("POST", f"/id/{number}/{action}/{key[1]}", body, "application/json")
                assert done.status == 200, done
                return
        raise AssertionError(f"no comment {number}")

    def canaries(self) -> list[str]:
        people = [*ADA.values(), *BOB.values(), *CAROL.values()]
        return [*people, "203.0.113.0", "198.51.100.0", "text-canary"]  # Isso keeps addresses without their last part
