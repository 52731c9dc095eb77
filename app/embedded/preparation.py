"""Prepare the database: `python -m app.embedded.preparation URL`, with this server's address.

Migrates the tables, imports the sample apps that are missing, and prints the sample apps as a line of JSON.
"""

import json
import pathlib
import sys

import flask_migrate

from app import cli
from app.factory import create_app
from app.services.definitions.app_file import AppDefinition
from app.services.operator import app_files, apps, datasets, ingestion
from app.services.operator.sample_requests import sample_request
from app.services.visitor.app_list import page_path
from config import serving_config

SAMPLES = pathlib.Path(__file__).parent.parent / "samples"
# The dataset of the sample app `knowledge`, whose file names it by the same id.
HANDBOOK = "handbook"
# What is asked in the lines that `make run` prints.
QUERIES = {
    "agent": "What is 17 * 23?",
    "chat": "What can you do?",
    "knowledge": "How many days of vacation are there?",
}


def prepare(url: str) -> list[dict[str, str]]:
    """Migrate, import, and return the code, mode, name, page's path and `curl` line of each sample app."""
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
            {
                "code": app.code,
                "mode": app.mode,
                "name": app.name,
                "page": page_path(app.mode, app.code),
                "curl": _sample_request(url, app.code),
            }
            for app in apps.list_apps()
            if app.code in samples
        ]


def _sample_request(url: str, code: str) -> str:
    return sample_request(url, code, AppDefinition.read(apps.show(code).definition), QUERIES.get(code, "Hello"))


def _handbook() -> str:
    """Create and fill the handbook's dataset and return its name. Without embeddings: no model is loaded at start."""
    if HANDBOOK not in [dataset.name for dataset in datasets.list_datasets()]:
        datasets.create(HANDBOOK, datasets.DatasetSettings())
    file = SAMPLES / f"{HANDBOOK}.md"
    dataset = datasets.find(HANDBOOK)
    ingestion.add(dataset, file.name, file.read_bytes(), {}, lambda done, of: None)
    ingestion.settle(dataset)
    return HANDBOOK


if __name__ == "__main__":
    print(json.dumps(prepare(sys.argv[1])))
