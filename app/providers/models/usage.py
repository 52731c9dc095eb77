"""Add up the tokens and prices of model calls; make the usage object of a message's metadata and of node outputs."""

import decimal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from app.providers.models.chat_types import ModelPrices, ModelSource, Usage

NO_PRICE = "0.0"
USUAL_CURRENCY = "USD"
TIMES = ("latency", "time_to_first_token", "time_to_generate")
_ZERO = decimal.Decimal(0)


@dataclass
class ModelUsage:
    """The tokens of all calls that one model answered at the same prices."""

    source: ModelSource
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0

    @property
    def prompt_price(self) -> decimal.Decimal | None:
        """What the prompts cost; None where no prices are known."""
        prices = self.source.prices
        return None if prices is None else self.prompt_tokens * prices.prompt / prices.unit

    @property
    def completion_price(self) -> decimal.Decimal | None:
        """What the completions cost; None where no prices are known."""
        prices = self.source.prices
        return None if prices is None else self.completion_tokens * prices.completion / prices.unit

    @property
    def currency(self) -> str:
        """The currency of the prices; "" where none are known."""
        return "" if self.source.prices is None else self.source.prices.currency


class UsageSum:
    """The tokens and prices of several calls, by model, in the order of each model's first call."""

    def __init__(self) -> None:
        self._models: dict[ModelSource, ModelUsage] = {}

    @classmethod
    def of(cls, usage: Usage | None) -> Self:
        """Return the sum of one call; an empty one where its server counted nothing."""
        made = cls()
        made.add(usage)
        return made

    @classmethod
    def of_stored(cls, records: Iterable[Mapping[str, Any]]) -> Self:
        """Return the sum that `stored` gave the records of."""
        made = cls()
        made.add_stored(records)
        return made

    def __bool__(self) -> bool:
        """Whether any server has counted."""
        return bool(self._models)

    @property
    def models(self) -> list[ModelUsage]:
        return list(self._models.values())

    @property
    def prompt_tokens(self) -> int:
        return sum(model.prompt_tokens for model in self.models)

    @property
    def completion_tokens(self) -> int:
        return sum(model.completion_tokens for model in self.models)

    @property
    def total_tokens(self) -> int:
        return sum(model.total_tokens for model in self.models)

    def add(self, usage: Usage | None) -> None:
        """Add one call; None adds nothing."""
        if usage is not None:
            self._add(usage.source, 1, usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)

    def add_stored(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Add what `stored` gave, at the prices of that time."""
        for record in records:
            prices = record["prices"]
            source = ModelSource(record["endpoint"], record["model"], None if prices is None else _prices(prices))
            tokens = (int(record[name]) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
            self._add(source, int(record["calls"]), *tokens)

    def stored(self) -> list[dict[str, Any]]:
        """Return the sum as JSON values, one for each model, with its unit prices as texts."""
        return [
            {
                "endpoint": model.source.endpoint,
                "model": model.source.model,
                "calls": model.calls,
                "prompt_tokens": model.prompt_tokens,
                "completion_tokens": model.completion_tokens,
                "total_tokens": model.total_tokens,
                "prices": None if model.source.prices is None else _stored_prices(model.source.prices),
            }
            for model in self.models
        ]

    def _add(self, source: ModelSource, calls: int, prompt: int, completion: int, total: int) -> None:
        model = self._models.setdefault(source, ModelUsage(source))
        model.calls += calls
        model.prompt_tokens += prompt
        model.completion_tokens += completion
        model.total_tokens += total


def usage_object(usage: UsageSum, began: float, first: float | None, ended: float) -> dict[str, Any]:
    """Return the usage object of one or more calls. Prices are texts; "0.0" where no route has any.

    There is one currency in it: that of the first call with a price. What was paid in others is left out. Unit prices
    stand there where all calls in that currency had the same. `began`, `first` (when the first chunk came, if any came)
    and `ended` are monotonic seconds.
    """
    first = ended if first is None else first
    priced = [model for model in usage.models if model.source.prices is not None]
    currency = priced[0].currency if priced else USUAL_CURRENCY
    paid = [model for model in priced if model.currency == currency]
    prompt = sum((model.prompt_price or _ZERO for model in paid), _ZERO)
    completion = sum((model.completion_price or _ZERO for model in paid), _ZERO)
    prices = {model.source.prices for model in paid}
    unit = prices.pop() if len(prices) == 1 else None
    price_unit = NO_PRICE if unit is None else price_text(1 / decimal.Decimal(unit.unit))
    return {
        "prompt_tokens": usage.prompt_tokens,
        "prompt_unit_price": NO_PRICE if unit is None else price_text(unit.prompt),
        "prompt_price_unit": price_unit,
        "prompt_price": price_text(prompt),
        "completion_tokens": usage.completion_tokens,
        "completion_unit_price": NO_PRICE if unit is None else price_text(unit.completion),
        "completion_price_unit": price_unit,
        "completion_price": price_text(completion),
        "total_tokens": usage.total_tokens,
        "total_price": price_text(prompt + completion),
        "currency": currency,
        "latency": round(ended - began, 3),
        "time_to_first_token": round(first - began, 3),
        "time_to_generate": round(ended - first, 3),
    }


def recorded_usage(usage: Mapping[str, Any], tokens: UsageSum) -> dict[str, Any]:
    """Return a usage object as records have it: with its parts by model in `models`, which name servers."""
    return {**usage, "models": tokens.stored()}


def added_usage(recorded: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sum of recorded usage objects; empty ones add nothing. Its times are those of the last call."""
    tokens = UsageSum()
    times: dict[str, Any] = {}
    for usage in recorded:
        tokens.add_stored(usage.get("models", ()))
        times = {name: usage[name] for name in TIMES if name in usage} or times
    return recorded_usage({**usage_object(tokens, 0.0, None, 0.0), **times}, tokens)


def price_text(price: decimal.Decimal) -> str:
    """Return an amount as a decimal number without exponent and trailing zeros."""
    return f"{price.normalize():f}" if price else NO_PRICE


def _stored_prices(prices: ModelPrices) -> dict[str, Any]:
    return {
        "prompt": str(prices.prompt),
        "completion": str(prices.completion),
        "unit": prices.unit,
        "currency": prices.currency,
    }


def _prices(stored: Mapping[str, Any]) -> ModelPrices:
    return ModelPrices(
        decimal.Decimal(stored["prompt"]), decimal.Decimal(stored["completion"]), stored["unit"], stored["currency"]
    )
