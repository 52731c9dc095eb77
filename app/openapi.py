"""`python -m app.openapi FILE` writes the OpenAPI document. Needs neither database nor Redis."""

import json
import pathlib
import sys

from app.api import init_app, swagger_document
from app.factory import create_app
from config import Config


def main() -> None:
    target = pathlib.Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(swagger_document(create_app(Config({}), init_app)), indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
