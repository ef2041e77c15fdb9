"""URL, identity, subprotocol and credentials: all that the HTTP request of a link says."""

from __future__ import annotations

import base64
import binascii
import re
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpp_sync.handshake import (
    Target,
    basic_credentials,
    check_identity,
    choose_subprotocol,
    connection_url,
    hex_password,
    parse_basic,
    parse_target,
    subprotocols,
    version_of,
)

any_speed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# What the rules allow, written down a second time.
identities = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/"),
    min_size=1,
    max_size=60,
)
identities_2x = st.text(string.ascii_letters + string.digits + "*-_=+|@.", min_size=1, max_size=48)
passwords = st.text(st.characters(exclude_categories=["Cs"])) | st.binary()

SECRET = "hunter2-hunter2-hunter2"


def target_of(url: str) -> str:
    """What stands in the HTTP request of a URL."""
    return "/" + url.split("/", 3)[3]


# --- the URL (A1)


@pytest.mark.parametrize(
    ("endpoint", "identity", "url"),
    [
        ("ws://csms.example/ocpp", "RDAM 123", "ws://csms.example/ocpp/RDAM%20123"),
        ("ws://csms.example/ocpp", "RDAM|123", "ws://csms.example/ocpp/RDAM%7C123"),
        ("ws://csms.example/ocpp/", "CP1", "ws://csms.example/ocpp/CP1"),
        ("ws://csms.example", "CP1", "ws://csms.example/CP1"),
        ("ws://csms.example/", "CP1", "ws://csms.example/CP1"),
        ("wss://csms.example:8443/a/b", "CP1", "wss://csms.example:8443/a/b/CP1"),
        ("WS://CSMS.example:80/", "CP1", "ws://CSMS.example:80/CP1"),
        ("ws://[::1]:9220/ocpp", "CP1", "ws://[::1]:9220/ocpp/CP1"),
        ("ws://csms.example/ocpp?tenant=1&b=%20", "CP1", "ws://csms.example/ocpp/CP1?tenant=1&b=%20"),
        ("ws://csms.example?tenant=1", "CP1", "ws://csms.example/CP1?tenant=1"),
        ("ws://csms.example/ocpp/?q=a/b", "CP1", "ws://csms.example/ocpp/CP1?q=a/b"),
        ("ws://csms.example/a%20b/ü", "CP1", "ws://csms.example/a%20b/%C3%BC/CP1"),
        ("ws://csms.example/?q=ü", "CP1", "ws://csms.example/CP1?q=%C3%BC"),
        ("ws://csms.example/ocpp", "a/b?c#d%20é", "ws://csms.example/ocpp/a%2Fb%3Fc%23d%2520%C3%A9"),
    ],
)
def test_a1_the_url(endpoint: str, identity: str, url: str) -> None:
    assert connection_url(endpoint, identity) == url


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "csms.example", "csms.example:9220", "//csms.example/ocpp", "http://csms.example", "https://csms.example", "ws:csms.example"),
        *("ws://", "ws:///ocpp", "ws://:9220", "ws://csms.example:0", "ws://csms.example:65536", "ws://csms.example:port", "ws://[::1"),
    ],
)
def test_a1_an_endpoint_that_is_none(endpoint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"such as ws://host:9220/ocpp, not {endpoint!r}")):
        connection_url(endpoint, "CP1")


@pytest.mark.parametrize(
    "endpoint", ["ws://csms.example/ocpp#top", "ws://csms.example/o cpp", "ws://csms.example/\n", " ws://csms.example"]
)
def test_a1_an_endpoint_with_a_fragment_or_white_space(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"no fragment and no white space|is a URL such as"):
        connection_url(endpoint, "CP1")


@pytest.mark.parametrize(
    "endpoint",
    [
        *("ws://CP1:{}@csms.example/ocpp", "ws://{}@csms.example", "ws://:{}@csms.example", "http://CP1:{}@csms.example/ocpp"),
        *("http://CP1:{}@{}@csms.example", "http://CP1:a/{}@csms.example", "CP1:{}@csms.example", "ws://CP1:{}@csms.example:port"),
        *("ws://CP1:{}@[::1", "ws://CP1:{}@csms℀.example", "ws://CP1:{}@csms.example:0"),
    ],
)
def test_c2_credentials_in_the_endpoint_are_refused_and_not_shown(endpoint: str) -> None:
    with pytest.raises(ValueError) as caught:
        connection_url(endpoint.replace("{}", SECRET), "CP1")
    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@any_speed
