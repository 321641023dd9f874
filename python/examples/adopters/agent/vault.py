"""The vault: sessions, approvals, limits, the audit trail, and the secrets without which the agent does not start."""

import os

from slowapi import Limiter
from slowapi.util import get_remote_address

import sealite.limits  # noqa: F401  - registers the storage below
from sealite import Vault
from sealite.fastapi import Sealite

site = Sealite(os.environ.get("AGENT_VAULT", "agent.db"), "env:APP_KEY")
limiter = Limiter(key_func=get_remote_address, storage_uri="sealite://default", strategy="moving-window")


@site.on_open
def declare(vault: Vault) -> None:
    settings = vault.settings
    for name, variable in (("llm.key", "AGENT_LLM_KEY"), ("webhook.secret", "AGENT_WEBHOOK_SECRET")):
        settings.define(name, secret=True, required=True, min_length=32, environment=variable)
    settings.check()
