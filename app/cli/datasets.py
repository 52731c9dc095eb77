"""`flask datasets …`: manage the datasets that apps search."""

import dataclasses
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_facts, print_json, print_table
from app.providers.cancellation import Cancellation
from app.services.knowledge import retrieval
from app.services.operator import datasets, ingestion
from app.services.operator.datasets import DatasetRefused, DatasetSettings
from app.workflow.contracts.knowledge import Retrieval

SEARCH_SECONDS = 30.0
SHOWN_TEXT = 100
NUMBER = "number:"
# Terminal codes: return to the beginning of the line and clear it.
_CLEAR_LINE = "\r\x1b[K"

datasets_group = OperatorGroup("datasets", help="Create datasets from files, search them, bind them to apps.")


@datasets_group.command("create")
@click.argument("name")
@click.option("--embedding-model", help="Also search by meaning, with this embedding model.")
@click.option(
    "--embedding-provider", default="openai", show_default=True, help="The model's provider in the route table."
)
@click.option(
    "--search",
    "method",
    type=click.Choice(datasets.METHODS),
    help="Default: hybrid with an embedding model, else full_text.",
)
@click.option(
    "--top-k", default=4, show_default=True, type=click.IntRange(1, 100), help="Segments that a search returns."
)
@click.option(
    "--score-threshold", type=click.FloatRange(0, 1), help="The least similarity of segments found by meaning."
)
@as_json_option
def create(
    name: str,
    embedding_model: str | None,
    embedding_provider: str,
    method: str | None,
    top_k: int,
    score_threshold: float | None,
    as_json: bool,
) -> None:
    """Create an empty dataset."""
    settings = DatasetSettings(method, embedding_provider, embedding_model, top_k, score_threshold)
    dataset, warnings = datasets.create(name, settings)
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    if as_json:
        print_json(dataclasses.asdict(dataset))
        return
    click.echo(f"Created the dataset {dataset.name!r} ({dataset.id}), searched by {dataset.search_method}.")


@datasets_group.command("add")
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=pathlib.Path))
@click.option(
    "--metadata",
    multiple=True,
    metavar="NAME=VALUE",
    help="A field that searches can filter by; `NAME=number:5` for a number.",
)
@as_json_option
def add(dataset: str, files: tuple[pathlib.Path, ...], metadata: tuple[str, ...], as_json: bool) -> None:
    """Add files and whole folders. A file replaces the document of its name, unless it has not changed.

    Files that cannot be read are listed at the end, and the exit code is 1 then.
    """
    into, details = datasets.find(dataset), _metadata(metadata)
    added, problems = [], []
    try:
        for name, path in _paths(files):
            try:
                content = path.read_bytes()
                result = ingestion.add(into, name, content, details, _progress(name, quiet=as_json))
            except OSError as error:
                problems.append((name, f"cannot be read: {error.strerror}"))
            except DatasetRefused as refused:
                problems.append((name, str(refused)))
            else:
                added.append(result)
                if not as_json:
                    start = _CLEAR_LINE if sys.stdout.isatty() else ""
                    click.echo(f"{start}{name}: {result.outcome}, {result.segments} segments, {result.words} words")
    finally:
        if added:
            ingestion.settle(into)
    if as_json:
        failed = [{"name": name, "problem": problem} for name, problem in problems]
        print_json({"added": [dataclasses.asdict(result) for result in added], "failed": failed})
    for name, problem in problems:
        click.echo(f"{name}: {problem}", err=True)
    if problems:
        raise click.exceptions.Exit(1)


@datasets_group.command("list")
@as_json_option
def list_all(as_json: bool) -> None:
    """List the datasets."""
    found = datasets.list_datasets()
    if as_json:
        print_json([dataclasses.asdict(dataset) for dataset in found])
        return
    rows = [
        (
            dataset.name,
            str(dataset.id),
            dataset.search_method,
            dataset.embedding_model or "-",
            str(dataset.documents),
            str(dataset.segments),
            str(dataset.words),
        )
        for dataset in found
    ]
    print_table(("NAME", "ID", "SEARCH", "EMBEDDINGS", "DOCUMENTS", "SEGMENTS", "WORDS"), rows)


