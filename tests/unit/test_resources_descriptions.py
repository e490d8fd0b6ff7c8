"""Everything that the dataset holds is described, once, in words that fit everywhere."""

import pytest

from pipedream_source.resources.schema.descriptions import TABLES, definitions, described
from pipedream_source.resources.schema.stream_views import REASONS
from pipedream_source.resources.schema.view_sql import DUCKDB, POSTGRES
from pipedream_source.resources.schema.views import VIEWS, view_query
from pipedream_source.settings import DESCRIPTIONS

EVERYTHING = (*described(), *VIEWS.values())


@pytest.mark.parametrize("one", EVERYTHING, ids=lambda one: one.name)
def test_each_table_view_and_column_is_described(one) -> None:
    for text in (one.about, *(column.about for column in one.fields.values())):
        assert text.endswith("."), text
        assert text[0].isupper() or text.startswith(("`", "dlt")), text
        # No placeholder of a driver, and one line in every list.
        assert "%" not in text, text
        assert len(text) <= 160, text
    for name, column in one.fields.items():
        assert (column.unit == "UTC") == (column.kind in ("timestamp", "date")), name
        if name.endswith(("_s", "_seconds")):
            assert column.unit == "s", name


def test_names_are_not_those_of_tables() -> None:
    assert not {table.name for table in described()} & set(VIEWS)
    assert len(TABLES) == 17


def test_a_change_is_written_to_databases_that_exist() -> None:
    assert definitions() == DESCRIPTIONS, f"set DESCRIPTIONS in settings.py to {definitions()!r}"


def test_reasons_are_those_of_all_gaps() -> None:
    assert set(REASONS) == {"overrun", "purged", "regressed", "unknown"}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_reads_what_exists_and_nothing_of_the_other_database(view: str) -> None:
    assert view_query(view) == VIEWS[view].query()
    assert "{" not in view_query(view).replace("'{'", "")
    empty = view_query(view, {})
    assert "FROM sources" not in empty
    assert "FROM source_event_summaries" not in empty
    there = VIEWS[view].query({}, dialect=POSTGRES)
    assert "AS JSON)" not in there
    assert "JSONB" not in VIEWS[view].query({}, dialect=DUCKDB)
