"""A vault for Flask.

    >>> import flask
    >>> from sealite.flask import Sealite
    >>> extension = Sealite()
    >>> @extension.on_open
    ... def declare(vault):
    ...     vault.define_table("users", {"email": "text sealed not null unique email", "password": "text sealed"})
    >>> app = flask.Flask("shop")
    >>> app.config.update(SEALITE_PATH="app.db", SEALITE_UNLOCK="env:EXAMPLE_KEY")   # or app.config.from_prefixed_env()
    >>> extension.init_app(app)

    >>> @app.post("/login")
    ... @extension.limit("5/minute")
    ... def login():
    ...     user = extension.vault.table("users").find_one("email", flask.request.form["email"])
    ...     if not sealite.PasswordHasher().verify(flask.request.form["password"], user and user["password"]):
    ...         flask.abort(401)
    ...     extension.login(str(user.id))
    ...     return flask.redirect("/")

    >>> @app.get("/")
    ... @extension.require_session()
    ... def home():
    ...     return f"You are {extension.current_session.subject}"

    >>> app.test_client().get("/readyz").status_code                # not initialised yet
    503
    >>> with app.app_context():
    ...     extension.initialise()
    ...     password = sealite.PasswordHasher().hash("correct horse battery")
    ...     id = extension.vault.table("users").insert(email="ada@example.org", password=password)
    >>> app.test_client().get("/").status_code
    401
    >>> app.extensions["sealite"].close()

| setting | meaning | default |
|---|---|---|
| `SEALITE_PATH` | the vault's file | |
| `SEALITE_UNLOCK` | a reference to the key: `env:NAME`, `file:/path`, `credential:name`, `docker:name` | |
| `SEALITE_NAME` | the name that it is registered by (`sealite.vaults`) | `default` |
| `SEALITE_BUSY_TIMEOUT`, `SEALITE_SYNCHRONOUS`, `SEALITE_DISK_RESERVE`, `SEALITE_EXISTING_DATABASE`, `SEALITE_SEALED_SQL`, `SEALITE_SEALED_TO_PLAIN` | as those of `Vault.at` | its own |
| `SEALITE_SESSION_LIFETIME` | seconds until a session ends | 7 days |
| `SEALITE_SESSION_IDLE` | seconds without a request until it ends | none |
| `SEALITE_COOKIE_SECURE` | whether the cookie is sent over TLS only; `False` is for a development server | `True` |
| `SEALITE_COOKIE_SAMESITE` | `Lax`, `Strict` or `None` | `Lax` |
| `SEALITE_COOKIE_NAME` | the cookie's name | `__Host-sealite`; `sealite` if not secure |
| `SEALITE_CSRF` | `enforced`; `open` counts and logs what it would refuse | `enforced` |
| `SEALITE_URL_PREFIX` | of `/readyz`, `/metrics` and `/admin/status` | none |
| `SEALITE_ADMIN_SCOPE` | the scope of whoever may see `/admin/status` | `admin` |

A setting that is none of these, or has another value, is refused at the start.

A vault that has not been initialised leaves the application running: whatever needs it is answered 503
`{"error": "instance_not_ready", "setup_required": true}` until `sealite.initialise()` was called, by an administrator's page,
by `flask sealite init` or by another worker. Errors of the engine's become JSON answers (`sealite.web`), and tell nothing of
the file.
"""

from ._extension import Sealite

__all__ = ["Sealite"]