@given(identities, st.sampled_from(["", "/", "/ocpp", "/ocpp/", "/a//b", "/ocpp?a=b"]))
def test_a1_a_server_reads_the_identity_that_a_client_has_written(identity: str, path: str) -> None:
    url = connection_url(f"ws://csms.example{path}", identity)
    assert url.isascii()
    target = parse_target(target_of(url))
    assert target is not None
    assert target.identity == identity
    assert target.query == path.partition("?")[2]


@pytest.mark.parametrize(
    ("target", "parsed"),
    [
        ("/CP1", Target("/CP1", "", "CP1")),
        ("/ocpp/RDAM%20123", Target("/ocpp/RDAM%20123", "", "RDAM 123")),
        ("/ocpp/RDAM%7c123?a=b/c", Target("/ocpp/RDAM%7c123", "a=b/c", "RDAM|123")),
        ("//CP1", Target("//CP1", "", "CP1")),
        ("//ocpp/CP1", Target("//ocpp/CP1", "", "CP1")),
        ("/CP+1", Target("/CP+1", "", "CP+1")),
        ("/CP:1", Target("/CP:1", "", "CP:1")),
        ("/CP#1", Target("/CP#1", "", "CP#1")),
        ("/CP;v=1", Target("/CP;v=1", "", "CP;v=1")),
        ("/CP[1", Target("/CP[1", "", "CP[1")),
        ("/100%", Target("/100%", "", "100%")),
        ("/a%2Cb", Target("/a%2Cb", "", "a,b")),
        ("ws://csms.example/ocpp/CP1?a", Target("/ocpp/CP1", "a", "CP1")),
    ],
)
def test_a1_the_target_of_a_request(target: str, parsed: Target) -> None:
    assert parse_target(target) == parsed


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/",
        "//",
        "/ocpp/",
        "/?CP1",
        "ws://csms.example",
        "ws://[::1/CP1",
        "/a%2Fb",
        "/CP%001",
        "/CP%7F",
        "/CP%C2%85",
        "/%FF",
        "/%ED%A0%80",
        "/" + 256 * "x",
    ],
)
def test_a2_a_target_without_a_usable_identity(target: str) -> None:
    assert parse_target(target) is None


@any_speed
@given(st.text(st.characters(max_codepoint=255)))
def test_a2_no_target_does_any_harm(target: str) -> None:
    parsed = parse_target(target)
    if parsed is not None:
        check_identity(parsed.identity)


# --- the identity (A2)


@any_speed
@given(identities | identities_2x)
def test_a2_identities(identity: str) -> None:
    check_identity(identity)


@pytest.mark.parametrize("identity", ["x", "CP:1", "RDAM 123", "é", "😀" * 255, "x" * 255, ".", "100%", "a?b#c"])
def test_a2_an_unusual_identity(identity: str) -> None:
    check_identity(identity)


@pytest.mark.parametrize("identity", ["", "x" * 256, None, b"CP1", 7])
def test_a2_an_identity_has_1_to_255_characters(identity: Any) -> None:
    with pytest.raises(ValueError, match="1 to 255 characters"):
        check_identity(identity)


@pytest.mark.parametrize("character", ["/", "\0", "\n", "\x1f", "\x7f", "\x80", "\x9f", "\ud800"])
def test_a2_what_is_not_in_an_identity(character: str) -> None:
    with pytest.raises(ValueError, match="no control characters"):
        check_identity(f"CP{character}1")


# --- subprotocols (A3, A4)


def test_a3_the_subprotocols_keep_the_order_of_preference() -> None:
    assert subprotocols(["2.1", "1.6", "2.0.1"]) == ["ocpp2.1", "ocpp1.6", "ocpp2.0.1"]
    assert subprotocols(iter(["1.6"])) == ["ocpp1.6"]


