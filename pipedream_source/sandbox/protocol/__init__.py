"""The API's forms as data: calls, replies, errors, ids, pages, tokens; uses no other room."""
