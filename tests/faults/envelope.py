"""Answers with status 200 that are no page of events; none of them means that there are none."""

from __future__ import annotations

from tests.faults.fault import Fault, Inject, Victim
from tests.faults.wire import READS, always, whole
from tests.integration.contract import Reply

NO_PAGE: dict[str, tuple[str, bytes]] = {
    "html": ("an HTML page", b"<html><body>502 Bad Gateway</body></html>"),
    "empty": ("an empty body", b""),
    "blank": ("a body of blanks", b" \r\n\t "),
    "word": ("a word", b"OK"),
    "half": ("JSON cut in the middle", b'{"data":[{"id":"1-0","event":{"a":'),
    "halfRow": ("JSON cut after a row", b'{"data":[{"id":"1-0"}'),
    "twoObjects": ("two objects", b'{"data":[]}{"data":[]}'),
    "tail": ("an object and a rest", b'{"data":[]} trailing'),
    "object": ("`{}`", b"{}"),
    "dataNull": ("`data: null`", b'{"data":null}'),
    "dataObject": ("`data` an object", b'{"data":{"id":"1-0"}}'),
    "dataText": ("`data` a string", b'{"data":"none"}'),
    "dataNumber": ("`data` a number", b'{"data":0}'),
    "dataFalse": ("`data: false`", b'{"data":false}'),
    "error": ("`error`", b'{"error":"Throttled"}'),
    "list": ("a list", b"[]"),
    "null": ("`null`", b"null"),
    "text": ("a string", b'"data"'),
    "number": ("a number", b"17"),
    "upper": ("`DATA`", b'{"DATA":[]}'),
    "inner": ("`data` one level down", b'{"result":{"data":[]}}'),
    "marked": ("a byte order mark alone", b"\xef\xbb\xbf"),
    "utf16": ("JSON in UTF-16", '{"data":[]}'.encode("utf-16")),
    "bytes": ("bytes that are no text", bytes(range(128, 256))),
    "nul": ("a NUL before the object", b'\0{"data":[]}'),
    "deep": ("100,000 open brackets", b"[" * 100_000),
    "deepPage": ("100,000 levels", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "single": ("single quotes", b"{'data':[]}"),
    "comma": ("a list of one comma", b'{"data":[,]}'),
    "unclosed": ("a list that is not closed", b'{"data":[}'),
}


def no_page(name: str, happens: str, reply: Reply) -> Fault:
    return Fault(
        name,
        f"200 with {happens}" if reply.status == 200 else happens,
        always(reply),
        exit_code=3,
        told="is not what the API documents",
        stored=0,
        verdict="unknown",
        asked=READS,
    )


def with_info(info: bytes) -> Inject:
    return whole(lambda body: Reply(b'{"page_info":' + info + b',"data":' + rows_of(body) + b"}"))


def rows_of(body: bytes) -> bytes:
    return body[body.index(b'"data":') + 7 : -1]


def unnamed(victim: Victim) -> None:
    """Answer with nothing but rows: no `page_info`, and whatever else beside them."""
    whole(lambda body: Reply(b'{"more":[1],"data":' + rows_of(body) + b',"x":{"y":null}}'))(victim)


FAULTS = (
    *(no_page(name, happens, Reply(body)) for name, (happens, body) in NO_PAGE.items()),
    no_page("noContent", "204", Reply(status=204)),
    no_page("noContentAtAll", "205 with nothing", Reply(status=205)),
    Fault(
        "recovers",
        "an HTML page twice, then an answer",
        lambda victim: victim.answer(Reply(b"<html>"), Reply(b"")),
        asked=READS,
    ),
    Fault(
        "noRows",
        "`data: []` although there were events",
        always(Reply(b'{"page_info":{"total_count":0},"data":[]}')),
        told="purged",
        stored=0,
        verdict="purged",
        gaps=("purged",),
        needs_before=True,
    ),
    Fault(
        "noRowsButSome",
        "`data: []` with a `total_count` of 3",
        always(Reply(b'{"page_info":{"total_count":3},"data":[]}')),
        told="unknown",
        stored=0,
        verdict="unknown",
        gaps=("unknown",),
        needs_before=True,
    ),
    Fault("bom", "a byte order mark", whole(lambda b: Reply(b"\xef\xbb\xbf" + b))),
    Fault(
        "html5",
        "a page that calls itself HTML",
        whole(lambda b: Reply(b, headers={"Content-Type": "text/html; charset=latin-1"})),
    ),
    Fault("padded", "a megabyte of blanks", whole(lambda b: Reply(b + b" " * 1_000_000))),
    Fault("unnamed", "fields nobody documented", unnamed),
    *(
        Fault(f"info{n}", f"`page_info: {info.decode()[:20]}`", with_info(info))
        for n, info in enumerate((b"null", b"[]", b'"none"', b"7", b'{"total_count":"many"}'))
    ),
    Fault(
        "infoDigits",
        "a `total_count` of 5,000 digits",
        with_info(b'{"total_count":' + b"7" * 5_000 + b"}"),
    ),
    Fault("infoBytes", "a `page_info` that is not UTF-8", with_info(b'{"x":"\xff"}')),
    Fault("infoHalf", "half a surrogate pair in it", with_info(b'{"end_cursor":"\\ud83d"}')),
    Fault(
        "infoDeep", "a `page_info` of 100,000 levels", with_info(b"[" * 100_000 + b"]" * 100_000)
    ),
    Fault(
        "infoNan",
        "numbers that JSON does not know",
        with_info(b'{"total_count":NaN,"count":1e999}'),
    ),
)
