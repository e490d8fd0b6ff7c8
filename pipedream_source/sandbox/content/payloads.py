"""What the seeded emitters emit: payloads in the shapes that their apps send.

GitHub's are real ones (see `data/`), passed on byte for byte; the others are made here. Each
maker draws only from the generator it is given, so a stream's events follow from the seed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, NamedTuple

import msgspec

from pipedream_source.sandbox.protocol.clock import iso
from pipedream_source.sandbox.protocol.ids import short_id

_PEOPLE = ("Ada Byron", "Grace Hopper", "Zoë Müller", "Nguyễn Văn An", "佐藤 花子", "Luke Sky")
_PRODUCTS = ("Desk lamp", "Teapot", "Field notes", "Crème brûlée set", "Bike bell 🔔", "Wool hat")
_TOPICS = ("retries", "release notes", "pagination", "cold starts", "billing", "webhooks")
_WORDS = "the a new job run of feed step queue data key page item call late first again".split()


class Payload(NamedTuple):
    """An event's JSON text, and what the component's code gave to `$emit` beside it."""

    event: bytes
    extras: dict[str, Any]


Maker = Callable[[Random, int], Payload]


def to_json(value: Any) -> bytes:
    """Write JSON as compactly as the API does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class _Sample(msgspec.Struct):
    type: str
    payload: msgspec.Raw


@cache
def github_samples() -> dict[str, tuple[bytes, ...]]:
    """Return the real webhook payloads by event type."""
    packed = files("pipedream_source.sandbox").joinpath("data", "github-webhooks.ndjson.gz")
    samples: dict[str, tuple[bytes, ...]] = {}
    for line in gzip.decompress(packed.read_bytes()).splitlines():
        sample = msgspec.json.decode(line, type=_Sample)
        samples[sample.type] = (*samples.get(sample.type, ()), bytes(sample.payload))
    return samples


def github(*types: str) -> Maker:
    """Make a maker of webhooks of these types, of all types if none is named."""

    def make(rng: Random, ms: int) -> Payload:
        samples = github_samples()
        type_ = rng.choice(types or tuple(samples))
        delivery = f"{rng.getrandbits(128):032x}"
        summary = f"{type_.replace('_', ' ')} in octo-org/octo-repo"
        return Payload(rng.choice(samples[type_]), {"id": delivery, "summary": summary, "ts": ms})

    return make


def rss(rng: Random, ms: int) -> Payload:
    """Make a feed's item; its length varies around 1 KB."""
    title = f"{rng.choice(_TOPICS).capitalize()}: what changed"
    link = f"https://blog.example.com/{rng.getrandbits(40):010x}"
    text = " ".join(rng.choices(_WORDS, k=rng.randint(60, 400)))
    item: dict[str, Any] = {
        "title": title,
        "link": link,
        "guid": link,
        "pubDate": iso(ms),
        "author": "staff",
    }
    item |= {"description": f"<p>{text}</p>", "categories": rng.sample(_TOPICS, 2)}
    return Payload(to_json(item), {"id": link, "summary": title, "ts": ms})


def http(rng: Random, _: int) -> Payload:
    """Make a request as an HTTP source emits it."""
    body = {"form": "contact", "name": rng.choice(_PEOPLE), "topic": rng.choice(_TOPICS)}
    headers = {"host": "eo3x7.m.pipedream.net", "content-type": "application/json"}
    headers |= {"user-agent": "curl/8.5.0", "x-forwarded-for": f"203.0.113.{rng.randint(1, 254)}"}
    request = {"method": "POST", "path": "/", "query": {}, "headers": headers, "body": body}
    return Payload(to_json({**request, "client_ip": headers["x-forwarded-for"]}), {})


