"""The command that sends an event again, as a real shell hands it to curl."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("marimo", reason="notebooks need `make extras`")

from notebooks.reading import curl

ENDPOINT = "https://eo1.m.pipedream.net/hook?a=1&b=2"
NASTY = {
    "quotes": """it's "quoted" `id` $(id) ${HOME} $HOME""",
    "ends the string": "'; touch owned; '",
    "history": "wow!! !$ !1",
    "backslashes": "\\ \\\\ \\n \\' \\u0000",
    "lines": "one\ntwo\r\nEOF\nEND_OF_EVENT\n",
    "a file name": "@/etc/passwd",
    "an option": "--output owned",
    "controls": "\x1b[31m\x07\x08 \x7f",
    "beyond ASCII": "Crème 🔔 \u202e \u2028",
    "globs": "*.py ? [a-z] {1..3} ~",
    "a comment": "# ; & | > owned < /etc/passwd",
    "percent": "%s %n %%",
}
SHELLS = [shell for shell in ("sh", "bash", "zsh", "dash") if shutil.which(shell)]


@pytest.fixture
def shell_out(tmp_path: Path) -> Any:
    """Run a command in a shell whose curl writes down what it was given."""
    tools, here = tmp_path / "tools", tmp_path / "here"
    tools.mkdir()
    here.mkdir()
    fake = tools / "curl"
    fake.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\n"
        "body = sys.stdin.read() if '@-' in sys.argv else None\n"
        "print(json.dumps([sys.argv[1:], body]))\n"
    )
    fake.chmod(0o755)

    def run(command: str, shell: str = "sh") -> tuple[list[str], str | None]:
        done = subprocess.run(
            [shell, "-s"],
            input=command.encode(),
            cwd=here,
            env={"PATH": f"{tools}:/usr/bin:/bin", "PYTHONUTF8": "1"},
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert done.stderr == b""
        assert list(here.iterdir()) == []
        arguments, body = json.loads(done.stdout)
        return arguments, body

    return run


def error_with(original: Any) -> str:
    return json.dumps({"original_event": original, "error": {"code": "E"}}, ensure_ascii=False)


def headers_of(arguments: list[str]) -> list[str]:
    return [arguments[place + 1] for place, word in enumerate(arguments) if word == "--header"]


def value_of(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


@pytest.mark.parametrize("shell", SHELLS)
def test_whatever_an_event_holds_arrives_as_it_is(shell_out: Any, shell: str) -> None:
    original = {name: {text: [text]} for name, text in NASTY.items()}
    command = curl.command(ENDPOINT, curl.request_of(error_with(original)))
    arguments, _ = shell_out(command, shell)
    assert json.loads(value_of(arguments, "--data-raw")) == original
    assert arguments[:4] == ["--globoff", "--request", "POST", ENDPOINT]
    assert value_of(arguments, "--header") == "Content-Type: application/json"


@pytest.mark.parametrize("name", NASTY)
def test_a_request_of_an_http_trigger_is_sent_as_it_came(shell_out: Any, name: str) -> None:
    text = NASTY[name]
    original = {
        "method": "put",
        "url": "https://eo2.m.pipedream.net/a?b=[1-9]",
        "headers": {
            "content-type": "text/plain",
            "x-sign": "'$(id)'",
            "host": "eo2",
            "x-empty": "",
        },
        "body": text,
    }
    request = curl.request_of(error_with(original))
    assert request.url == original["url"]
    arguments, _ = shell_out(curl.command(request.url, request))
    assert value_of(arguments, "--data-raw") == text
    assert arguments[1:4] == ["--request", "PUT", original["url"]]
    assert headers_of(arguments) == ["content-type: text/plain", "x-sign: '$(id)'", "x-empty;"]


def test_a_header_that_curl_or_the_server_would_obey_is_left_out() -> None:
    headers = {"@/etc/passwd": "x", "a b": "x", "x\ny": "z", "ok": "a\r\nInjected: 1", "n": 1}
    request = curl.request_of(error_with({"method": "GET", "headers": headers}))
    assert request == curl.Request("GET", "", [], None)


@pytest.mark.parametrize("method", ["--output", "GET x", "", "G\nET", None, 7])
def test_a_method_that_is_none_makes_it_a_plain_event(method: Any) -> None:
    request = curl.request_of(error_with({"method": method, "headers": {}}))
    assert request.method == ("POST" if method != "--output" else "--OUTPUT")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n", "\\", "%", "'", " "])
def test_a_long_text_arrives_byte_for_byte(shell_out: Any, shell: str, end: str) -> None:
    body = "it's\n%s \\n\tCrème EOF " * 5_000 + end
    original = {"method": "POST", "headers": {"content-type": "text/plain"}, "body": body}
    assert len(body) > 100_000
    arguments, sent = shell_out(
        curl.command(ENDPOINT, curl.request_of(error_with(original))), shell
    )
    assert value_of(arguments, "--data-binary") == "@-"
    assert sent == body


def test_a_long_event_arrives_too(shell_out: Any) -> None:
    original = {"text": "it's\nEND_OF_EVENT " * 20_000}
    arguments, sent = shell_out(curl.command(ENDPOINT, curl.request_of(error_with(original))))
    assert arguments[:4] == ["--globoff", "--request", "POST", ENDPOINT]
    assert sent == json.dumps(original, ensure_ascii=False, separators=(",", ":"))


def test_headers_that_came_twice_are_sent_twice(shell_out: Any) -> None:
    headers = '{"x-a":["1","2",{"a":1},"bad\\n"],"X-A":"3","x-b":"4","x-b":"5","x-c":[]}'
    payload = f'{{"original_event":{{"method":"GET","headers":{headers}}}}}'
    arguments, _ = shell_out(curl.command(ENDPOINT, curl.request_of(payload)))
    assert headers_of(arguments) == ["x-a: 1", "x-a: 2", "X-A: 3", "x-b: 4", "x-b: 5"]


@pytest.mark.parametrize(
    "told",
    [
        "multipart/form-data; boundary=----x",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "text/plain",
        "",
    ],
)
def test_headers_of_a_body_that_is_no_longer_so_are_left_out(shell_out: Any, told: str) -> None:
    headers = {
        "Content-Type": told,
        "content-encoding": "gzip",
        "content-md5": "x",
        "digest": "x",
        "x-hub-signature": "sha1=x",
    }
    original = {"method": "POST", "headers": headers, "body": {"a": "1"}}
    arguments, _ = shell_out(curl.command(ENDPOINT, curl.request_of(error_with(original))))
    assert headers_of(arguments) == ["x-hub-signature: sha1=x", "Content-Type: application/json"]
    assert value_of(arguments, "--data-raw") == '{"a":"1"}'


@pytest.mark.parametrize(
    "told", ["application/json", "application/vnd.api+json", 'application/json; charset="UTF-8"']
)
def test_json_that_is_still_json_keeps_its_type(shell_out: Any, told: str) -> None:
    original = {"method": "POST", "headers": {"content-type": told}, "body": [1]}
    arguments, _ = shell_out(curl.command(ENDPOINT, curl.request_of(error_with(original))))
    assert headers_of(arguments) == [f"Content-Type: {told}"]


def test_the_body_as_it_came_keeps_what_describes_it(shell_out: Any) -> None:
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "content-md5": "x",
        "content-encoding": "identity",
    }
    original = {"method": "POST", "headers": headers, "body": {"a": "1"}, "bodyRaw": "a=1"}
    arguments, _ = shell_out(curl.command(ENDPOINT, curl.request_of(error_with(original))))
    assert headers_of(arguments) == [f"{name}: {headers[name]}" for name in list(headers)[:2]]
    assert value_of(arguments, "--data-raw") == "a=1"


def test_a_text_without_a_type_is_not_called_a_form(shell_out: Any) -> None:
    original = {"method": "POST", "headers": {}, "body": "text"}
    arguments, _ = shell_out(curl.command(ENDPOINT, curl.request_of(error_with(original))))
    assert headers_of(arguments) == ["Content-Type:"]


@pytest.mark.parametrize(
    "text",
    [
        '{"big":123456789012345678901234567890,"small":1.10,"huge":1e400,"minus":-0}',
        '{"a":1,"a":2}',
        '"text"',
        "null",
        "[1,2]",
        '{"half":"\\ud800"}',
    ],
)
def test_json_is_sent_digit_by_digit(shell_out: Any, text: str) -> None:
    spread = text.replace(":", " :\n\t ").replace("[", "[ \n")
    request = curl.request_of(f'{{"original_event": {spread} , "error": null}}')
    arguments, _ = shell_out(curl.command(ENDPOINT, request))
    assert value_of(arguments, "--data-raw") == text


def test_what_is_no_strict_json_is_sent_too() -> None:
    assert curl.request_of('{"original_event":{"a":NaN}}').body == '{"a":NaN}'


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "  ",
        "eo1.m.pipedream.net",
        "file:///etc/passwd",
        "--output",
        "https://",
        "http://a b",
        "x",
    ],
)
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    command, why = curl.try_command(endpoint, error_with({}))
    assert command is None
    assert "Name the workflow's own endpoint" in why


