"""Create the app for the web server, `gunicorn wsgi:app`, and for the commands, `flask --app wsgi …`."""

from app import api
from app.factory import create_app
from app.pages import operator, visitor
from config import serving_config

config = serving_config()
if config.COMMAND_LINE:
    # Imported for commands alone: the migrations behind it take ten megabytes in each web worker.
    from app import cli

    app = create_app(config, api.init_app, visitor.init_app, operator.init_app, cli.register)
else:
    app = create_app(config, api.init_app, visitor.init_app, operator.init_app)
