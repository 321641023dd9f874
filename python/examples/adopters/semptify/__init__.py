"""A journal for tenants, with administrators who come by token: Flask, and what used to be JSON files.

    export FLASK_SEALITE_PATH=semptify.db FLASK_SEALITE_UNLOCK=env:APP_KEY FLASK_SECURITY_FOLDER=security FLASK_LOG_FOLDER=logs
    flask --app semptify sealite init
    gunicorn --preload --workers 4 'semptify:create_app()'
"""

import logging
from pathlib import Path

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue as Answer
from werkzeug.middleware.proxy_fix import ProxyFix

from sealite.logging import RedactingFilter

from . import admin, journal
from .legacy import Legacy, Unreadable
from .vault import site

# Which have to answer, whatever the files of before say.
_OPERATIONS = {"sealite.readyz", "sealite.metrics"}


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(ADMIN_LIMIT="60/minute", LOGIN_LIMIT="20/minute", PROXIES=0)
    app.config.from_prefixed_env()
    for name in ("gunicorn.access", "werkzeug"):
        logging.getLogger(name).addFilter(RedactingFilter())  # tokens come in addresses, too
    legacy = Legacy(Path(app.config["SECURITY_FOLDER"]), Path(app.config["LOG_FOLDER"]))
    site.ready_check(legacy.problems)
    site.init_app(app)
    app.register_blueprint(journal.pages)
    app.register_blueprint(admin.pages)
    if app.config["PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=app.config["PROXIES"])  # type: ignore[method-assign]

    @app.before_request
    def count_and_import() -> None:
        site.vault.count("requests_total")
        if site.vault.status == "open" and request.endpoint not in _OPERATIONS:
            legacy.bring_over(site.vault)

    @app.after_request
    def count_errors(response: Response) -> Response:
        if response.status_code == 429:
            site.vault.count("rate_limited_total")
        elif response.status_code >= 500:
            site.vault.count("errors_total")
        return response

    @app.errorhandler(Unreadable)
    def refuse(error: Unreadable) -> Answer:
        return {"error": "degraded", "reasons": error.reasons}, 503

    return app
