"""The web server's entry: `gunicorn wsgi:app`, `flask --app wsgi …`."""

from app import api, cli
from app.factory import create_app
from config import serving_config

app = create_app(serving_config(), api.init_app, cli.register)
