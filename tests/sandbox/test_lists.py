"""Lists that change while they are walked: cursors of objects that are gone."""

from __future__ import annotations

import pytest

from pipedream_source.sandbox.protocol.ids import from_cursor, to_cursor
from tests.sandbox.examples import RSS

LISTS = ["/users/me/sources", "/users/me/webhooks", "/users/me/subscriptions"]


@pytest.fixture
def made(sandbox, send, quiet, ids):
    """What each list has besides the seeded objects, in the order it was made."""
    sandbox.switch(subscriptions="paginated")
    for number in range(4):
        send("POST", "/sources", {"component_url": RSS, "name": f"feed {number}"})
        send("POST", "/webhooks", {"url": f"https://a.example.com/{number}"})
        link = {"emitter_id": quiet, "listener_id": ids["Ledger sync"], "event_name": str(number)}
        send("POST", "/subscriptions", link)
    return {path: send("GET", f"{path}?limit=100").data for path in LISTS}


def delete(send, row) -> None:
    """Delete an object of a list."""
    if "emitter_id" in row:
        names = {name: row[name] for name in ("emitter_id", "listener_id", "event_name")}
        assert send("DELETE", "/subscriptions", names).status == 200
        return
    kind = "sources" if row["id"].startswith("dc_") else "webhooks"
    assert send("DELETE", f"/{kind}/{row['id']}").status == 204


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("size", [1, 3])
def test_a_list_is_walked_to_its_end_while_it_is_deleted(send, made, path, size):
    seen, cursor = [], ""
    while True:
        page = send("GET", f"{path}?limit={size}{cursor}").body
        if not page["data"]:
            break
        seen += page["data"]
        for row in page["data"]:
            delete(send, row)
        cursor = f"&after={page['page_info']['end_cursor']}"
    assert [row["id"] for row in seen] == [row["id"] for row in made[path]]
    assert send("GET", path).data == []


@pytest.mark.parametrize("path", LISTS)
def test_a_deleted_row_keeps_its_place(sandbox, send, made, path):
    rows = [row["id"] for row in made[path]]
    gone = to_cursor(rows[2])
    delete(send, made[path][2])

    def shown(query: str) -> list[str]:
        return [row["id"] for row in send("GET", f"{path}?limit=100&{query}").data]

    for _ in range(2):
        assert shown(f"after={gone}") == rows[3:]
        assert shown(f"before={gone}") == rows[:2]
        sandbox.restore(sandbox.dump())
    kept = sandbox.dump()
    # A dump of an older release does not hold the order; the objects' own order serves.
    del kept["workspace"]["created"]
    sandbox.restore(kept)
    assert shown(f"after={to_cursor(rows[1])}") == rows[3:]
    assert shown(f"after={gone}") == [*rows[:2], *rows[3:]]


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_of_nothing_stands_at_the_start_or_is_refused(sandbox, send, made, path):
    for cursor in ("ZGNfbm9uZQ", "ZGNfbm9uZQ=="):
        assert send("GET", f"{path}?limit=100&after={cursor}").data == made[path]
        assert send("GET", f"{path}?limit=100&before={cursor}").data == []
    delete(send, made[path][0])
    sandbox.switch(unknown_cursor="refused")
    first, second = (to_cursor(row["id"]) for row in made[path][:2])
    for cursor in ("ZGNfbm9uZQ", first):
        assert send("GET", f"{path}?after={cursor}").status == 422
    assert send("GET", f"{path}?limit=100&after={second}").data == made[path][2:]


def test_an_id_used_again_is_a_new_object(sandbox, send):
    sandbox.add_emitters(1, id="dc_again")
    behind = sandbox.add_emitters(1)
    send("DELETE", "/sources/dc_again")
    sandbox.add_emitters(1, id="dc_again")
    page = send("GET", f"/users/me/sources?after={to_cursor(behind[0])}")
    assert [row["id"] for row in page.data] == ["dc_again"]


def test_only_what_a_cursor_decodes_to_an_id_is_one():
    assert from_cursor("ZGNfSzB1QWVl") == "dc_K0uAee"
    for wrong in (
        "",
        "Z",
        "ZGNf",
        "ZGNf SzB1QWVl",
        "ZGNfSzB1QWVl\n",
        "ZGNfbm9uZR",
        "MTItMA",
        "__8",
    ):
        assert from_cursor(wrong) is None, wrong
