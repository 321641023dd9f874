"""The native classes of `sealite.dbapi2`, under a name that can be imported."""

from ._native import dbapi2 as _module

globals().update({name: value for name, value in vars(_module).items() if not name.startswith("_")})
