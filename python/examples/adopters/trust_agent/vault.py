"""The vault: who is a beneficiary, which accounts are whose, and who may ask."""

import os
from typing import Annotated, Any

from fastapi import Depends

from sealite import Token, TokenRejected, Vault
from sealite.fastapi import Sealite, VaultDep

site = Sealite(os.environ.get("TRUST_VAULT", "trust.db"), "env:APP_KEY")

_PERSONAL = dict.fromkeys(("name", "phone", "address", "ssn_last4", "born", "notes"), "text sealed")


@site.on_open
def declare(vault: Vault) -> None:
    vault.define_table("beneficiaries", {"email": "text sealed not null unique email", **_PERSONAL})
    accounts = {"number": "text sealed not null unique digits", "beneficiary": "integer authenticated not null"}
    vault.define_table("accounts", accounts)
    settings = vault.settings
    settings.define("auth.required", "boolean", default=False, environment="TRUST_AUTH_REQUIRED")
    settings.define("approvals.by_requester", "boolean", default=False, description="whether people may approve what they asked for")
    settings.define("receipts.key", secret=True, min_length=64, description="an Ed25519 key, in hexadecimal digits")


def caller(scope: str) -> Any:
    """A dependency that gives whose key it is that asks; "anonymous", as long as authentication is not on."""

    def check(vault: VaultDep, key: Annotated[Token | None, site.token("api_key", scope, optional=True)]) -> str:
        if key is None and vault.settings.read("auth.required").value:
            raise TokenRejected("a key is required")
        return "anonymous" if key is None else key.subject or key.id

    return Depends(check)


Reader = Annotated[str, caller("beneficiaries:read")]
Writer = Annotated[str, caller("beneficiaries:write")]
Agent = Annotated[str, caller("agent")]
Approver = Annotated[str, caller("approve")]
Admin = Annotated[Token, site.token("admin")]
