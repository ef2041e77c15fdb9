"""The five messages: what is written, what is read, and what is refused."""

from __future__ import annotations

import decimal
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocpp_sync.errors import MalformedMessage
from ocpp_sync.messages import MAX_DEPTH, Call, CallError, CallResult, CallResultError, Message, Send, parse, serialise

KINDS: frozenset[type[Message]] = frozenset({Call, CallResult, CallError, CallResultError, Send})
MEBIBYTE = 2**20


def refused(text: str, kinds: frozenset[type[Message]] = KINDS) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        parse(text, kinds)
    return caught.value


def call(payload: Any) -> Call:
    return Call("id-1", "DataTransfer", payload)


def read(text: str) -> Message:
    return parse(text, KINDS)


def nested(levels: int) -> str:
    """A CALL that is nested so deeply, itself and its payload included; it has more brackets than that."""
    inner = levels - 2
    return f'[2,"id-1","DataTransfer",{{"flat":[{{}}],"data":{"[" * inner}{"]" * inner}}}]'


# --- the five messages (B1)

WIRE: list[tuple[Message, str]] = [
    (Call("id-1", "BootNotification", {"a": 1}), '[2,"id-1","BootNotification",{"a":1}]'),
    (CallResult("id-1", {"a": [True, None, "x"]}), '[3,"id-1",{"a":[true,null,"x"]}]'),
    (CallError("id-1", "NotSupported", "no", {"a": 1.5}), '[4,"id-1","NotSupported","no",{"a":1.5}]'),
    (CallResultError("id-1", "GenericError", "", {}), '[5,"id-1","GenericError","",{}]'),
    (Send("id-1", "NotifyPeriodicEventStream", {}), '[6,"id-1","NotifyPeriodicEventStream",{}]'),
]


@pytest.mark.parametrize(("message", "text"), WIRE)
def test_b1_each_message_on_the_wire(message: Message, text: str) -> None:
    assert serialise(message) == text
    assert read(text) == message
    assert type(read(text)) is type(message)


def test_b1_white_space_is_allowed() -> None:
    assert read(' [ 2 , "id-1" ,\r\n\t"Reset" , { } ] ') == Call("id-1", "Reset", {})


def test_b1_the_case_of_an_action_is_kept() -> None:
    assert read('[2,"id-1","bootNOTIFICATION",{}]') == Call("id-1", "bootNOTIFICATION", {})


def test_b1_text_is_written_as_utf_8_not_as_escapes() -> None:
    text = serialise(call({"data": "Ü€😀"}))
    assert text == '[2,"id-1","DataTransfer",{"data":"Ü€😀"}]'
    assert read(text) == read(r'[2,"id-1","DataTransfer",{"data":"\u00dc\u20ac\ud83d\ude00"}]') == call({"data": "Ü€😀"})


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ('[2,"id-1"]', Call, "RpcFrameworkError"),
        ('[2,"id-1","Reset"]', Call, "RpcFrameworkError"),
        ('[2,"id-1","Reset",{},{}]', Call, "RpcFrameworkError"),
        ('[2,"id-1",{},"Reset"]', Call, "RpcFrameworkError"),
        ('[2,"id-1",null,{}]', Call, "RpcFrameworkError"),
        ('[2,"id-1","Reset",[]]', Call, "FormatViolation"),
        ('[2,"id-1","Reset","{}"]', Call, "FormatViolation"),
        ('[2,"id-1","Reset",false]', Call, "FormatViolation"),
        ('[3,"id-1"]', CallResult, "RpcFrameworkError"),
        ('[3,"id-1",{},{}]', CallResult, "RpcFrameworkError"),
        ('[3,"id-1","Reset",{}]', CallResult, "RpcFrameworkError"),
        ('[3,"id-1",[]]', CallResult, "FormatViolation"),
        ('[3,"id-1",0]', CallResult, "FormatViolation"),
        ('[4,"id-1"]', CallError, "FormatViolation"),
        ('[4,"id-1",7,"",{}]', CallError, "FormatViolation"),
        ('[4,"id-1",null,"",{}]', CallError, "FormatViolation"),
        ('[4,"id-1","GenericError","",{},{}]', CallError, "FormatViolation"),
        ('[5,"id-1"]', CallResultError, "FormatViolation"),
        ('[5,"id-1",{},"",{}]', CallResultError, "FormatViolation"),
        ('[6,"id-1","Reset"]', Send, "RpcFrameworkError"),
        ('[6,"id-1",6,{}]', Send, "RpcFrameworkError"),
        ('[6,"id-1","Reset",[]]', Send, "FormatViolation"),
    ],
)
def test_b1_what_is_almost_a_message(text: str, kind: type[Message], code: str) -> None:
    error = refused(text)
    assert (error.message_id, error.kind, error.code) == ("id-1", kind, code)


