"""The least that any client does: download.py BASE_URL LIBRARY STREAMS.

Reads each window once, on eight threads, and looks at nothing: with `urllib3`, or with `requests`.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.inputs import emitter_of

base_url, library, streams = sys.argv[1:]
headers = {"Authorization": "Bearer bench", "Accept-Encoding": "gzip"}

if library == "requests":
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=8))

    def size(path: str) -> int:
        """Read one answer."""
        return len(session.get(base_url + path, headers=headers, timeout=60).content)
else:
    import urllib3

    pool_manager = urllib3.PoolManager(maxsize=8)

    def size(path: str) -> int:
        """Read one answer."""
        return len(pool_manager.request("GET", base_url + path, headers=headers).data)


paths = [
    f"/sources/{emitter_of(number)}/event_summaries?expand=event&limit=100"
    for number in range(int(streams))
]
with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(size, paths)))
