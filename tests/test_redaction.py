"""What is masked in a frame that is shown, and what is not (rule C2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpp_sync.redaction import MASK, redact
from ocpp_sync.schemas import actions, definitions

from .support import VERSIONS

any_speed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SECRET = "hunter2-hunter2"


def call(action: str, payload: dict[str, Any]) -> list[Any]:
    return [2, "id-1", action, payload]


def result(payload: dict[str, Any]) -> list[Any]:
    return [3, "id-1", payload]


def about(name: str, field: str, value: Any) -> dict[str, Any]:
    """What 2.x says about one variable."""
    return {"component": {"name": "SecurityCtrlr"}, "variable": {"name": name}, field: value}


def profile(**settings: Any) -> dict[str, Any]:
    return {"configurationSlot": 1, "connectionData": {"ocppVersion": "OCPP20", **settings}}


def vpn(**settings: Any) -> dict[str, Any]:
    return profile(vpn={"server": "vpn.example", "user": "cp", "type": "IPSec", **settings})


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def messages(secret: Any) -> dict[str, list[Any]]:
    """Every place of a secret."""
    password = "BasicAuthPassword"
    attribute = {"type": "Actual", "mutability": "ReadWrite", "value": secret}
    event = {"eventId": 1, "timestamp": "2025-01-31T12:00:00Z", "trigger": "Alerting", **about(password, "actualValue", secret)}
    return {
        "ChangeConfiguration": call("ChangeConfiguration", {"key": "AuthorizationKey", "value": secret}),
        "ChangeConfiguration, its value first": call("ChangeConfiguration", {"value": secret, "key": "authorizationkey"}),
        "ChangeConfiguration of a vendor": call("ChangeConfiguration", {"key": "Wifi_PSK", "value": secret}),
        "GetConfiguration": result({"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": secret}]}),
        "SetVariables": call("SetVariables", {"setVariableData": [about(password, "attributeValue", secret)]}),
        "GetVariables": result({"getVariableResult": [{"attributeStatus": "Accepted", **about(password, "attributeValue", secret)}]}),
        "GetVariables, VPN": result({"getVariableResult": [about("VpnKey", "attributeValue", secret)]}),
        "GetVariables, SIM": result({"getVariableResult": [about("SimPin", "attributeValue", secret)]}),
        "GetVariables, QR codes": result({"getVariableResult": [about("SharedSecret", "attributeValue", secret)]}),
        "NotifyReport": call("NotifyReport", {"reportData": [about(password, "variableAttribute", [attribute])]}),
        "NotifyEvent": call("NotifyEvent", {"eventData": [event]}),
        "SetNetworkProfile, Basic": call("SetNetworkProfile", profile(basicAuthPassword=secret)),
        "SetNetworkProfile, VPN": call("SetNetworkProfile", vpn(password=secret, key=secret)),
        "SetNetworkProfile, VPN key alone": call("SetNetworkProfile", vpn(key=secret)),
        "SetNetworkProfile, APN": call("SetNetworkProfile", profile(apn={"apn": "internet", "apnPassword": secret})),
        "SetNetworkProfile, SIM": call("SetNetworkProfile", profile(apn={"apn": "internet", "simPin": secret})),
        "Authorize by PIN": call("Authorize", {"idToken": {"idToken": secret, "type": "KeyCode"}}),
        "Authorize by card and PIN": call(
            "Authorize",
            {"idToken": {"idToken": "x", "type": "ISO14443", "additionalInfo": [{"additionalIdToken": secret, "type": "PIN"}]}},
        ),
        "DataTransfer, an object": call("DataTransfer", {"vendorId": "v", "data": {"wifi": [{"passphrase": secret}]}}),
        "DataTransfer, JSON": call("DataTransfer", {"vendorId": "v", "data": compact({"accessToken": secret})}),
        "DataTransfer, a pair": call("DataTransfer", {"vendorId": "v", "data": {"name": "ApnPassword", "value": secret}}),
        "DataTransfer, its name": call("DataTransfer", {"vendorId": "v", "messageId": "SetWebPassword", "data": secret}),
        "customData": call("Heartbeat", {"customData": {"vendorId": "v", "password": {"deep": [secret]}}}),
        "an answer that is none": [4, "id-1", "GenericError", "", {"old": {"client-secret": secret}}],
        "a malformed message": ["2", {"password": secret}],
    }


PLACES = list(messages(SECRET))


@pytest.mark.parametrize("place", PLACES)
def test_c2_a_secret_is_masked_and_the_rest_stays(place: str) -> None:
    message = messages(SECRET)[place]
    shown = redact(compact(message))
    assert SECRET not in shown
    assert shown == compact(messages(MASK)[place])


@any_speed
@given(st.text() | st.integers() | st.floats(), st.sampled_from(PLACES), st.booleans())
def test_c2_no_secret_makes_a_difference_to_what_is_shown(secret: Any, place: str, escapes: bool) -> None:
    text = json.dumps(messages(secret)[place], ensure_ascii=escapes, separators=(",", ":"))
    assert redact(text) == compact(messages(MASK)[place])


@pytest.mark.parametrize("place", PLACES)
def test_c2_letters_that_are_spelt_as_escapes(place: str) -> None:
    text = json.dumps(messages(SECRET)[place])
    for word, spelt in (("assword", r"asswor\u0064"), ("ey", r"\u0065y"), ("ecret", r"ecre\u0074"), ("PIN", r"\u0050IN")):
        text = text.replace(word, spelt)
    assert SECRET not in redact(text)


def test_c2_a_name_in_escapes_only() -> None:
    assert redact(r'[2,"id-1","Reset",{"\u0070\u0061\u0073\u0073\u0077\u006F\u0072\u0064":"hunter2"}]') == (
        f'[2,"id-1","Reset",{{"password":"{MASK}"}}]'
    )


def test_c2_whether_there_is_a_value_at_all_may_be_seen() -> None:
    assert redact('[3,"id-1",{"password":null,"secret":[true,"a"],"pin":{"b":2}}]') == (
        '[3,"id-1",{"password":null,"secret":[true,"***"],"pin":{"b":"***"}}]'
    )


# --- free text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ftp://cp:hunter2@csms.example/logs", "ftp://***@csms.example/logs"),
        ("ftp://hunter2@csms.example", "ftp://***@csms.example"),
        ("sftp://cp:hunter2@hunter2@csms.example/a@b", "sftp://***@csms.example/a@b"),
        ("get ftp://a:hunter2@x/ or ftp://b:hunter2@y/", "get ftp://***@x/ or ftp://***@y/"),
        ("https://x.example/a?X-Amz-Credential=hunter2&X-Amz-Date=1&X-Amz-Signature=hunter2#top", None),
        ("https://x.example/a?sv=1&sig=hunter2%3D", "https://x.example/a?sv=1&sig=***"),
        ("wifi password=hunter2;ssid=home", "wifi password=***;ssid=home"),
        ("Passwd = 'hunter2 hunter2', ssid", "Passwd = ***, ssid"),
        ('pwd="hunter2 hunter2"', "pwd=***"),
        ("PIN-Code:hunter2", "PIN-Code:***"),
        ('{"password": "hunter2"', "*** (22 characters that cannot be read)"),
        ("-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----", "***"),
    ],
)
def test_c2_a_secret_in_free_text(text: str, shown: str | None) -> None:
    masked = redact(json.dumps(call("DataTransfer", {"vendorId": "v", "data": text})))
    assert "hunter2" not in masked
    assert shown is None or json.loads(masked)[3]["data"] == shown


def test_c2_credentials_in_a_url_with_escaped_slashes() -> None:
    text = r'[2,"id-1","GetDiagnostics",{"location":"ftp:\/\/cp:hunter2@csms.example\/"}]'
    assert redact(text) == '[2,"id-1","GetDiagnostics",{"location":"ftp://***@csms.example/"}]'


# --- what cannot be read


@pytest.mark.parametrize(
    "text",
    [
        *(
            '[2,"id-1","X",{"password":"hunter2"',
            "password=hunter2",
            '{"password":"hunter2"}}',
            "AuthorizationKey hunter2",
            r"\u0070 hunter2",
        ),
        *('{"password":"hunter2","password":null}', '{"key":"AuthorizationKey","key":"x","value":"hunter2"}'),
        *('{"password":"hunter2"}' + "[" * 100_000, "[" * 100_000 + '{"password":"hunter2"}' + "]" * 100_000),
    ],
)
def test_c2_what_cannot_be_read_is_masked_as_a_whole(text: str) -> None:
    assert redact(text) == f"{MASK} ({len(text)} characters that cannot be read)"


# --- nothing to mask


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", '{"a":', '[2,"id-1","Heartbeat",{}]', '[ 2, "id-1" , "Heartbeat",{ } ]', '[3,"id-1",{"value":1.10,"a":1e400}]'),
        *(r'[2,"id-1","DataTransfer",{"data":"\ud800\u00e9"}]', '[2,"id-1","DataTransfer",{"data":"a=b, c@d, token"}]'),
        '[2,"id-1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"300"}]',
        '[2,"id-1","GetConfiguration",{"key":["AuthorizationKey"]}]',
        '[3,"id-1",{"configurationKey":[{"key":"MeterPublicKey1","readonly":true,"value":"aa=="}],"unknownKey":["AuthorizationKey"]}]',
        '[3,"id-1",{"getVariableResult":[{"variable":{"name":"PublicKeyWithSignedMeterValue"},"attributeValue":"Never"}]}]',
        '[2,"id-1","Authorize",{"idToken":{"idToken":"04AABB","type":"ISO14443"}}]',
        '[2,"id-1","GetVariables",{"getVariableData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]',
        '[2,"id-1","InstallCertificate",{"certificate":"-----BEGIN CERTIFICATE-----\\nMII=\\n-----END CERTIFICATE-----"}]',
        '[2,"id-1","UpdateFirmware",{"location":"https://x.example/fw?version=2&mail=a@b"}]',
        '[4,"id-1","PropertyConstraintViolation","connectionData.vpn.password: 21 characters are too many, the limit is 20",{}]',
        '[4,"id-1","SecurityError","wrong password",{}]',
    ],
)
def test_what_has_no_secret_in_it_is_returned_itself(text: str) -> None:
    assert redact(text) is text


@any_speed
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text("abc"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    )
)
def test_any_json_without_a_secret_is_returned_itself(message: Any) -> None:
    text = json.dumps([message, {"password": None}])
    assert redact(text) is text


@any_speed
@given(st.text() | st.text('[]{}:",\\u0key pasword='))
def test_no_text_does_any_harm(text: str) -> None:
    assert isinstance(redact(text), str)


@pytest.mark.parametrize(
    ("text", "shown"), [('["é",{"pin":1}]', '["é",{"pin":"***"}]'), (r'["\ud83d",{"pin":1}]', r'["\ud83d",{"pin":"***"}]')]
)
def test_what_is_shown_is_spelt_as_it_came(text: str, shown: str) -> None:
    assert redact(text) == shown


# --- every field of OCPP


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


def filled(schema: dict[str, Any], version: str, path: tuple[str, ...] = ()) -> Any:
    """A payload with every field of a schema, each text and number its own path."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return filled(definitions(version)[name], version, (*path, name))
    if schema.get("type") == "array":
        return [filled(schema["items"], version, path)]
    if schema.get("type") == "object":
        return {name: filled(inner, version, (*path, name)) for name, inner in schema.get("properties", {}).items()}
    return ".".join(path[-2:])


def masked(before: Any, after: Any) -> set[str]:
    """The paths that have been masked."""
    return {path for path, shown in zip(leaves(before), leaves(after), strict=True) if path != shown}


SECRET_FIELDS = {
    "1.6": set[str](),
    "2.0.1": {"VPNType.password", "VPNType.key", "APNType.apnPassword", "APNType.simPin"},
    "2.1": {
        *("VPNType.password", "VPNType.key", "APNType.apnPassword", "APNType.simPin"),
        "NetworkConnectionProfileType.basicAuthPassword",
    },
}


@pytest.mark.parametrize("version", VERSIONS)
def test_c2_the_fields_of_ocpp_that_are_secret_by_themselves(version: str) -> None:
    found: set[str] = set()
    for entry in actions(version).values():
        for schema in filter(None, (entry.request, entry.response)):
            payload = filled(schema, version)
            found |= masked(payload, json.loads(redact(json.dumps(payload))))
    assert found == SECRET_FIELDS[version]