def stripe(rng: Random, ms: int) -> Payload:
    """Make a payment event as Stripe sends it."""
    type_ = rng.choice(("charge.succeeded", "charge.failed", "invoice.paid", "charge.refunded"))
    charge: dict[str, Any] = {"id": short_id("ch", rng, 24), "object": "charge"}
    charge |= {"amount": rng.randint(3, 400) * 100 - 1, "currency": rng.choice(("usd", "eur"))}
    charge |= {"customer": short_id("cus", rng, 14), "livemode": True, "metadata": {}}
    event: dict[str, Any] = {
        "id": short_id("evt", rng, 24),
        "object": "event",
        "api_version": "2024-06-20",
    }
    event |= {"created": ms // 1000, "type": type_, "data": {"object": charge}, "livemode": True}
    return Payload(to_json(event), {"id": event["id"], "summary": type_, "ts": ms})


def timer(rng: Random, ms: int) -> Payload:
    """Make a schedule's tick."""
    tick = {"timestamp": ms // 1000, "timezone_configured": {"iso8601": {"timestamp": iso(ms)}}}
    return Payload(to_json({**tick, "interval_seconds": 180, "run": rng.getrandbits(16)}), {})


def sheets(rng: Random, ms: int) -> Payload:
    """Make a spreadsheet's new row: an array, as `$emit` takes any JSON value."""
    row = [iso(ms)[:10], rng.choice(_PEOPLE), rng.choice(_PRODUCTS), str(rng.randint(1, 20)), ""]
    return Payload(to_json(row), {"id": f"Sheet1{rng.randint(2, 5000)}", "summary": "New row"})


def slack(rng: Random, ms: int) -> Payload:
    """Make a chat message."""
    text = f"{rng.choice(_PEOPLE)}: {' '.join(rng.choices(_WORDS, k=rng.randint(3, 30)))} 👀"
    message: dict[str, Any] = {
        "type": "message",
        "channel": "C024BE91L",
        "user": short_id("U", rng, 8),
    }
    message |= {"text": text, "ts": f"{ms / 1000:.6f}", "team": "T061EG9R6", "blocks": []}
    return Payload(to_json(message), {"id": message["ts"], "summary": text[:40], "ts": ms})


def order(rng: Random, ms: int) -> Payload:
    """Make a shop's order."""
    items = [
        {"sku": f"SKU-{rng.randint(100, 999)}", "name": rng.choice(_PRODUCTS), "qty": 1}
        for _ in range(rng.randint(1, 9))
    ]
    head = {"order_id": rng.randint(10_000, 99_999), "customer": rng.choice(_PEOPLE)}
    total = round(rng.uniform(5, 500), 2)
    return Payload(to_json({**head, "placed_at": iso(ms), "total": total, "items": items}), {})


def stock(rng: Random, ms: int) -> Payload:
    """Make a stock warning."""
    sku = f"SKU-{rng.randint(100, 999)}"
    return Payload(to_json({"sku": sku, "left": rng.randint(0, 4), "at": iso(ms)}), {})


def log_line(rng: Random, ms: int) -> Payload:
    """Make a line of a source's `$logs`: a plain string."""
    return Payload(to_json(f"polled {rng.randint(0, 9)} new items at {iso(ms)}"), {})


def result(rng: Random, ms: int) -> Payload:
    """Make what a workflow emits when it is done."""
    outcome = {"status": rng.choice(("done", "done", "skipped")), "rows": rng.randint(0, 50)}
    return Payload(to_json({"raw_event": {**outcome, "for": rng.choice(_PEOPLE)}, "ts": ms}), {})


KINDS: dict[str, Maker] = {
    "github": github(),
    "github_issues": github("issues", "issue_comment", "label", "milestone"),
    "github_code": github("push", "pull_request", "pull_request_review", "create", "delete"),
    "github_ci": github("check_run", "check_suite", "workflow_job", "workflow_run", "status"),
    "rss": rss,
    "http": http,
    "stripe": stripe,
    "timer": timer,
    "sheets": sheets,
    "slack": slack,
    "order": order,
    "stock": stock,
    "log_line": log_line,
    "result": result,
}
