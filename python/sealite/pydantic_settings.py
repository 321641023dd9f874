"""A vault's settings as a source of pydantic-settings. What is secret arrives as `SecretStr`, and in no other form.

    >>> from pydantic import SecretStr
    >>> from pydantic_settings import BaseSettings
    >>> from sealite.pydantic_settings import VaultSettingsSource
    >>> vault = sealite.Vault.in_memory()
    >>> defined = vault.settings.define("mail.password", secret=True)
    >>> written = vault.settings.write("mail.password", "correct horse", actor="ada")
    >>> class AppSettings(BaseSettings):
    ...     mail_host: str = "localhost"
    ...     mail_password: SecretStr
    ...
    ...     @classmethod
    ...     def settings_customise_sources(cls, settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings):
    ...         return init_settings, VaultSettingsSource(settings_cls, vault.settings), env_settings
    >>> AppSettings()
    AppSettings(mail_host='localhost', mail_password=SecretStr('**********'))

A field is read from the setting of its name, where each `_` may be a `.` (`mail_password` from `mail.password`), or from the
one that `names` gives. A setting that is not declared, or has no value, is left to the next source.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Secret, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from . import Settings, SettingValue

__all__ = ["VaultSettingsSource"]


class VaultSettingsSource(PydanticBaseSettingsSource):
    """Reads from the settings of a vault or tenant."""

    def __init__(
        self, settings_cls: type[BaseSettings], settings: Settings, names: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(settings_cls)
        self._settings = settings
        self._declared = {setting.name: setting.secret for setting in settings.list()}
        self._names = dict(names or {})

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = self._names.get(field_name) or next(
            (name for name in self._declared if name.replace(".", "_") == field_name), None
        )
        value = None if name is None else self._settings.use(name)
        if name is None or value is None:
            return None, field_name, False
        if not self._declared.get(name, True):
            return value.expose(), field_name, False
        return _secret(value), field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                found[key] = value
        return found

    def __repr__(self) -> str:
        return "VaultSettingsSource()"


def _secret(value: SettingValue) -> SecretStr | Secret[Any]:
    exposed = value.expose()
    return SecretStr(exposed) if isinstance(exposed, str) else Secret(exposed)
