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
        "kill -9 of a script with `load_pending` and `pipeline.run`",
        "the next run repairs and loads what was left, each row once, and polls",
        "test_a_script_killed_after_events_were_copied",
    ),
    (
        "kill -9 of a load to plain files",
        "the same",
        "test_a_load_to_plain_files_that_was_killed",
    ),
    (
        "rows are deleted by a process that is killed: they stand in the `.wal`",
        "told, read again; exit 4 with `--fail-on-loss`",
        "test_rows_deleted_by_a_process_that_was_killed",
    ),
    (
        "rows are deleted while a load polls",
        "the same",
        "test_rows_deleted_while_a_load_polls",
    ),
    (
        "rows are deleted on a Postgres server",
        "told, read again; exit 4 with `--fail-on-loss`; loads without that count no table",
        "test_rows_deleted_on_a_server",
    ),
    (
        "a payload or a path has the words of a lock, a lost connection or damage",
        "the diagnosis comes from types and codes",
        "test_words_in_a_payload",
    ),
    (
        "SIGINT or SIGTERM while polling",
        "exit 130 or 143; what was read is loaded or kept for the next run",
        "test_a_signal_loses_nothing",
    ),
    (
        "a second SIGINT or SIGTERM",
        "the process ends at once; the next load brings everything",
        "test_a_second_signal_ends_the_process_at_once",
    ),
    (
        "killed in the first run, locked out in the second",
        "what the first had copied is taken back; every event once",
        "test_killed_in_the_first_run_and_locked_out_of_the_second",
    ),
    (
        "killed between the load of a package with a gap and the end of the run",
        "the gap stays",
        "test_a_gap_outlives_a_kill_after_it_was_loaded",
    ),
    (
        "an idle stream bursts after days of polls that found nothing",
        "lost from a minute before the last poll, not from the last event",
        "test_what_polls_of_an_idle_stream_proved_stays_proven",
    ),
    (
        "a poll overlaps only one that contradicted itself",
        "the gap stays in the certificate",
        "test_an_overlap_with_a_contradiction_alone_proves_nothing_before_it",
    ),
    (
        "a certificate is asked for up to a time after the last poll",
        "unobserved behind that poll; `prove` exits 4",
        "test_no_statement_reaches_past_the_last_poll",
    ),
    (
        "killed before or after old states are removed, then another machine",
        "its cursors are the newest; gaps are found",
        "test_another_machine_goes_on_where_one_was_killed_with_old_states",
    ),
    (
        "a power cut: files of state, schema or package empty, cut, zeros or gone",
        "the folder is set aside, told, and made anew from the database",
        "test_a_cut_of_any_file_between_runs",
    ),
    (
        "the same with a package pending",
        "it is brought back as far as its rows can be read; else a gap",
        "test_a_cut_of_any_file_with_a_package_pending",
    ),
    (
        "the database or its log is cut",
        "exit 1 or 2; never overwritten, the file named, what was polled is kept",
        "test_a_cut_of_the_database",
    ),
    (
        "the disk is full in the working folder",
        "a clear error; the next load reads again",
        "test_the_working_folder_is_full",
    ),
    (
        "the disk is full in the database",
        "a clear error; what was polled is kept",
        "test_the_database_is_full",
    ),
    (
        "the disk becomes read-only",
        "exit 2, the file named; the next load reads again",
        "test_a_disk_becomes_read_only",
    ),
    (
        "the clock jumps by a year between runs, during one, or while packages wait",
        "no gap is made up, load ids rise",
        "test_the_clock_jumps_between_runs",
    ),
    (
        "the DuckDB file is truncated or made by a newer version",
        "exit 2; it is left as it is",
        "test_it_is_left_as_it_is",
    ),
    (
        "an event table is dropped",
        "made again and filled from whole windows; gaps are still found",
        "test_a_dropped_event_table_is_made_again_and_filled_from_whole_windows",
    ),
    ("a column is retyped or dropped", "told; rows that fit are loaded", "test_a_changed_column"),
    (
        "two machines miss events after the same one",
        "two gaps; neither closes the other",
        "test_both_miss_events_after_the_same_one",
    ),
    (
        "a refused key while a package waits",
        "exit 2; nothing is drained",
        "test_a_refused_key_drains_nothing",
    ),
    (
        "a page of 100 events of 512 KB",
        "loaded whole in under 640 MB of memory (measured: 506)",
        "test_a_page_of_fifty_megabytes_takes_bounded_memory",
    ),
    (
        "a certificate of one's own authority",
        "only a CA bundle makes it known; there is no switch against verifying",
        "test_a_bundle_makes_it_known_but_no_other_name",
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
        "an umask that opens everything",
        "files 0600, folders 0700",
        "test_nothing_is_open_to_others_under_an_open_umask",
    ),
    (
        "SQL, paths and terminal escapes in every text of the API",
        "stored verbatim, escaped when printed; tables stand",
        "test_nothing_acts_on_the_terminal",
    ),
    ("`--dry-run`", "nothing is sent", "test_a_dry_run_sends_nothing"),
    (
        "events are to be deleted that are not loaded",
        "refused",
        "test_an_event_that_is_not_loaded_stops_it",
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
    (
        "one 429 beyond the budget while many threads ask",
        "nothing else is sent; each stream left out is told of, and the next run begins with those",
        "test_what_was_under_way_is_kept_and_nothing_follows",
    ),
    (
        "`/users/me`, a list or all lists fail",
        "the streams of earlier loads are polled; exit 3, the lists are named",
        "test_known_streams_are_polled_without_lists",
    ),
    (
        "a workflow that an old error names was deleted",
        "ended after 3 polls in a row over an hour: told once, asked rarely, no failure",
        "test_a_workflow_that_an_error_named_and_that_is_gone",
    ),
    (
        "a source was deleted",
        "ended at once, as no list names it either; what it brought stays proven",
        "test_a_source_that_no_list_names_and_nobody_can_read_has_ended",
    ),
    (
        "a list is empty by mistake, or a channel's subscription is deleted",
        "what was loaded once is polled on",
        "test_what_lists_do_not_name_any_more_is_polled_on",
    ),
)
