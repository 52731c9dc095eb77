"""Tokens and prices of model calls, added up."""

import decimal
import pathlib

import pytest

from app.providers.models.chat_types import ModelPrices, ModelSource, Usage
from app.providers.models.routes import ModelRoutes
from app.providers.models.usage import UsageSum, price_text, usage_object
from tests.support.raw_server import QUESTION
from tests.support.scripted_model import ScriptedModel

DOLLARS = ModelPrices(decimal.Decimal("2.5"), decimal.Decimal(10), 1_000_000, "USD")
EUROS = ModelPrices(decimal.Decimal("0.001"), decimal.Decimal("0.002"), 1_000, "EUR")
BIG, SMALL, FREE = ModelSource("a", "big", DOLLARS), ModelSource("b", "small", EUROS), ModelSource("c", "free")


def total(*calls: Usage) -> UsageSum:
    added = UsageSum()
    for call in calls:
        added.add(call)
    return added


def prices(usage: UsageSum) -> dict[str, str]:
    made = usage_object(usage, 0.0, None, 1.0)
    return {name: value for name, value in made.items() if "price" in name or name == "currency"}


def test_a_call_costs_its_tokens_at_the_prices_of_its_model():
    assert prices(total(Usage(1_000, 200, 1_200, BIG))) == {
        "prompt_unit_price": "2.5",
        "prompt_price_unit": "0.000001",
        "prompt_price": "0.0025",
        "completion_unit_price": "10",
        "completion_price_unit": "0.000001",
        "completion_price": "0.002",
        "total_price": "0.0045",
        "currency": "USD",
    }


def test_a_call_without_prices_costs_nothing():
    assert set(prices(total(Usage(1_000, 200, 1_200, FREE))).values()) == {"0.0", "USD"}
    assert set(prices(UsageSum()).values()) == {"0.0", "USD"}


def test_calls_add_up_and_unit_prices_stand_where_they_are_the_same():
    same = prices(total(Usage(1_000, 0, 1_000, BIG), Usage(1_000, 0, 1_000, BIG), Usage(5, 5, 10, FREE)))
    assert (same["total_price"], same["prompt_unit_price"]) == ("0.005", "2.5")
    other = ModelSource("a", "big", ModelPrices(decimal.Decimal(1), decimal.Decimal(1), 1_000_000, "USD"))
    changed = prices(total(Usage(1_000, 0, 1_000, BIG), Usage(1_000, 0, 1_000, other)))
    assert (changed["total_price"], changed["prompt_unit_price"], changed["prompt_price_unit"]) == (
        "0.0035",
        "0.0",
        "0.0",
    )


def test_an_answer_s_prices_are_of_one_currency():
    paid = prices(total(Usage(1, 1, 2, FREE), Usage(1_000, 1_000, 2_000, SMALL), Usage(1_000, 0, 1_000, BIG)))
    assert (paid["currency"], paid["total_price"]) == ("EUR", "0.003")


def test_what_was_stored_adds_up_at_the_prices_of_that_time():
    added = total(Usage(1, 2, 3, BIG), Usage(4, 5, 9, FREE), Usage(1, 1, 2, BIG))
    again = UsageSum.of_stored(added.stored())
    assert again.stored() == added.stored()
    assert [(model.source.model, model.calls, model.total_tokens) for model in again.models] == [
        ("big", 2, 5),
        ("free", 1, 9),
    ]


@pytest.mark.parametrize(
    ("price", "written"), [("0", "0.0"), ("0.000000100", "0.0000001"), ("1E+3", "1000"), ("2.50", "2.5")]
)
def test_amounts_have_no_exponent(price, written):
    assert price_text(decimal.Decimal(price)) == written


def test_the_model_that_answers_names_the_price_a_fallback_too(tmp_path: pathlib.Path):
    with ScriptedModel() as server:
        path = tmp_path / "models.yml"
        path.write_text(
            f"""
endpoints:
  away: {{base_url: "http://127.0.0.1:9/v1", retries: 0, fallbacks: [here/spare]}}
  here: {{base_url: "{server.base_url}"}}
models:
  - {{provider: "*", name: first, endpoint: away, prices: {{input: 5, output: 5}}}}
  - {{provider: "*", name: other, endpoint: here, remote_name: spare,
     prices: {{input: 1, output: 2, unit: 1K, currency: CHF}}}}
"""
        )
        routes = ModelRoutes.from_settings(str(path), "", "", "", {})
        _, usage = routes.chat_model("openai", "first").complete(QUESTION, {})
        routes.close()
    assert usage is not None
    assert usage.source == ModelSource(
        "here", "spare", ModelPrices(decimal.Decimal(1), decimal.Decimal(2), 1_000, "CHF")
    )
