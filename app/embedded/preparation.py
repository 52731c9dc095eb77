"""Prepare the database: `python -m app.embedded.preparation`.

Migrates the tables, imports the sample apps that are missing, and prints the sample apps as a line of JSON.
"""

import json
import pathlib

import flask_migrate

from app import cli
from app.factory import create_app
from app.services.operator import app_files, apps, datasets, ingestion
from app.services.visitor.app_list import page_path
from config import serving_config

SAMPLES = pathlib.Path(__file__).parent.parent / "samples"
# The dataset of the sample app `knowledge`, whose file names it by the same id.
HANDBOOK = "handbook"


def prepare() -> list[dict[str, str]]:
    """Migrate, import, and return the code, mode, name and page's path of each sample app."""
    with create_app(serving_config(), cli.register).app_context():
        flask_migrate.upgrade()
        known = {app.code for app in apps.list_apps()}
        samples = {path.stem: path for path in sorted(SAMPLES.glob("*.yml"))}
        for code, path in samples.items():
            if code not in known:
                apps.publish(app_files.parse(path.read_bytes()), code)
                if code == "knowledge":
                    datasets.bind(code, HANDBOOK, _handbook())
        return [
            {"code": app.code, "mode": app.mode, "name": app.name, "page": page_path(app.mode, app.code)}
            for app in apps.list_apps()
            if app.code in samples
        ]


def _handbook() -> str:
    """Create and fill the handbook's dataset and return its name. Without embeddings: the local model makes none."""
    if HANDBOOK not in [dataset.name for dataset in datasets.list_datasets()]:
        datasets.create(HANDBOOK, datasets.DatasetSettings())
    file = SAMPLES / f"{HANDBOOK}.md"
    dataset = datasets.find(HANDBOOK)
    ingestion.add(dataset, file.name, file.read_bytes(), {}, lambda done, of: None)
    ingestion.settle(dataset)
    return HANDBOOK


if __name__ == "__main__":
    print(json.dumps(prepare()))
