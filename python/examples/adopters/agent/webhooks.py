"""Where other services call back: a Flask application on the same vault, with Flask-Limiter.

    gunicorn --preload --workers 2 'agent.webhooks:create_app()'
"""

import hmac
import os

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue as Answer
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from sealite.flask import Sealite

from .vault import declare

site = Sealite()
site.on_open(declare)
limiter = Limiter(get_remote_address, storage_uri="sealite://default", strategy="moving-window")


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(SEALITE_PATH=os.environ.get("AGENT_VAULT", "agent.db"), SEALITE_UNLOCK="env:APP_KEY")
    site.init_app(app)
    limiter.init_app(app)

    @app.post("/webhooks/<service>")
    @limiter.limit("30/minute")
    @site.csrf_exempt
    def receive(service: str) -> Answer:
        """Takes what is signed with the secret that the service was given."""
        secret = site.vault.settings.use("webhook.secret")
        key = "" if secret is None else secret.expose()
        signature = hmac.new(key.encode(), request.get_data(), "sha256").hexdigest()
        if not key or not hmac.compare_digest(signature.encode(), request.headers.get("X-Signature", "").encode()):
            abort(401)
        site.audit("webhook.received", payload={"service": service})
        return "", 204

    @app.errorhandler(429)
    def rate_limited(error: Exception) -> Answer:
        return {"error": "rate_limited"}, 429

    return app
