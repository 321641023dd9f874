"""The vault, and what Semptify keeps in it beside tokens: entries of journals, and which files were imported."""

from flask import request

from sealite import Vault
from sealite.flask import Sealite

site = Sealite()


@site.on_open
def declare(vault: Vault) -> None:
    vault.define_table("entries", {"user": "text authenticated not null", "text": "text sealed not null"})
    vault.define_table("imports", {"name": "text not null"}, key="digest", text_key=True)


def presented(name: str) -> str:
    """A token as Semptify's clients have always sent it: in a header, a form field or the address."""
    header = request.headers.get(f"X-{name.replace('_', '-')}", "")
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return header or bearer or request.form.get(name, "") or request.args.get(name, "")
