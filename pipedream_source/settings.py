"""The numbers that the API's contract, our promise and our defaults rest on; nothing else."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
# Digest of the descriptions and views in `resources/`: another one has them written again.
DESCRIPTIONS: Final = "a68cfb4a11bb"
BASE_URL: Final = "https://api.pipedream.com/v1"

# The API's contract ("Pagination", "Get Source Events").
WINDOW_SIZE: Final = 100
PAGE_LIMIT: Final = 100
ERRORS_CHANNEL: Final = "$errors"

# A walk of one window or list ends here, whatever the cursors say.
MAX_PAGES_PER_WINDOW: Final = 12
MAX_PAGES_PER_LIST: Final = 1_000

# Longer names are a mistake: a whole file given as a name.
MAX_NAME_CHARS: Final = 1_000

# Judging a window.
LATE_STRETCH_MS: Final = 60_000
FUTURE_TOLERANCE_MS: Final = 300_000
MAX_REMEMBERED_IDS: Final = 1_500
MAX_ID_MS_DIGITS: Final = 15
MAX_ID_SEQ_DIGITS: Final = 20

# An emitter that answers 404 has ended after so many polls in a row and so long, and is asked
# rarely from then on.
ENDED_AFTER_POLLS: Final = 3
ENDED_AFTER_MS: Final = 3_600_000
ENDED_ASKED_EVERY_MS: Final = 24 * 3_600_000

# Transport.
REQUEST_TIMEOUT_S: Final = 60.0
CONNECT_TIMEOUT_S: Final = 10.0
RETRY_BUDGET_S: Final = 60.0
MAX_TRIES: Final = 5
BACKOFF_BASE_S: Final = 0.25
BACKOFF_CAP_S: Final = 8.0
MAX_BODY_BYTES: Final = 128 * 1024 * 1024
LARGE_BODY_BYTES: Final = 4 * 1024 * 1024
GIVE_UP_AFTER_FAILURES: Final = 20

# How far clocks and whole seconds may blur "made since the request was sent".
SAME_MOMENT_S: Final = 5.0
MAX_WORKERS: Final = 24

# An OAuth client's token: renewed ahead of its end, and how long it lives if it does not say.
TOKEN_AHEAD_S: Final = 60.0
TOKEN_LIFE_S: Final = 3600.0

# Batches handed to dlt.
WINDOWS_PER_BATCH: Final = 200
BYTES_PER_BATCH: Final = 16 * 1024 * 1024
# A batch that is larger all the same, as one window may be, is handed on in parts of about this.
BYTES_PER_TABLE: Final = 8 * 1024 * 1024
QUARANTINE_RAW_CHARS: Final = 64 * 1024

# Cadence.
MIN_POLL_S: Final = 2.0
MAX_POLL_S: Final = 15 * 60.0
QUIET_POLL_S: Final = 60.0

# Where the rows go.
DATABASE: Final = "pipedream_events.duckdb"
DATASET: Final = "pipedream"
PIPELINE: Final = "pipedream_events"
LOCK_WAIT_S: Final = 60.0
DUCKDB_MEMORY: Final = "200MB"

# A state lists so many loads, this machine's and others', whose states it includes.
MOST_SEEN_LOADS: Final = 50

# A DuckDB file keeps so many runs: three years of one every 15 minutes, 10 MB.
MOST_RUNS: Final = 100_000

# New DuckDB files.
# The oldest storage version with ZSTD: every DuckDB from 1.2 on opens it.
STORAGE_VERSION: Final = "v1.2.0"
ZSTD_MIN_STRING_LENGTH: Final = 64
# Each table takes at least a block, and most tables are small; DuckDB's own is 256 KB.
BLOCK_BYTES: Final = 64 * 1024

# A load ends with `compact` where so much of the file is free, in bytes and of its size. A file
# larger than the last is left to the user, as its copy takes minutes.
AUTO_COMPACT_FREE_BYTES: Final = 4 * 1024 * 1024
AUTO_COMPACT_FREE_SHARE: Final = 0.25
AUTO_COMPACT_MOST_BYTES: Final = 256 * 1024 * 1024
