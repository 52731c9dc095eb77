"""The worker's and beat's entry: `celery -A celery_worker worker`."""

from app import create_app, worker
from app.extensions import celery
from config import Config

flask_app = create_app(Config())
worker.attach(celery, flask_app)
