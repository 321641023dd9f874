"""The vault: tokens, settings and the audit trail, each tenant's apart from the others'."""

import os
from typing import Annotated

from fastapi import HTTPException, Request

from sealite import Token, Vault
from sealite.fastapi import Sealite

from .database import is_tenant


def tenant_of(request: Request) -> str | None:
    """Whose a request is: by its path."""
    name: str | None = request.path_params.get("tenant")
    if name is not None and not is_tenant(name):
        raise HTTPException(404, "there is no such tenant")
    return name


site = Sealite(os.environ.get("PORTAL_VAULT", "vault.db"), "env:APP_KEY", tenant=tenant_of)

Member = Annotated[Token, site.token("session", "member")]
Admin = Annotated[Token, site.token("session", "admin")]
Platform = Annotated[Token, site.token("admin")]


@site.on_open
def declare(vault: Vault) -> None:
    settings = vault.settings
    settings.define("access.grace", "real", default=30.0, description="seconds for which a refresh token that was used gives the same successor")
    settings.define("smtp.enabled", "boolean", default=False, category="smtp")
    settings.define("smtp.password", secret=True, category="smtp", guarded_by="smtp.enabled")
    settings.define("smtp.server", "json", default={"host": "localhost", "port": 25}, category="smtp")
    settings.define("payment.key", secret=True, category="payment", show_last_four=True)