@datasets_group.command("show")
@click.argument("dataset")
@as_json_option
def show(dataset: str, as_json: bool) -> None:
    """Show a dataset: its settings, its documents and the apps that it is bound to."""
    found = datasets.find(dataset)
    documents, bindings = datasets.documents(found.id), datasets.bindings(found.id)
    if as_json:
        parts = {
            "documents": [dataclasses.asdict(entry) for entry in documents],
            "bindings": [dataclasses.asdict(entry) for entry in bindings],
        }
        print_json(dataclasses.asdict(found) | parts)
        return
    print_facts(
        dataclasses.asdict(found) | {"bound to": [f"{entry.app}: {entry.file_dataset_id}" for entry in bindings]}
    )
    click.echo()
    rows = [
        (entry.name, entry.status, str(entry.segments), str(entry.words), entry.error or _shown(entry.metadata))
        for entry in documents
    ]
    print_table(("DOCUMENT", "STATUS", "SEGMENTS", "WORDS", "METADATA OR ERROR"), rows)


@datasets_group.command("search")
@click.argument("dataset")
@click.argument("query")
@click.option("--top-k", type=click.IntRange(1, 100), help="Instead of the dataset's setting.")
@click.option("--search", "method", type=click.Choice(datasets.METHODS), help="Instead of the dataset's setting.")
@as_json_option
def search(dataset: str, query: str, top_k: int | None, method: str | None, as_json: bool) -> None:
    """Search a dataset as an app would."""
    found = datasets.find(dataset)
    wanted = Retrieval([str(found.id)], query, top_k=top_k or found.top_k, search_method=method)
    sources = retrieval.search(None, wanted, SEARCH_SECONDS, Cancellation())
    if as_json:
        print_json(sources)
        return
    for source in sources:
        place = f"{source['document_name']}, segment {source['segment_position']}" + (
            f", page {source['page']}" if source["page"] else ""
        )
        click.echo(f"{source['position']}. {source['score']:.3f}  {place}")
        click.echo(f"   {' '.join(source['content'].split())[:SHOWN_TEXT]}")
    if not sources:
        click.echo("No segments were found.")


@datasets_group.command("remove")
@click.argument("dataset")
@click.argument("documents", nargs=-1)
def remove(dataset: str, documents: tuple[str, ...]) -> None:
    """Remove documents by their names; without names, remove the whole dataset."""
    if not documents:
        removed = datasets.remove(dataset)
        click.echo(f"Removed the dataset {removed.name!r}.")
        datasets.purge()
        return
    missing = datasets.remove_documents(dataset, documents)
    for name in missing:
        click.echo(f"There is no document {name!r}.", err=True)
    if missing:
        raise click.exceptions.Exit(1)


@datasets_group.command("bind")
@click.argument("app_code")
@click.argument("id_in_file")
@click.argument("dataset")
def bind(app_code: str, id_in_file: str, dataset: str) -> None:
    """Bind a dataset id of an app's file to a dataset. Binding the same id again replaces the first binding."""
    bound = datasets.bind(app_code, id_in_file, dataset)
    click.echo(f"The app {app_code} now searches {bound.name!r} for {id_in_file}.")


def _paths(given: Sequence[pathlib.Path]) -> list[tuple[str, pathlib.Path]]:
    """Return (name of the document, file) for each file, and for those in folders by their path from there.

    Hidden files and folders inside a folder are left out.
    """
    named = []
    for path in given:
        if path.is_dir():
            inside = sorted(entry for entry in path.rglob("*") if entry.is_file())
            relative = [(entry.relative_to(path), entry) for entry in inside]
            named += [
                (place.as_posix(), entry)
                for place, entry in relative
                if not any(part.startswith(".") for part in place.parts)
            ]
        else:
            named.append((path.name, path))
    return named


def _metadata(given: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for entry in given:
        name, equals, value = entry.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"{entry!r} is not NAME=VALUE", param_hint="--metadata")
        fields[name] = _number(value.removeprefix(NUMBER)) if value.startswith(NUMBER) else value
    return fields


def _number(text: str) -> float | int:
    try:
        number = float(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a number", param_hint="--metadata") from None
    return int(number) if number.is_integer() else number


def _progress(name: str, quiet: bool) -> Callable[[int, int], None]:
    def show(done: int, of: int) -> None:
        if not quiet and sys.stdout.isatty():
            click.echo(f"{_CLEAR_LINE}{name}: {done} of {of} segments", nl=False)

    return show


def _shown(metadata: dict[str, Any]) -> str:
    own = ingestion.own_metadata(metadata)
    return ", ".join(f"{name}={value}" for name, value in own.items())