# --- ids (B2, B6, B9)


@pytest.mark.parametrize("character", ["x", "é", "€", "😀", r"\ud83d\ude00", r"\n"])
def test_b2_an_id_has_36_characters_at_most(character: str) -> None:
    message = read(f'[3,"{character * 36}",{{}}]')
    assert len(message.message_id) == 36
    error = refused(f'[3,"{character * 37}",{{}}]')
    assert (error.kind, error.code) == (CallResult, "RpcFrameworkError")
    # Whole, so that it is not taken for the id of another message.
    assert error.message_id == message.message_id + message.message_id[-1]


def test_b2_an_id_may_be_empty() -> None:
    assert read('[3,"",{}]') == CallResult("", {})


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("rest", ["", ",7", ',7,"Reset",{}', ',null,"Reset",{}', ',["id-1"],"Reset",{}', ',{},"Reset",{}'])
def test_b6_an_id_that_is_no_string(number: int, rest: str) -> None:
    error = refused(f"[{number}{rest}]")
    assert (error.message_id, error.code) == (None, "RpcFrameworkError")
    assert error.kind is type(WIRE[number - 2][0])


UNREADABLE = [
    "",
    " ",
    "secret",
    '"secret"',
    '{"secret":1}',
    "[]",
    "null",
    "2",
    "[2",
    '[2,"secret"',
    '[2,"secret","Reset",{}',
    '[2,"secret","Reset",{}]]',
    '[2,"secret","Reset",{}][]',
    "[2,'secret','Reset',{}]",
    '[2,"secret","Reset",{},]',
    '[2,"sec\nret","Reset",{}]',
    r'[2,"secret\x","Reset",{}]',
    r'[2,"secret\u12","Reset",{}]',
    '\ufeff[2,"secret","Reset",{}]',
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_b6_what_is_no_array_of_json_is_unreadable(text: str) -> None:
    error = refused(text)
    assert (error.message_id, error.kind, error.code) == (None, None, "RpcFrameworkError")
    assert "secret" not in f"{error} {error.args} {error.__cause__}"
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("[2,", None),
        ("[3,", CallResult),
        (" [\n4 ,", CallError),
        ('[5,"id-1",', CallResultError),
        ('[6,"id-1","A",{', Send),
        ("[33,", None),
    ],
)
@pytest.mark.parametrize("rest", ["", "NaN]", '"]', "[" * 101, "9" * 5_000 + "]"], ids=lambda rest: rest[:9])
def test_b16_b17_unreadable_answers_and_sends_are_told_from_calls(start: str, kind: type[Message] | None, rest: str) -> None:
    error = refused(start + rest)
    assert (error.message_id, error.kind, error.code) == (None, kind, "RpcFrameworkError")
    if kind is not None:
        assert refused(start + rest, KINDS - {kind}).kind is None


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x1", pytest.param("9" * 5_000, id="9…")])
def test_b6_numbers_that_cannot_be_read(number: str) -> None:
    assert refused(f'[2,"id-1","DataTransfer",{{"data":{number}}}]').code == "RpcFrameworkError"


@pytest.mark.parametrize("digits", [308, 1_000, 4_000])
def test_b1_a_long_integer_is_kept(digits: int) -> None:
    number = 10**digits - 1
    text = f'[2,"id-1","DataTransfer",{{"data":{"9" * digits}}}]'
    assert read(text) == call({"data": number})
    assert serialise(call({"data": number})) == text


# --- types (B1, B7)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("0", "0"),
        ("1", "1"),
        ("7", "7"),
        ("-2", "-2"),
        ("2.0", "of no integer"),
        ("2e0", "of no integer"),
        ("true", "of no integer"),
        ("null", "of no integer"),
        ('"2"', "of no integer"),
        ("[2]", "of no integer"),
        ("{}", "of no integer"),
        ("1e999", "of no integer"),
        pytest.param("9" * 4_000, "of no integer", id="9…"),
    ],
)
def test_b7_a_type_that_there_is_not(number: str, shown: str) -> None:
    error = refused(f'[{number},"id-1","Reset",{{}}]')
    assert (error.message_id, error.kind, error.code) == ("id-1", None, "MessageTypeNotSupported")
    assert error.reason == f"there is no message type {shown}"
    assert refused(f'[{number},"{"x" * 37}"]').message_id == "x" * 37
    assert refused(f"[{number},7]").message_id is None
    assert refused(f"[{number}]").message_id is None


