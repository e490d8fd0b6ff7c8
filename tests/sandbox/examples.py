"""The documentation's example requests and responses, as it prints them."""

from __future__ import annotations

from typing import Any

BASE = "https://api.pipedream.com/v1"
RSS = (
    "https://github.com/PipedreamHQ/pipedream/blob/master/components/rss/sources/"
    "new-item-in-feed/new-item-in-feed.js"
)
COMPONENT = {
    "data": {
        "id": "sc_JDi8EB",
        "code": "component code here",
        "code_hash": "685c7a680d055eaf505b08d5d814feef9fabd516d5960837d2e0838d3e1c9ed1",
        "name": "rss",
        "version": "0.0.1",
        "configurable_props": [
            {
                "name": "url",
                "type": "string",
                "label": "Feed URL",
                "description": "Enter the URL for any public RSS feed.",
            },
            {
                "name": "timer",
                "type": "$.interface.timer",
                "default": {"intervalSeconds": 900},
            },
        ],
        "created_at": 1588866900,
        "updated_at": 1588866900,
    }
}
PAGE_INFO = {
    "total_count": 19,
    "count": 10,
    "start_cursor": "ZGNfSzB1QWVl",
    "end_cursor": "ZGNfeUx1alJx",
}
SOURCES = {
    "page_info": PAGE_INFO,
    "data": [
        {
            "id": "dc_abc123",
            "component_id": "sc_def456",
            "configured_props": {"http": {"endpoint_url": "https://myendpoint.m.pipedream.net"}},
            "active": True,
            "created_at": 1587679599,
            "updated_at": 1587764467,
            "name": "test",
            "name_slug": "test",
        }
    ],
}
SUBSCRIPTIONS = {
    "data": [
        {
            "id": "sub_abc123",
            "emitter_id": "dc_abc123",
            "listener_id": "p_abc123",
            "event_name": "",
        }
    ]
}
CREDITS = {"daily_credits_quota": 100, "daily_credits_used": 0}
EMITS = {
    "page_info": {**PAGE_INFO, "total_count": 1, "count": 1},
    "data": [
        {
            "id": "1606511826306-0",
            "indexed_at_ms": 1606511826306,
            "event": {"raw_event": {"name": "Luke", "title": "Jedi"}},
            "metadata": {
                "emit_id": "1ktF96gAMsLqdYSRWYL9KFS5QqW",
                "name": "",
                "emitter_id": "p_abc123",
            },
        }
    ],
}
ERRORS = {
    "page_info": PAGE_INFO,
    "data": [
        {
            "id": "1606370816223-0",
            "indexed_at_ms": 1606370816223,
            "event": {
                "original_event": {"name": "Luke", "title": "Jedi"},
                "original_context": {
                    "id": "1kodJIW7jVnKfvB2yp1OoPrtbFk",
                    "ts": "2020-11-26T06:06:44.652Z",
                    "workflow_id": "p_abc123",
                    "deployment_id": "d_abc123",
                    "source_type": "SDK",
                    "verified": False,
                    "owner_id": "u_abc123",
                    "platform_version": "3.1.20",
                },
                "error": {
                    "code": "InternalFailure",
                    "cellId": "c_abc123",
                    "ts": "2020-11-26T06:06:56.077Z",
                    "stack": "    at Request.extractError ...",
                },
            },
            "metadata": {
                "emitter_id": "p_abc123",
                "emit_id": "1kodKnAdWGeJyhqYbqyW6lEXVAo",
                "name": "$errors",
            },
        }
    ],
}
WEBHOOK = {
    "id": "wh_abc123",
    "user_id": "u_abc123",
    "name": None,
    "description": None,
    "url": "https://endpoint.m.pipedream.net",
    "active": True,
    "created_at": 1611964025,
    "updated_at": 1611964025,
}
FREE_USER = {
    "data": {
        "id": "u_abc123",
        "username": "dylburger",
        "email": "dylan@pipedream.com",
        "daily_compute_time_quota": 95400000,
        "daily_compute_time_used": 8420300,
        "daily_invocations_quota": 27344,
        "daily_invocations_used": 24903,
        "orgs": [
            {
                "name": "MyWorkspace",
                "id": "o_abc123",
                "orgname": "myworkspace",
                "email": "workspace@pipedream.com",
                **CREDITS,
            }
        ],
    }
}
PAID_USER = {
    "data": {
        "id": "u_abc123",
        "username": "user-35b7389db9e5222d42df6b3f0cfa8143",
        "email": "dylan@pipedream.com",
        "billing_period_start_ts": 1610154978,
        "billing_period_end_ts": 1612833378,
        "billing_period_credits": 12345,
    }
}
WORKSPACE = {
    "data": {
        "id": "o_Qa8I1Z",
        "orgname": "asdf",
        "name": "asdf",
        "email": "makedev@pipedream.com",
        **CREDITS,
    }
}
SOURCE = {
    "data": {
        "id": "dc_abc123",
        "user_id": "u_abc123",
        "component_id": "sc_abc123",
        "configured_props": {
            "url": "https://rss.m.pipedream.net",
            "timer": {"cron": None, "interval_seconds": 60},
        },
        "active": True,
        "created_at": 1589486978,
        "updated_at": 1589486978,
        "name": "your-name-here",
        "name_slug": "your-name-here",
    }
}
JSON = '-H "Content-Type: application/json"'
KEY = '-H "Authorization: Bearer <api_key>"'

