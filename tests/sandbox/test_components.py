"""Components: what is read from their code, the known addresses, the registry."""

from __future__ import annotations

import hashlib

import pytest

from pipedream_source.sandbox.content.component_code import read_code
from pipedream_source.sandbox.content.javascript import exported_object
from tests.sandbox.examples import RSS

PUBLISHED = "https://github.com/PipedreamHQ/pipedream/blob/master/components"
CODE = """
import rss from "../rss.app.mjs"; // {not, an, object}
const pattern = /[}'"`]/g, half = 4 / 2;

export default {
  name: 'My ' + "source",
  key: `my-source`,
  version: "0.0.2",
  description: "it's \\"so\\" \\u00e9",
  dedupe: "unique",
  props: {
    rss,
    db: "$.service.db",
    url: {
      type: 'string', label: "Feed", optional: true,
      async options({ page }) { return [{ label: "}", value: page }]; },
    },
    timer: { type: "$.interface.timer", default: { intervalSeconds: 60 * 15 } },
    poll: { type: "$.interface.timer",
            default: { intervalSeconds: DEFAULT_POLLING_SOURCE_TIMER_INTERVAL } },
    repo: { propDefinition: [rss, "repo", (c) => ({ a: c.b })] },
    many: { type: "integer[]", default: [1, -2, (3 + 4) * 2], min: 1_000, max: 0x10 },
    ...rss.more,
  },
  methods: { helper() { return { b: "}" }; } },
  async run(event) { this.$emit(event, { id: `${event.id}` }); },
};
"""


def test_code_is_hashed_and_read(send):
    made = send("POST", "/components", {"component_code": CODE}).data
    assert made["code"] == CODE
    assert made["code_hash"] == hashlib.sha256(CODE.encode()).hexdigest()
    assert (made["key"], made["name"], made["version"]) == ("my-source", "My source", "0.0.2")
    assert made["configurable_props"] == [
        {"name": "rss", "type": "app", "app": "rss"},
        {"name": "db", "type": "$.service.db"},
        {"name": "url", "type": "string", "label": "Feed", "optional": True},
        {"name": "timer", "type": "$.interface.timer", "default": {"intervalSeconds": 900}},
        {"name": "poll", "type": "$.interface.timer", "default": {"intervalSeconds": 900}},
        {"name": "repo", "type": "string"},
        {"name": "many", "type": "integer[]", "default": [1, -2, 14], "min": 1000, "max": 16},
    ]


@pytest.mark.parametrize(
    "code",
    [
        "module.exports = { key: 'a' }",
        "module.exports = defineComponent({ key: 'a' });",
        "const c = { key: 'a' };\nexport default c;",
        "const c = defineSource({ key: 'a' });\nmodule.exports = c;",
        "/* export default { key: 'b' } */ export default { 'key': 'a', run: async () => {}, }",
        "export default { async run() { return { key: 'b' } }, get key2() { }, key: 'a' }",
    ],
)
def test_every_form_of_export_is_found(code):
    assert read_code(code).key == "a"


@pytest.mark.parametrize(
    "code",
    [
        *("component code here", "", "export default", "export default c", "export default {"),
        *("export default { key: ", "const c = d; export default c", "module.exports ="),
        *("export default {" + "a:{" * 9000, "export default {a:" + "[" * 9000, "`" * 99, "'\\"),
        "export default {a:" + "(" * 9000,
    ],
)
def test_code_that_cannot_be_read_is_saved_all_the_same(send, code):
    assert exported_object(code) is None
    if code:
        made = send("POST", "/components", {"component_code": code}).data
        assert (made["code"], made["name"], made["configurable_props"]) == (code, None, [])


def test_code_is_preferred_to_an_address(send):
    body = {"component_code": CODE, "component_url": "https://nowhere.example.com/x.js"}
    assert send("POST", "/components", body).data["key"] == "my-source"


def test_the_same_component_is_saved_once(send):
    first, again = (send("POST", "/components", {"component_code": CODE}).data for _ in "12")
    assert first == again
    other = send("POST", "/components", {"component_code": CODE + "\n"}).data
    assert other["id"] != first["id"]
    assert send("GET", "/components/my-source").data["id"] == other["id"]
    assert send("GET", f"/components/{first['id']}").data == first


@pytest.mark.parametrize(
    ("url", "key"),
    [
        (RSS, "rss-new-item-in-feed"),
        ("https://github.com/PipedreamHQ/pipedream/components/rss/rss.js", "rss-new-item-in-feed"),
        (
            f"{PUBLISHED}/github/sources/new-repository/new-repository.mjs",
            "github-new-repository",
        ),
        (
            "https://raw.githubusercontent.com/PipedreamHQ/pipedream/master/components/schedule/"
            "sources/custom-interval/custom-interval.mjs",
            "schedule-custom-interval",
        ),
    ],
)
def test_known_addresses_need_no_network(send, url, key):
    made = send("POST", "/components", {"component_url": url}).data
    assert made["key"] == key
    assert send("GET", f"/components/registry/{key}").data["code_hash"] == made["code_hash"]


def test_other_addresses_are_refused_until_they_are_published(sandbox, send):
    url = "https://example.com/source.js"
    refused = send("POST", "/components", {"component_url": url})
    assert (refused.status, url in refused.body["error"]) == (422, True)
    sandbox.control("POST", "components", {"url": url, "code": CODE, "kind": "rss"})
    assert send("POST", "/components", {"component_url": url}).data["key"] == "my-source"
    assert send("GET", "/components/registry/my-source").data["code"] == CODE


@pytest.mark.parametrize("body", [{}, {"component_code": ""}, {"component_url": None}, None])
def test_one_of_code_and_address_is_required(send, body):
    answer = send("POST", "/components", body)
    assert answer.status == 422
    assert "required" in answer.body["error"]


def test_unknown_components_are_not_found(send):
    for path in ("/components/none", "/components/sc_none", "/components/registry/none"):
        answer = send("GET", path)
        assert (answer.status, answer.body) == (404, {"error": "record not found"})


def test_the_components_of_seeded_sources_are_there(get):
    orgs = [org["id"] for org in get("/users/me").json()["data"]["orgs"]]
    paths = ["/users/me/sources", *(f"/orgs/{org}/sources" for org in orgs)]
    sources = [row for path in paths for row in get(path, limit=100).json()["data"]]
    made = [get(f"/components/{row['component_id']}").json()["data"] for row in sources]
    assert [c["id"] for c in made] == [row["component_id"] for row in sources]
    assert len({c["code_hash"] for c in made}) < len({c["id"] for c in made})