@pytest.mark.parametrize(("message", "text"), WIRE)
def test_b7_a_message_that_the_version_has_not(message: Message, text: str) -> None:
    error = refused(text, KINDS - {type(message)})
    assert (error.message_id, error.kind, error.code) == ("id-1", None, "MessageTypeNotSupported")


# --- errors and null (B13, B14)


@pytest.mark.parametrize(("number", "kind"), [(4, CallError), (5, CallResultError)])
@pytest.mark.parametrize(
    ("rest", "description", "details"),
    [
        ("", "", {}),
        (',""', "", {}),
        (',"no"', "no", {}),
        (",null", "", {}),
        (',"no",null', "no", {}),
        (",null,null", "", {}),
        (',null,{"a":1}', "", {"a": 1}),
        (',7,{"a":1}', "", {"a": 1}),
        (',"no","because"', "no", {}),
        (',"no",[]', "no", {}),
        (f',"{"x" * 300}",{{}}', "x" * 300, {}),
    ],
)
def test_b13_an_error_may_lack_its_description_and_details(
    number: int, kind: type[CallError | CallResultError], rest: str, description: str, details: dict[str, Any]
) -> None:
    assert read(f'[{number},"id-1","GenericError"{rest}]') == kind("id-1", "GenericError", description, details)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[2,"id-1","Heartbeat",null]', Call("id-1", "Heartbeat", {})),
        ('[3,"id-1",null]', CallResult("id-1", {})),
        ('[6,"id-1","NotifyPeriodicEventStream",null]', Send("id-1", "NotifyPeriodicEventStream", {})),
    ],
)
def test_b14_a_null_payload_is_an_empty_object(text: str, message: Message) -> None:
    assert read(text) == message


def test_b14_only_the_payload_itself_may_be_null() -> None:
    assert read('[2,"id-1","DataTransfer",{"data":null}]') == call({"data": None})


# --- half of a surrogate pair


@pytest.mark.parametrize("half", [r"\ud800", r"\uDBFF", r"\udc00", r"\uDfFf", r"\ude00\ud83d", r"\ud83d😀"])
@pytest.mark.parametrize(
    ("template", "kind", "message_id"),
    [
        ('[2,"id-1","%s",{}]', Call, "id-1"),
        ('[2,"id-1","Reset",{"%s":1}]', Call, "id-1"),
        ('[3,"id-1",{"a":[{"b":"x%sx"}]}]', CallResult, "id-1"),
        ('[4,"id-1","%s","",{}]', CallError, "id-1"),
        ('[6,"id-1","Reset",{"a":"%s"}]', Send, "id-1"),
        ('[3,"x%s",{}]', CallResult, None),
    ],
)
def test_b1_half_of_a_surrogate_pair_is_refused(template: str, half: str, kind: type[Message], message_id: str | None) -> None:
    error = refused(template % half)
    assert (error.kind, error.message_id) == (kind, message_id)


@pytest.mark.parametrize("text", ['[7,"x%s",{}]', '[true,"%s"]', f'[2,"%s{"x" * 40}","Reset",{{}}]'])
def test_b6_an_id_with_half_of_a_surrogate_pair_is_unreadable(text: str) -> None:
    assert refused(text % r"\ud800").message_id is None


@pytest.mark.parametrize("escape", [r"\ud83d\ude00", r"\\ud800", r"\\\\udfff", r"\u0000\ud83d\ude00"])
def test_b1_what_only_looks_like_half_of_a_pair_is_kept(escape: str) -> None:
    payload = f'{{"data":"{escape}"}}'
    assert read(f'[2,"id-1","DataTransfer",{payload}]') == call(json.loads(payload))


# --- nesting


def test_deep_nesting_is_refused_beyond_the_limit_only() -> None:
    assert read(nested(MAX_DEPTH)).message_id == "id-1"
    assert refused(nested(MAX_DEPTH + 1)).reason == f"the JSON is nested deeper than {MAX_DEPTH} levels"