def test_a3_a_subprotocol_is_offered_once() -> None:
    assert subprotocols(["2.1", "1.6", "2.1"]) == ["ocpp2.1", "ocpp1.6"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a3_a_subprotocol_tells_its_version(version: str) -> None:
    assert [version_of(name) for name in subprotocols([version])] == [version]


@pytest.mark.parametrize("versions", [["1.5"], ["2.1", "2.0"], ["ocpp1.6"], "1.6", [""]])
def test_a3_an_unknown_version(versions: list[str]) -> None:
    with pytest.raises(ValueError, match=r"is not supported; the versions are '1.6', '2.0.1', '2.1'"):
        subprotocols(versions)


def test_a3_no_version() -> None:
    with pytest.raises(ValueError, match="at least one"):
        subprotocols([])


ALL = ["ocpp2.1", "ocpp2.0.1", "ocpp1.6"]


@pytest.mark.parametrize(
    ("offered", "supported", "chosen"),
    [
        ("ocpp1.6", ALL, "ocpp1.6"),
        ("ocpp1.6, ocpp2.0.1", ALL, "ocpp1.6"),
        ("ocpp2.0.1,ocpp1.6", ALL, "ocpp2.0.1"),
        ("  ocpp2.1 ,\tocpp1.6", ["ocpp1.6"], "ocpp1.6"),
        ("soap, ocpp1.5, , ocpp2.1", ALL, "ocpp2.1"),
        ("ocpp1.6,ocpp1.6", ALL, "ocpp1.6"),
    ],
)
def test_a3_the_client_s_preference_decides(offered: str, supported: list[str], chosen: str) -> None:
    assert choose_subprotocol(offered, supported) == chosen


@pytest.mark.parametrize("offered", ["", ",", "ocpp1.5", "ocpp", "ocpp1.6.1", "OCPP1.6", "ocpp1.6 ocpp2.1", "xocpp1.6"])
def test_a4_no_common_subprotocol(offered: str) -> None:
    assert choose_subprotocol(offered, ALL) is None


# --- credentials (C2)


def test_c2_the_vector_of_the_specification() -> None:
    key = hex_password("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")
    assert basic_credentials("AL1000", key) == "Basic QUwxMDAwOgABAgMEBQYH////////////////"


def test_c2_text_goes_out_as_utf_8() -> None:
    assert base64.b64decode(basic_credentials("CPé", "pässword").removeprefix("Basic ")) == "CPé:pässword".encode()


@pytest.mark.parametrize("password", [b"\0\xff:", bytearray(b"\0\xff:")])
def test_c2_bytes_go_out_as_they_are(password: bytes) -> None:
    assert base64.b64decode(basic_credentials("CP1", password).removeprefix("Basic ")) == b"CP1:\0\xff:"


@pytest.mark.parametrize("password", [12345678, None, ["x"]])
def test_c2_a_password_of_another_type(password: Any) -> None:
    with pytest.raises(TypeError, match=f"text or bytes, not {type(password).__name__}"):
        basic_credentials("CP1", password)


def test_a2_a_colon_cannot_go_into_credentials() -> None:
    with pytest.raises(ValueError, match="RFC 7617") as caught:
        basic_credentials("CP:1", SECRET)
    assert SECRET not in str(caught.value)


@any_speed
@given(identities.filter(lambda identity: ":" not in identity), passwords)
def test_c2_a_server_reads_the_password_that_a_client_has_sent(identity: str, password: str | bytes) -> None:
    header = basic_credentials(identity, password)
    assert re.fullmatch(r"Basic [A-Za-z0-9+/]+=*", header)
    assert parse_basic(header, identity) == (password.encode() if isinstance(password, str) else password)
    assert parse_basic(header, f"{identity}x") is None


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


def test_a2_the_user_is_split_off_by_the_identity() -> None:
    header = f"Basic {encoded(b'CP:1:pass:word')}"
    assert parse_basic(header, "CP:1") == b"pass:word"
    assert parse_basic(header, "CP") == b"1:pass:word"
    assert parse_basic(header, "CP:1:pass") == b"word"


@pytest.mark.parametrize("header", ["basic {}", "BASIC  {} ", " Basic {}"])
def test_c2_the_scheme_has_any_case(header: str) -> None:
    assert parse_basic(header.format(encoded(b"CP1:x")), "CP1") == b"x"


@pytest.mark.parametrize(
    "header",
    [
        *("", "Basic", "Basic ", "Basic é", "Basic !!!!", "Basic Q1Ax", "Basic Q1AxO", f"Bearer {encoded(b'CP1:x')}", encoded(b"CP1:x")),
        *(f"Basic {encoded(b'CP2:x')}", f"Basic {encoded(b'cp1:x')}", f"Basic {encoded(b'CP1')}", f"Basic {encoded(b'CP1:x')} more"),
    ],
)
def test_c2_what_are_no_credentials_of_this_identity(header: str) -> None:
    assert parse_basic(header, "CP1") is None


def test_c2_an_empty_password_is_one() -> None:
    assert parse_basic(basic_credentials("CP1", ""), "CP1") == b""


@any_speed
@given(st.binary(min_size=16, max_size=20), st.booleans())
def test_c2_an_authorization_key(key: bytes, upper: bool) -> None:
    text = binascii.hexlify(key).decode()
    assert hex_password(text.upper() if upper else text) == key


@pytest.mark.parametrize(
    "key",
    ["", "ab" * 15, "ab" * 21, "ab" * 16 + "a", "ab" * 15 + "ag", "ab" * 15 + " b", "0x" + "ab" * 16, "ab" * 16 + "\n", "٣" * 32],
)
def test_c2_what_is_no_authorization_key_is_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="32 to 40 hexadecimal digits") as caught:
        hex_password(key)
    assert not key or key not in str(caught.value)
