"""Create the app for workers and beat: `celery -A celery_worker worker` or `beat`."""

from app import celery_lines, worker
from app.extensions import celery
from app.factory import create_app
from config import serving_config

flask_app = create_app(serving_config())
worker.attach(celery, flask_app)
celery_lines.take_over(celery)
