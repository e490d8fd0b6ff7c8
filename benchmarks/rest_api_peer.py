"""The same load by dlt's generic rest_api source: python rest_api_peer.py BASE_URL DATABASE."""

from __future__ import annotations

import sys

import dlt
from dlt.sources.rest_api import RESTAPIConfig, rest_api_source

base_url, database = sys.argv[1:3]
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
pipeline.run(rest_api_source(config, max_table_nesting=0))
