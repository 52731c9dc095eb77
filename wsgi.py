"""The web server's entry, `gunicorn wsgi:app`, and the commands', `flask --app wsgi …`."""

from app import api
from app.factory import create_app
from config import serving_config

config = serving_config()
if config.COMMAND_LINE:
    # Ten megabytes of migrations that no web worker needs.
    from app import cli

    app = create_app(config, api.init_app, cli.register)
else:
    app = create_app(config, api.init_app)
