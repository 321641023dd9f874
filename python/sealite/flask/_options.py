"""The `SEALITE_*` settings of an application: read once, checked once, refused where they are misspelt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from .. import InvalidInput, Unlock, Vault
from .._hosting import cookie_name, takes_tls

_OF_VAULT = {
    "SEALITE_BUSY_TIMEOUT": "busy_timeout",
    "SEALITE_SYNCHRONOUS": "synchronous",
    "SEALITE_DISK_RESERVE": "disk_reserve",
    "SEALITE_EXISTING_DATABASE": "existing_database",
    "SEALITE_SEALED_SQL": "sealed_sql",
    "SEALITE_SEALED_TO_PLAIN": "sealed_to_plain",
}


@dataclass(frozen=True)
class Options:
    """What the settings say. Holds no secret: the key is a reference."""

    path: Any
    unlock: str | None
    vault: dict[str, Any]
    name: str
    url_prefix: str | None
    admin_scope: str
    csrf_enforced: bool
    cookie_name: str
    cookie_secure: bool
    cookie_samesite: Literal["Lax", "Strict", "None"]
    lifetime: float | None
    idle: float | None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Options":
        """Those of an application; InvalidInput where one is unknown or no good."""
        given = {name: value for name, value in settings.items() if name.startswith("SEALITE_")}
        secure = _checked(given, "SEALITE_COOKIE_SECURE", True, lambda value: isinstance(value, bool))
        samesite = _checked(given, "SEALITE_COOKIE_SAMESITE", "Lax", lambda value: value in ("Lax", "Strict", "None"))
        if samesite == "None" and not secure:
            raise InvalidInput("SEALITE_COOKIE_SAMESITE=None takes SEALITE_COOKIE_SECURE")
        csrf = _checked(given, "SEALITE_CSRF", "enforced", lambda value: value in ("enforced", "open"))
        name = _checked(given, "SEALITE_COOKIE_NAME", cookie_name(secure), _is_name)
        if takes_tls(name) and not secure:
            raise InvalidInput("SEALITE_COOKIE_NAME has a prefix that takes SEALITE_COOKIE_SECURE")
        options = cls(
            path=given.pop("SEALITE_PATH", None),
            unlock=_checked(given, "SEALITE_UNLOCK", None, _is_name),
            vault={option: given.pop(name) for name, option in _OF_VAULT.items() if name in given},
            name=_checked(given, "SEALITE_NAME", "default", _is_name),
            url_prefix=_checked(given, "SEALITE_URL_PREFIX", None, _is_name),
            admin_scope=_checked(given, "SEALITE_ADMIN_SCOPE", "admin", _is_name),
            csrf_enforced=csrf == "enforced",
            cookie_name=name,
            cookie_secure=secure,
            cookie_samesite=cast(Literal["Lax", "Strict", "None"], samesite),
            lifetime=_checked(given, "SEALITE_SESSION_LIFETIME", None, _is_time),
            idle=_checked(given, "SEALITE_SESSION_IDLE", None, _is_time),
        )
        if given:
            raise InvalidInput(f"there is no setting {', '.join(sorted(given))}")
        return options

    def opened(self) -> Vault:
        """The vault that the settings name: open, or not initialised yet."""
        if self.path is None or self.unlock is None:
            raise InvalidInput("SEALITE_PATH and SEALITE_UNLOCK are to be set, or a vault given")
        vault = Vault.at(self.path, **self.vault)
        if vault.status == "locked":
            vault.unlock(self.key())
        return vault

    def key(self) -> Unlock:
        """The key, from where SEALITE_UNLOCK refers to."""
        if self.unlock is None:
            raise InvalidInput("SEALITE_UNLOCK is to be set, or the key given")
        return Unlock.reference(self.unlock)


def _checked(given: dict[str, Any], name: str, default: Any, holds: Any) -> Any:
    value = given.pop(name, None)
    if value is None:
        return default
    if not holds(value):
        # The value may be a key that was given in place of a reference.
        raise InvalidInput(f"{name} is not one of the values that it takes")
    return value


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