@pytest.mark.parametrize("unit", ["[", '{"a":', "[{", '["]",', r'["\"]",', r'["\\",', "[[]", " [\n"])
def test_deep_nesting_is_refused_however_it_is_written(unit: str) -> None:
    error = refused(unit * (MEBIBYTE // len(unit)))
    assert error.reason == f"the JSON is nested deeper than {MAX_DEPTH} levels"
    assert (error.message_id, error.kind, error.code) == (None, None, "RpcFrameworkError")


def test_deep_nesting_that_is_closed_again_is_refused() -> None:
    assert refused(nested(MEBIBYTE // 2)).reason == f"the JSON is nested deeper than {MAX_DEPTH} levels"


@pytest.mark.parametrize("start", ["", '"', "[" * 101, '["' + "[" * 101])
@pytest.mark.parametrize("unit", ["\\", r"\"", '"', "]", "]}", r'"\"', "{}", "[],"])
def test_a_mebibyte_of_nonsense_is_refused(start: str, unit: str) -> None:
    error = refused(start + unit * (MEBIBYTE // len(unit)))
    assert (error.message_id, error.kind, error.code) == (None, None, "RpcFrameworkError")


@pytest.mark.parametrize(
    ("unit", "value"),
    [("[", "["), (r"\"", '"'), (r"\\", "\\"), (r"\"[", '"['), (r"\\\"{", '\\"{'), (r"[\\", "[\\"), ("😀]", "😀]")],
)
def test_brackets_quotes_and_backslashes_in_a_string_are_no_nesting(unit: str, value: str) -> None:
    count = MEBIBYTE // len(unit)
    text = f'[2,"id-1","DataTransfer",{{"data":"{"[" * 101}{unit * count}"}}]'
    # No comparison by pytest: it would explain a difference of a mebibyte.
    same = read(text) == call({"data": "[" * 101 + value * count})
    assert same


def test_width_is_no_nesting() -> None:
    text = f'[2,"id-1","DataTransfer",{{"data":[{",".join(["[{}]"] * 50_000)}]}}]'
    same = read(text) == call({"data": [[{}]] * 50_000})
    assert same


# --- what cannot be written


def circle() -> dict[str, Any]:
    payload: dict[str, Any] = {}
    payload["data"] = [payload]
    return payload


def tower(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("short_decimals", [False, True])
@pytest.mark.parametrize(
    "value",
    [
        *map(float, ("nan", "inf", "-inf")),
        *map(Decimal, ("NaN", "sNaN", "Infinity", "-Infinity", "1E+5000")),
        "\ud800",
        {"\udfff": 1},
        {1, 2},
        b"x",
        object(),
        {("a", "b"): 1},
        {Decimal(1): 1},
        pytest.param(circle(), id="circle"),
        pytest.param(tower(100_000), id="tower"),
        pytest.param(10**5_000, id="huge"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_b1_what_json_cannot_carry_is_a_value_error(value: Any, short_decimals: bool) -> None:
    with pytest.raises(ValueError):
        serialise(call({"data": value}), short_decimals=short_decimals)
    with pytest.raises(ValueError):
        serialise(call({"data": value, "long": 0.1234567}), short_decimals=short_decimals)


def test_b1_half_of_a_surrogate_pair_in_id_or_action_is_a_value_error() -> None:
    for message in (CallResult("\ud800", {}), Send("id-1", "\udc00", {}), CallError("id-1", "GenericError", "\ud83d", {})):
        with pytest.raises(ValueError, match="surrogate"):
            serialise(message)


# --- numbers (B20)


@pytest.mark.parametrize(
    ("number", "text", "short"),
    [
        (0.1, "0.1", "0.1"),
        (-0.123456, "-0.123456", "-0.123456"),
        (0.1234567, "0.1234567", "0.123457"),
        (-1.00000051, "-1.00000051", "-1.000001"),
        (123456789.12345678, "123456789.12345678", "123456789.123457"),
        (0.1 + 0.2, "0.30000000000000004", "0.3"),
        (1e-7, "1e-07", "0.0"),
        (1.5e-05, "1.5e-05", "1.5e-05"),
        (1.55555e-05, "1.55555e-05", "1.6e-05"),
        (1e22, "1e+22", "1e+22"),
        (12, "12", "12"),
        (Decimal("8.10"), "8.1", "8.1"),
        (Decimal("0.1234567"), "0.1234567", "0.123457"),
        (Decimal("16.000"), "16", "16"),
        (Decimal("1E+3"), "1000", "1000"),
        (Decimal(2**53 + 1), "9007199254740993", "9007199254740993"),
        (True, "true", "true"),
    ],
)
def test_b20_six_decimal_places_towards_a_charging_station(number: Any, text: str, short: str) -> None:
    assert serialise(CallResult("1", {"a": [number]})) == f'[3,"1",{{"a":[{text}]}}]'
    assert serialise(CallResult("1", {"a": [number]}), short_decimals=True) == f'[3,"1",{{"a":[{short}]}}]'
    assert serialise(CallResult("1", {"a": (number,)}), short_decimals=True) == f'[3,"1",{{"a":[{short}]}}]'


@pytest.mark.parametrize("beside", [0.1234567, "v1.2345678"])
@pytest.mark.parametrize(("number", "text"), [(5, "5"), (Decimal(5), "5"), (Decimal(2**53 + 1), "9007199254740993"), (True, "true")])
def test_b20_what_is_no_long_decimal_stays_as_it_is(number: Any, text: str, beside: Any) -> None:
    with_long = serialise(call({"a": number, "b": beside}), short_decimals=True)
    assert with_long.startswith(f'[2,"id-1","DataTransfer",{{"a":{text},"b":')


@pytest.mark.parametrize(
    ("number", "precision", "rounded"),
    [
        (Decimal("1E+25"), 28, 10**25),
        (Decimal("12345678901234567890123.5"), 28, 12345678901234567890123.5),
        (Decimal("230.1234567"), 6, 230.123457),
    ],
)
def test_b20_a_decimal_is_rounded_whatever_the_precision_of_decimals(number: Decimal, precision: int, rounded: float) -> None:
    with decimal.localcontext() as context:
        context.prec = precision
        text = serialise(call({"a": number, "b": 0.1234567}), short_decimals=True)
    assert json.loads(text)[3] == {"a": rounded, "b": 0.123457}


def test_b20_strings_are_not_rounded() -> None:
    payload = {"0.12345678": "0.12345678", "b": [0.5, "1e-7 9.87654321"]}
    assert read(serialise(call(payload), short_decimals=True)) == call(payload)


def test_b20_the_payload_of_the_program_is_not_changed() -> None:
    payload = {"a": [0.1234567, {"b": Decimal("0.7654321")}]}
    serialise(call(payload), short_decimals=True)
    assert payload == {"a": [0.1234567, {"b": Decimal("0.7654321")}]}


def numbers(value: Any) -> Iterator[Decimal]:
    """The numbers with a fraction or an exponent that a JSON value holds."""
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)


def places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


finite = st.floats(allow_nan=False, allow_infinity=False) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9
)


@given(st.lists(finite))
@example([9.999999999e-5, 1.0000005, 0.00000049999])
def test_b20_no_decimal_is_too_long_and_none_is_far_off(values: list[float | Decimal]) -> None:
    text = serialise(call({"data": values, "inner": {"list": [{"a": value} for value in values]}}), short_decimals=True)
    payload = json.loads(text, parse_float=Decimal)[3]
    assert all(places(number) <= 6 for number in numbers(payload))
    assert payload["inner"]["list"] == [{"a": written} for written in payload["data"]]
    for written, value in zip(payload["data"], values, strict=True):
        assert math.isclose(float(written), float(value), rel_tol=1e-15, abs_tol=5.1e-7)


# --- round trip

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
payloads = st.dictionaries(st.text(), values, max_size=5)
ids = st.text(max_size=36)


@st.composite
def any_message(draw: st.DrawFn) -> Message:
    kind = draw(st.sampled_from([Call, CallResult, CallError, CallResultError, Send]))
    if kind is CallResult:
        return CallResult(draw(ids), draw(payloads))
    if kind is Call or kind is Send:
        return kind(draw(ids), draw(st.text()), draw(payloads))
    return (CallError if kind is CallError else CallResultError)(draw(ids), draw(st.text()), draw(st.text()), draw(payloads))


@given(any_message())
@example(Call("", "", {"\u2028\x00\x7f": '\\"/\b\f\n\r\t\ud7ff\ue000\uffff', "": [[], {}]}))
def test_b1_what_is_written_is_read_again(message: Message) -> None:
    text = serialise(message)
    again = read(text)
    # The types too: 1 == 1.0 == True in Python.
    assert (type(again), repr(again)) == (type(message), repr(message))
    assert serialise(again) == text
    assert text.encode().decode() == text
