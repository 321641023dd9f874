"""Otter Wiki, on Flask-SQLAlchemy: who may do what, preferences and drafts are in the database, pages in a git repository."""

import subprocess
from pathlib import Path

from published import Page, Site

ADA, BOB, CAROL = ("ada.canary@example.org", "bob.canary@example.org", "carol.canary@example.org")
ROBERT = "robert.canary@example.net"
PASSWORD = "a password that is long enough"


class Wiki(Site):
    state = ["data", "pages"]
    tables = [
        ["user", "email sealed unique", "name sealed", "password_hash sealed"],
        ["drafts", "author_email sealed", "content sealed"],
        ["preferences", "value sealed"],
    ]

    def __init__(self, python: Path, folder: Path) -> None:
        super().__init__(python, folder)
        subprocess.run(["git", "init", "--quiet", folder / "pages"], check=True)

    def command(self) -> tuple[list[str | Path], dict[str, str]]:
        sealed = f"sqlite+sealite:///{self.database}?key=env:SITE_KEY"
        settings = {
            "REPOSITORY": str(self.folder / "pages"),
            "SECRET_KEY": "a secret of the wiki's own",
            "SQLALCHEMY_DATABASE_URI": sealed if self.is_sealed else f"sqlite:///{self.database}",
            "EMAIL_NEEDS_CONFIRMATION": "false",
            "WRITE_ACCESS": "REGISTERED",
        }
        return [self.python, "-m", "flask", "--app", "otterwiki.server", "run", "--port", str(self.port)], settings

    def first(self) -> None:
        ada, bob, anybody = self.browser(), self.browser(), self.browser()
        for browser, email, name in [(ada, ADA, "Ada Canary"), (bob, BOB, "Bob Canary")]:
            done = browser.submit("/-/register", email=email, name=name, password1=PASSWORD, password2=PASSWORD)
            assert (done.status, done.location) == (302, "/-/login")
        again = anybody.submit("/-/register", email=BOB, name="Bob", password1=PASSWORD, password2=PASSWORD)
        assert "This email address is already registered." in again.body
        assert "Invalid email address or password." in anybody.submit("/-/login", email=BOB, password="wrong").body
        assert anybody.submit("/-/login", email="nobody@example.org", password=PASSWORD).status == 200
        for browser, email in [(ada, ADA), (bob, BOB.upper())]:
            done = browser.submit("/-/login", email=email, password=PASSWORD)
            assert (done.status, done.location) == (302, "/")
        assert "Ada Canary" in ada.get("/-/settings").body
        mail = {"mail_sender": ADA, "mail_server": "mail.example.org", "mail_port": "25", "mail_security": "tls"}
        done = ada.submit("/-/admin/mail_preferences", mail_username="mail-canary", mail_password="pass-canary", **mail)
        assert done.status in (200, 302)
        saved = bob.submit("/Notes/edit", "/Notes/save", content="The otter eats fish.", commit="new")
        assert saved.status == 302
        assert bob.submit("/Notes/edit", "/Notes/draft", content="The otter eats a draft-canary.").status == 200

    def second(self) -> None:
        ada, bob, anybody = self.browser(), self.browser(), self.browser()
        assert ada.submit("/-/login", email=ADA, password=PASSWORD).location == "/"
        assert bob.submit("/-/login", email=BOB, password=PASSWORD).location == "/"
        assert "otter eats fish" in anybody.get("/Notes").body
        assert "draft-canary" in bob.get("/Notes/edit").body
        bob.submit("/-/settings", name="Robert Canary")
        assert "Robert Canary" in bob.get("/-/settings").body
        bob.submit("/Notes/edit", "/Notes/save", content="The otter eats fish and clams.", commit="more")
        assert "clams" in anybody.submit("/-/search", query="clams").body
        people = ada.get("/-/admin/user_management").body
        assert people.index(ADA) < people.index(BOB)  # in the order of their addresses
        ada.submit("/-/user/2", email=ROBERT, name="Robert Canary", is_approved="1")
        assert anybody.submit("/-/login", email=BOB, password=PASSWORD).status == 200
        assert anybody.submit("/-/login", email=ROBERT, password=PASSWORD).location == "/"
        carol = self.browser()
        carol.submit("/-/register", email=CAROL, name="Carol Canary", password1=PASSWORD, password2=PASSWORD)
        assert CAROL in ada.get("/-/admin/user_management").body
        assert ada.submit("/-/user/3", delete="1").status == 302
        assert CAROL in ada.get("/-/admin/user_management").body  # once more, in the message that it is done
        assert CAROL not in ada.get("/-/admin/user_management").body
        assert carol.submit("/-/login", email=CAROL, password=PASSWORD).status == 200
        assert ada.submit("/Notes/delete", message="no longer needed").status == 302
        assert anybody.get("/Notes").status == 404

    def canaries(self) -> list[str]:
        names = ["Ada Canary", "Bob Canary", "Robert Canary", "Carol Canary"]
        return [ADA, BOB, CAROL, ROBERT, *names, "scrypt:", "mail-canary", "pass-canary", "draft-canary"]
