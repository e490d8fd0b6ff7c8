"""The same load by dlt's generic rest_api source: rest_api.py BASE_URL DATABASE [FLAT].

Configured as its documentation suggests for a parent and a child endpoint; with FLAT (any text)
payloads stay in one JSON column (`max_table_nesting=0`), else each key becomes a column and each
list a table.
"""

from __future__ import annotations

import sys

import dlt
from dlt.sources.rest_api import RESTAPIConfig, rest_api_source

base_url, database, *flat = sys.argv[1:]
config: RESTAPIConfig = {
    "client": {
        "base_url": base_url,
        "auth": {"type": "bearer", "token": "bench"},
        "paginator": {
            "type": "cursor",
            "cursor_path": "page_info.end_cursor",
            "cursor_param": "after",
        },
    },
    "resource_defaults": {"write_disposition": "merge", "endpoint": {"params": {"limit": 100}}},
    "resources": [
        {
            "name": "sources",
            "primary_key": "id",
            "endpoint": {"path": "users/me/sources", "data_selector": "data"},
        },
        {
            "name": "source_event_summaries",
            "primary_key": ["_sources_id", "id"],
            "include_from_parent": ["id"],
            "endpoint": {
                "path": "sources/{resources.sources.id}/event_summaries",
                "params": {"expand": "event"},
                "data_selector": "data",
                "paginator": "single_page",
            },
        },
    ],
}
pipeline = dlt.pipeline(
    "rest_api_peer",
    pipelines_dir=f"{database}.dlt",
    destination=dlt.destinations.duckdb(database),
    dataset_name="pipedream",
)
pipeline.run(rest_api_source(config, max_table_nesting=0) if flat else rest_api_source(config))
