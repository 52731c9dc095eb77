"""Write the OpenAPI document: `python -m app.openapi FILE`. Works without database and Redis."""

import json
import pathlib
import sys

from app.api import init_app, swagger_document
from app.factory import create_app
from config import Config


def main() -> None:
    """Write the document to the file that the command line names."""
    target = pathlib.Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(swagger_document(create_app(Config({}), init_app)), indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