@pytest.mark.parametrize("payload", ["{}", "null", '"x"', "[]", '{"error":{}}', "", "{"])
def test_an_error_without_an_event(payload: str) -> None:
    command, why = curl.try_command(ENDPOINT, payload)
    assert command is None
    assert "no `original_event`" in why
    assert curl.endpoint_of(payload, "https://a.example") == "https://a.example"


@pytest.mark.parametrize(("body", "why"), [("\0", "NUL"), ("\ud800", "half a character")])
def test_a_body_that_no_shell_can_write(body: str, why: str) -> None:
    payload = json.dumps({"original_event": {"method": "POST", "headers": {}, "body": body}})
    command, told = curl.try_command(ENDPOINT, payload)
    assert command is None
    assert why in told


def test_the_endpoint_is_the_requests_own_else_the_sources() -> None:
    request = {"method": "GET", "headers": {}, "url": "https://eo2.m.pipedream.net/"}
    assert curl.endpoint_of(error_with(request), "https://s") == request["url"]
    # The address that an event mentions is not where it came to.
    mentioned = error_with({"url": "https://api.github.com/repos/x"})
    assert curl.endpoint_of(mentioned, "https://s.example") == "https://s.example"
    assert curl.endpoint_of(mentioned, None) == ""
    odd = error_with({"method": "GET", "headers": {}, "url": "javascript:alert(1)"})
    assert curl.endpoint_of(odd, None) == ""
