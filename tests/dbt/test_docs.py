"""What the pages say of dbt holds: queries run, tables and variables are those of the project."""

import re
from pathlib import Path

import duckdb
import pytest

from pipedream_source.resources.schema import tables
from tests.dbt.project import FOLDER, ROOT
from tests.dbt.world import World

yaml = pytest.importorskip("yaml")
PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "docs/dbt.md")}
PROJECT = yaml.safe_load((FOLDER / "dbt_project.yml").read_text("utf-8"))


def queries(page: str) -> list[str]:
    found = re.findall(r"^```sql\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)
    return [query for query in found if "analytics." in query]


@pytest.mark.parametrize("page", PAGES)
def test_queries_run(page: str, world: World) -> None:
    assert queries(page)
    with duckdb.connect(str(world.database), read_only=True) as connection:
        for query in queries(page):
            assert connection.execute(query).fetchall(), query


def test_every_mart_and_variable_is_described() -> None:
    for path in (FOLDER / "models" / "marts").glob("*.sql"):
        assert f"| `{path.stem}` |" in PAGES["docs/dbt.md"], path.stem
        assert path.stem in PAGES["README.md"], path.stem
    for name in PROJECT["vars"]:
        assert f"`{name}`" in PAGES["docs/dbt.md"], name


def test_names_fit_every_database() -> None:
    """dbt makes a relation of each unit test and model; Postgres takes 63 bytes for a name."""
    tests = [
        test["name"]
        for path in (FOLDER / "models").rglob("*.yml")
        for test in yaml.safe_load(path.read_text("utf-8")).get("unit_tests", [])
    ]
    assert tests
    models = [path.stem for path in (FOLDER / "models").rglob("*.sql")]
    assert [name for name in (*tests, *models) if len(name.encode()) > 63] == []


def test_every_loaded_table_and_column_is_a_source() -> None:
    (source,) = yaml.safe_load(
        (FOLDER / "models" / "staging" / "_pipedream__sources.yml").read_text("utf-8")
    )["sources"]
    found = {t["name"]: {c["name"]: c["data_type"] for c in t["columns"]} for t in source["tables"]}
    loaded = [value for value in vars(tables).values() if isinstance(value, tables.Table)]
    assert set(found) == {table.name for table in loaded}
    for table in loaded:
        due = dict(table.columns) | {"_dlt_load_id": "text"}
        if table.merge == tables.SCD2:
            due |= {"_dlt_valid_from": "timestamp", "_dlt_valid_to": "timestamp"}
        assert found[table.name] == due, table.name
        assert (FOLDER / "models" / "staging" / f"stg_pipedream__{table.name}.sql").exists()


def test_every_model_and_column_is_described(world: World) -> None:
    described = {
        model["name"]: {column["name"] for column in model["columns"] if column["description"]}
        for path in (FOLDER / "models").rglob("*.yml")
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", [])
        if model["description"]
    }
    query = (
        "SELECT table_name, list(column_name) FROM information_schema.columns "
        "WHERE table_schema LIKE 'analytics%' GROUP BY table_name"
    )
    with duckdb.connect(str(world.database), read_only=True) as connection:
        built = {name: set(columns) for name, columns in connection.execute(query).fetchall()}
    assert described == built


def test_the_exposures_name_the_marts_that_notebooks_read() -> None:
    from notebooks.reading.tables import MARTS

    text = (FOLDER / "models" / "exposures.yml").read_text("utf-8")
    assert set(re.findall(r"ref\('(\w+)'\)", text)) == set(MARTS)


def test_each_mart_has_a_test_of_its_sums_and_a_unit_test_where_it_has_rules() -> None:
    marts = {path.stem for path in (FOLDER / "models" / "marts").glob("*.sql")}
    tested = {path.stem for path in (FOLDER / "tests").glob("*.sql")}
    assert {
        mart for mart in marts if not any(f"assert_{mart}_" in name for name in tested)
    } == set()
    text = "".join(path.read_text("utf-8") for path in (FOLDER / "models").rglob("*unit_tests.yml"))
    of = set(re.findall(r"^    model: (\w+)$", text, re.MULTILINE))
    assert marts - of == {"fct_workflow_errors"}  # it only picks columns


def test_the_makefile_has_what_the_page_names() -> None:
    makefile = Path(ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"make ([a-z-]+)", PAGES["docs/dbt.md"]):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