# Each request as the documentation prints it, the status, and the response's example.
EXAMPLES: dict[str, tuple[str, int, Any]] = {
    "profile": (
        f"curl '{BASE}/users/me' \\\n  -H 'Authorization: Bearer <api_key>'",
        *(200, FREE_USER),
    ),
    "page": (
        f"curl {BASE}/users/me/sources\\?limit\\=3\\&after\\=ZGNfSzB1QWVl \\\n"
        '  -H "Authorization: Bearer <api key>"',
        *(200, {"page_info": PAGE_INFO, "data": [{"id": "dc_5YGuMo"}]}),
    ),
    "create a component": (
        f"curl {BASE}/components \\\n  {KEY} \\\n  {JSON} \\\n"
        f'  -d \'{{"component_url": "{RSS}"}}\'',
        *(200, COMPONENT),
    ),
    "get a component": (
        f"curl {BASE}/components/my-component \\\n  {KEY}",
        *(200, COMPONENT),
    ),
    "get from the registry": (
        f"curl {BASE}/components/registry/github-new-repository \\\n  {KEY}",
        *(200, COMPONENT),
    ),
    "delete the last two events": (
        'curl -X DELETE \\\n  -H "Authorization: Bearer <api key>" \\\n'
        f'  "{BASE}/sources/dc_abc123/events?start_id=1589486981598-0"',
        *(202, None),
    ),
    "delete the first two events": (
        'curl -X DELETE \\\n  -H "Authorization: Bearer <api key>" \\\n'
        f'  "{BASE}/sources/dc_abc123/events?end_id=1589486981598-0"',
        *(202, None),
    ),
    "delete one event": (
        'curl -X DELETE \\\n  -H "Authorization: Bearer <api key>" \\\n'
        f'  "{BASE}/sources/dc_abc123/events?start_id=1589486981598-0&end_id=1589486981598-0"',
        *(202, None),
    ),
    "workspace": (f"curl '{BASE}/workspaces/o_abc123' {KEY}", 200, WORKSPACE),
    "workspace's subscriptions": (
        f"curl '{BASE}/workspaces/o_abc123/subscriptions' \\\n"
        "  -H 'Authorization: Bearer <api_key>'",
        *(200, SUBSCRIPTIONS),
    ),
    "workspace's sources": (
        f"curl '{BASE}/orgs/o_abc123/sources' \\\n  -H 'Authorization: Bearer <api_key>'",
        *(200, SOURCES),
    ),
    "user's sources": (
        f"curl '{BASE}/users/me/sources' \\\n  -H 'Authorization: Bearer <api_key>'",
        *(200, SOURCES),
    ),
    "create a source": (
        f"curl {BASE}/sources \\\n  {KEY} \\\n  {JSON} \\\n"
        f'  -d \'{{"component_url": "{RSS}", "name": "your-name-here", "configured_props": '
        '{ "url": "https://rss.m.pipedream.net", "timer": { "intervalSeconds": 60 }}}\'',
        *(200, SOURCE),
    ),
    "subscribe": (
        f'curl "{BASE}/subscriptions?emitter_id=dc_def456&listener_id=p_abc123" \\\n'
        f"  -X POST \\\n  {KEY} \\\n  {JSON}",
        *(200, SUBSCRIPTIONS),
    ),
    "subscribe automatically": (
        f'curl "{BASE}/auto_subscriptions?event_name=$errors&listener_id=p_abc123" \\\n'
        f"  -X POST \\\n  {KEY} \\\n  {JSON}",
        *(200, SUBSCRIPTIONS),
    ),
    "unsubscribe": (
        f'curl "{BASE}/subscriptions?emitter_id=dc_abc123&listener_id=p_abc123" \\\n'
        f"  -X DELETE \\\n  {KEY} \\\n  {JSON}",
        *(200, SUBSCRIPTIONS),
    ),
    "create a webhook": (
        f'curl "{BASE}/webhooks?url=https://endpoint.m.pipedream.net&name=name&'
        f'description=description" \\\n  -X POST \\\n  {KEY} \\\n  {JSON}',
        *(200, {"data": {**WEBHOOK, "name": "name", "description": "description"}}),
    ),
    "delete a webhook": (
        f'curl "{BASE}/webhooks/wh_abc123" \\\n  -X DELETE \\\n  {KEY} \\\n  {JSON}',
        *(204, None),
    ),
    "workflow emits": (
        f"curl '{BASE}/workflows/p_abc123/event_summaries?expand=event&limit=1' \\\n"
        "  -H 'Authorization: Bearer <api_key>'",
        *(200, EMITS),
    ),
    "workflow errors": (
        f"curl '{BASE}/workflows/p_abc123/$errors/event_summaries?expand=event&limit=1' \\\n"
        "  -H 'Authorization: Bearer <api_key>'",
        *(200, ERRORS),
    ),
    "user's subscriptions": (
        f"curl '{BASE}/users/me/subscriptions' \\\n  -H 'Authorization: Bearer <api_key>'",
        *(200, SUBSCRIPTIONS),
    ),
    "user's webhooks": (
        f"curl '{BASE}/users/me/webhooks' \\\n  -H 'Authorization: Bearer <api_key>'",
        *(
            200,
            {
                "page_info": PAGE_INFO,
                "data": [{n: v for n, v in WEBHOOK.items() if n != "user_id"}],
            },
        ),
    ),
}
