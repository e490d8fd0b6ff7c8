"""Faults of other kinds: what comes of them, and the test that shows it."""

from __future__ import annotations

#: What happens, what comes of it, and the name of the test function.
ELSEWHERE = (
    (
        "kill -9 at any stage or moment of a run",
        "after two more runs every event that was seen is there once",
        "test_killed_in_a_later_run",
    ),
    ("kill -9 at random moments", "the same", "test_killed_at_random_moments"),
    (
        "SIGINT or SIGTERM while polling",
        "exit 130 or 143; what was read is loaded or kept for the next run",
        "test_a_signal_loses_nothing",
    ),
    (
        "another process holds the DuckDB file",
        "exit 5; polled and kept, loaded by the next run",
        "test_a_locked_database_keeps_what_was_polled",
    ),
    (
        "a reader has the DuckDB file open",
        "the poll goes on; loaded when the reader is gone",
        "test_a_reader_in_another_process_stops_no_poll",
    ),
    (
        "the database is deleted between loads",
        "filled again from whole windows",
        "test_a_database_deleted_between_loads_is_filled_from_whole_windows",
    ),
    (
        "the path is a folder, a text file or in a missing folder",
        "exit 2; nothing is overwritten, no request is sent",
        "test_what_cannot_work_is_refused_before_any_request",
    ),
    (
        "a folder that cannot be written",
        "exit 2; nothing is sent but the first call",
        "test_a_folder_that_cannot_be_written",
    ),
    (
        "the working folder is new, the database is not",
        "cursors come back from the database",
        "test_a_fresh_folder_takes_its_cursors_from_the_database",
    ),
    (
        "a proxy on the way to an https host",
        "it sees a CONNECT and never the key",
        "test_a_proxy_never_sees_the_key_of_an_https_request",
    ),
    (
        "any of these while the key is looked for",
        "it stands in no file, table, message, traceback or log",
        "test_the_key_is_written_nowhere",
    ),
    (
        "an error echoes the key in any of its forms",
        "it is not shown",
        "test_no_error_shows_the_key",
    ),
    (
        "a POST that may have landed",
        "never repeated; what it may have made is looked for",
        "test_a_post_that_may_have_landed_is_not_repeated",
    ),
    (
        "large answers to many threads at once",
        "at most two of them in memory",
        "test_large_bodies_take_turns_and_leave_no_seat_taken",
    ),
    (
        "one 429 while many threads ask",
        "all of them wait",
        "test_one_rate_limit_slows_all_threads",
    ),
)
