"""The configuration keys, variables and enumerations that the standard names: the documents, and what is made of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ocpp.v16.enums import ConfigurationKey as OfficialKey
from ocpp.v201 import enums as official

import ocpp_sync
from ocpp_sync import compare_enumeration, configuration_keys, describe, schemas, standard, variables
from ocpp_sync.cli import main
from ocpp_sync.fields import named_schemas
from ocpp_sync.schemas import VERSIONS, actions
from ocpp_sync.standard import Variable, components
from tools.generated import ROOT, stale
from tools.make_standard import standard_files

from .test_architecture import LATE, new_modules

DOCUMENTS = ("keys16.json", "variables2x.json")
DEVICE_MODELS = ("2.0.1", "2.1")

# Where the enumerations of the package say another thing than the appendix of the standard.
OTHERWISE_NAMED = {("CPPWMController", "Percentage"), ("LocalEnergyStorage", "EnergyCapacity")}

Output = pytest.CaptureFixture[str]

every_model = pytest.mark.parametrize("version", DEVICE_MODELS)


# --- The documents


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_compact_with_one_item_a_line(name: str) -> None:
    text = (Path(schemas.__file__).parent / name).read_text(encoding="utf-8")
    document = json.loads(text)
    lists = [[key, ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)] for key, items in document.items()]
    assert text == "{" + ",\n".join(f'"{key}":[\n{items}\n]' for key, items in lists) + "}\n"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_have_names_and_no_prose(name: str) -> None:
    text = (Path(schemas.__file__).parent / name).read_text(encoding="utf-8")
    strings = set(re.findall(r'"([^"]*)"', text))
    assert {string for string in strings if not re.fullmatch(r"[\w.<>/%-]*", string)} <= {"W, kW", "Wh, kWh", "Celsius, Fahrenheit"}


def test_no_two_items_have_one_path() -> None:
    document = json.loads((Path(schemas.__file__).parent / "variables2x.json").read_text(encoding="utf-8"))
    for version in DEVICE_MODELS:
        assert len(variables(version=version)) == sum(version in entry.get("in", DEVICE_MODELS) for entry in document["variables"])
        assert len(set(components(version=version))) == len(components(version=version))


# --- The same names as elsewhere


def test_the_configuration_keys_are_those_of_the_package_ocpp() -> None:
    assert configuration_keys().keys() - {key.value for key in OfficialKey} == {"SupportedFileTransferProtocols"}
    assert {key.value for key in OfficialKey} <= configuration_keys().keys()


def test_the_components_are_those_of_the_package_ocpp() -> None:
    names = {item.value for kind in (official.ControllerComponentName, official.PhysicalComponentName) for item in kind}
    assert set(components()) == names
    assert names < set(components(version="2.1"))


def test_the_variables_are_those_of_the_package_ocpp() -> None:
    known = {(variable.component, variable.name) for variable in variables().values()}
    theirs = {
        (component, re.match(r"\w+", item.value)[0])  # type: ignore[index]
        for component in components()
        if (kind := getattr(official, f"{component}VariableName", None)) is not None
        for item in kind
    }
    assert len(theirs) > 400
    # What the package has of the state of an EV are the values of one variable, ChargingState.
    states = {("ConnectedEV", item.value) for item in official.ChargingStateVariableName}
    assert theirs - known - states == OTHERWISE_NAMED


def test_the_names_of_variables_are_those_of_the_package_ocpp() -> None:
    assert {item.value for item in official.StandardizedVariableName} <= {variable.name for variable in variables().values()}


@pytest.mark.parametrize("component", ["DeviceDataCtrlr", "MonitoringCtrlr", "OCPPCommCtrlr", "SmartChargingCtrlr", "TariffCostCtrlr"])
def test_the_instances_are_those_of_the_package_ocpp(component: str) -> None:
    ours = {variable.instance for variable in variables().values() if variable.component == component and variable.instance}
    assert ours - {"<message>.<field>"} == {item.value for item in getattr(official, f"{component}InstanceName")}


@every_model
def test_variables_use_the_words_of_the_version(version: str) -> None:
    words = {name: set(named_schemas(version)[f"{name}EnumType"]["enum"]) for name in ("Data", "Mutability", "Attribute")}
    words["Data"] |= {"passwordString", "identifierString"}
    for variable in variables(version=version).values():
        assert variable.component in {"", *components(version=version)}
        assert variable.type is None or variable.type in words["Data"]
        assert variable.mutability is None or set(variable.mutability.split("/")) <= words["Mutability"]
        assert set(variable.attributes) <= words["Attribute"]
        assert variable.enumeration is None or "enum" in named_schemas(version)[variable.enumeration]
        assert not variable.condition or variable.required


def test_keys_use_the_words_of_1_6() -> None:
    for key in configuration_keys().values():
        assert key.type in ("boolean", "integer", "string", "CSL")
        assert key.accessibility in ("R", "RW", "W", "R/RW")
        assert key.enumeration is None or "enum" in named_schemas("1.6")[key.enumeration]


@pytest.mark.parametrize("version", VERSIONS)
def test_no_name_is_that_of_a_message_or_a_data_type_too(version: str) -> None:
    taken = {*actions(version), *named_schemas(version)}
    if version == "1.6":
        assert not taken & configuration_keys().keys()
    else:
        assert not taken & {name for variable in variables(version=version).values() for name in (variable.name, variable.component)}


# --- Some facts


def test_some_configuration_keys() -> None:
    keys = configuration_keys()
    assert keys["HeartbeatInterval"] == ("HeartbeatInterval", "Core", "integer", "RW", "s", True, None, ())
    assert keys["NumberOfConnectors"][1:6] == ("Core", "integer", "R", None, True)
    assert keys["AuthorizationKey"][1:6] == ("Security", "string", "W", None, False)
    assert keys["AuthorizeRemoteTxRequests"].accessibility == "R/RW"
    assert keys["ChargingScheduleAllowedChargingRateUnit"].values == ("Current", "Power")
    assert keys["StopTxnSampledData"].enumeration == "Measurand"
    assert sum(key.profile == "Core" for key in keys.values()) == 34


def test_some_variables() -> None:
    heartbeat = Variable("OCPPCommCtrlr", "HeartbeatInterval", None, "integer", "ReadWrite", "s")
    for version in DEVICE_MODELS:
        assert variables(version=version)["OCPPCommCtrlr.HeartbeatInterval"] == heartbeat
    assert variables()["TxCtrlr.EVConnectionTimeOut"].required
    assert variables()["SecurityCtrlr.BasicAuthPassword"].mutability == "WriteOnly"
    assert variables()["TariffCostCtrlr.Enabled[Cost]"].instance == "Cost"
    assert variables()["ACCurrent"].component == ""
    assert variables(version="2.1")["EVSE.DischargePower"].condition == "V2X"
    assert variables(version="2.1")["ConnectedEV.DCVoltage"].attributes == ("Target", "MinSet", "MaxSet")
    assert "EVSE.DischargePower" not in variables()
    assert "DisplayMessageCtrlr.PersonalMessageSize" not in variables(version="2.1")


def test_1_6_has_no_device_model() -> None:
    with pytest.raises(ValueError, match=r"OCPP '1\.6' has no device model"):
        variables(version="1.6")


def test_the_mappings_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        configuration_keys()["Mine"] = configuration_keys()["CpoName"]  # type: ignore[index]


# --- Descriptions


def test_everything_is_described_by_its_path() -> None:
    for name in configuration_keys():
        assert describe(name, version="1.6").items == (configuration_keys()[name],)
    for version in DEVICE_MODELS:
        for path, variable in variables(version=version).items():
            assert variable in describe(path, version=version).items
        for component in components(version=version):
            found = describe(component, version=version)
            assert found.kind == "component"
            assert {item.component for item in found.items if isinstance(item, Variable)} <= {component}


def test_the_text_of_a_key() -> None:
    assert str(describe("MeterValuesSampledData", version="1.6")).splitlines() == [
        "MeterValuesSampledData, OCPP 1.6: configuration key",
        "",
        "NAME                    TYPE  REQUIRED  ACCESS, UNIT, VALUES",
        "MeterValuesSampledData  CSL   yes       RW; profile Core; values of Measurand",
    ]


@pytest.mark.parametrize("name", ["HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"])
def test_the_text_of_a_variable(name: str) -> None:
    assert str(describe(name)).splitlines() == [
        "OCPPCommCtrlr.HeartbeatInterval, OCPP 2.0.1: variable",
        "",
        "NAME                             TYPE     REQUIRED  ACCESS, UNIT, VALUES",
        "OCPPCommCtrlr.HeartbeatInterval  integer            ReadWrite; in s",
    ]


def test_what_a_description_says_of_a_variable() -> None:
    remarks = {row.path: row.remarks for row in describe("EVSE", version="2.1").rows}
    assert remarks["EVSE.DischargePower"] == "in W or kW; required with V2X"
    assert describe("ClockCtrlr.NtpSource").rows[0].remarks == "ReadWrite; DHCP, manual"
    assert describe("Hysteresis").rows[0].remarks == "in Percent; of any component"
    assert describe("ConnectedEV.Power").rows[0].remarks == "in W; attributes MaxSet"


def test_a_name_that_several_have() -> None:
    found = describe("OCPPCommCtrlr.MessageTimeout")
    assert (found.kind, found.name) == ("variable", "OCPPCommCtrlr.MessageTimeout[Default]")
    found = describe("BytesPerMessage")
    assert found.headline == "BytesPerMessage, OCPP 2.0.1: variables"
    assert [row.path for row in found.rows][-1] == "MonitoringCtrlr.BytesPerMessage[SetVariableMonitoring]"


def test_a_component() -> None:
    found = describe("ChargingStation")
    assert found.headline == "ChargingStation, OCPP 2.0.1: component"
    assert "DistributionPanel.ChargingStation" not in {row.path for row in found.rows}
    assert str(describe("AccessBarrier", version="2.1")).endswith("(no variables of its own)")
    assert describe("AccessBarrier", version="2.1").as_dict() == {
        "name": "AccessBarrier",
        "version": "2.1",
        "kind": "component",
        "variables": [],
    }


def test_html_and_plain_data() -> None:
    assert "<th style='text-align: left'>Access, unit, values</th>" in describe("HeartbeatInterval")._repr_html_()
    assert describe("CpoName", version="1.6").as_dict() == {
        "name": "CpoName",
        "version": "1.6",
        "kind": "configuration key",
        "keys": [{"name": "CpoName", "profile": "Security", "type": "string", "accessibility": "RW", "required": False}],
    }
    assert describe("TxCtrlr.TxStartPoint").as_dict()["variables"][0]["values"][:2] == ["ParkingBayOccupancy", "EVConnected"]


@pytest.mark.parametrize(
    ("name", "version", "text"),
    [
        ("NumberOfConnectors", "2.0.1", "'NumberOfConnectors' is not in OCPP 2.0.1, but in OCPP 1.6"),
        ("NetworkConfiguration", "2.0.1", "'NetworkConfiguration' is not in OCPP 2.0.1, but in OCPP 2.1"),
        ("OfflineThreshold", "1.6", "'OfflineThreshold' is not in OCPP 1.6, but in OCPP 2.0.1 and OCPP 2.1"),
        ("heartbeatInterval", "1.6", "did you mean 'HeartbeatInterval'?"),
        ("EVConnectionTimeout", "2.1", "did you mean 'EVConnectionTimeOut'?"),
        ("TxCtrl", "2.1", "did you mean 'TxCtrlr'?"),
        ("", "2.0.1", "'' is not in OCPP 2.0.1"),
        ("HeartbeatInterval", "3", "OCPP '3' is not supported"),
    ],
)
def test_what_is_not_there(name: str, version: str, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        describe(name, version=version)


# --- Enumerations across versions


def test_an_enumeration_may_be_spelt_as_in_another_version() -> None:
    assert describe("AuthorizationStatus", version="2.1").name == "AuthorizationStatusEnumType"
    assert describe("ResetEnumType", version="1.6").name == "ResetType"
    assert describe("ChargePointStatus").name == "ConnectorStatusEnumType"
    assert describe("FirmwareStatus", version="1.6").name == "FirmwareStatus"


@pytest.mark.parametrize(("name", "kind"), [("Connector", "component"), ("ConnectorType", "variable"), ("MonitoringBase", "variable")])
def test_a_variable_or_a_component_comes_before_such_an_enumeration(name: str, kind: str) -> None:
    assert describe(name).kind == kind
    assert describe(f"{name.removesuffix('Type')}EnumType").kind == "enumeration"


def test_a_comparison() -> None:
    found = compare_enumeration("RecurrencyKind")
    assert str(found) == repr(found)
    assert str(found).splitlines() == [
        "VALUE   1.6 RecurrencyKindType  2.0.1 RecurrencyKindEnumType  2.1 RecurrencyKindEnumType",
        "Daily   yes                     yes                           yes",
        "Weekly  yes                     yes                           yes",
    ]
    assert not found.differs
    assert found._repr_html_().count("<tr>") == 3
    assert found.as_dict()["enumerations"][0] == {"version": "1.6", "name": "RecurrencyKindType", "values": ["Daily", "Weekly"]}


@pytest.mark.parametrize("name", ["ChargePointStatus", "ConnectorStatusEnumType", "ConnectorStatus"])
def test_a_comparison_by_the_name_of_any_version(name: str) -> None:
    found = compare_enumeration(name)
    assert found.differs
    rows = {value: cells for value, *cells in found.rows}
    assert rows["SuspendedEV"] == ["yes", "", ""]
    assert rows["Occupied"] == ["", "yes", "yes"]


def test_the_two_of_a_name_in_1_6() -> None:
    assert compare_enumeration("FirmwareStatus").headings[1:3] == ("1.6 FirmwareStatus", "1.6 FirmwareStatusEnumType")


def test_an_enumeration_that_no_version_has() -> None:
    with pytest.raises(ValueError, match=r"^no version of OCPP has an enumeration 'Mesurand'; did you mean 'Measurand'\?$"):
        compare_enumeration("Mesurand")
    with pytest.raises(ValueError, match=r"^no version of OCPP has an enumeration 'qqqq'$"):
        compare_enumeration("qqqq")


# --- The command line


def test_the_command_describes_keys_and_variables(capsys: Output) -> None:
    assert main(["schema", "CpoName", "--version", "1.6"]) == 0
    assert capsys.readouterr().out == f"{describe('CpoName', version='1.6')}\n"
    assert main(["schema", "TxCtrlr", "--version", "2.1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == describe("TxCtrlr", version="2.1").as_dict()


def test_the_command_compares_enumerations(capsys: Output) -> None:
    assert main(["schema", "Measurand", "--compare"]) == 0
    assert capsys.readouterr().out == f"{compare_enumeration('Measurand')}\n"
    assert main(["schema", "Mesurand", "--compare"]) == 1
    assert capsys.readouterr().err.startswith("ocpp-sync: no version of OCPP has")


def test_the_command_lists_keys_and_variables(capsys: Output) -> None:
    assert main(["schema", "--variables"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    versions = [version for line in lines for version in re.findall(r"(?<=[ ,])(?:1\.6|2\.0\.1|2\.1)(?=$|,)", line)]
    assert versions.count("1.6") == len(configuration_keys())
    assert [versions.count(version) for version in DEVICE_MODELS] == [len(variables(version=version)) for version in DEVICE_MODELS]


def test_the_command_filters_the_list(capsys: Output) -> None:
    assert main(["schema", "--variables", "--find", "ctrlr.heartBEAT"]) == 0
    assert capsys.readouterr().out.split() == ["OCPPCommCtrlr.HeartbeatInterval", "integer", "ReadWrite", "s", "2.0.1,", "2.1"]
    assert main(["schema", "--variables", "--find", "CpoName", "--version", "1.6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**configuration_keys()["CpoName"].as_dict(), "versions": ["1.6"]}
    assert main(["schema", "--variables", "--find", "zzz"]) == 1
    assert capsys.readouterr() == ("", "ocpp-sync: there is no such configuration key or variable\n")


# --- Pages, imports


def test_the_pages_are_up_to_date() -> None:
    assert stale(standard_files()) == [], "run python -m tools"
    assert set((ROOT / "docs" / "variables").glob("*.md")) <= standard_files().keys()


def test_the_links_of_the_pages_lead_somewhere() -> None:
    links = 0
    for path, text in standard_files().items():
        for target, anchor in re.findall(r"\]\(([\w/.]*)(?:#([\w-]+))?\)", text):
            page = (path.parent / target).resolve() if target else path
            headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}
            links += 1
    assert links > 100


def test_nothing_of_it_is_loaded_before_it_is_asked_for() -> None:
    assert not {"ocpp_sync.standard", "ocpp_sync.enumerations"} & new_modules("import ocpp_sync")
    assert not new_modules("import ocpp_sync; ocpp_sync.configuration_keys(); ocpp_sync.variables()") & LATE
    code = (
        "from ocpp_sync import describe, standard; describe('Reset');"
        "print(standard.variables.cache_info().currsize + standard.configuration_keys.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30).stdout == "0\n"


def test_the_functions_are_exported() -> None:
    assert ocpp_sync.variables is standard.variables
    assert {"compare_enumeration", "configuration_keys", "variables"} <= set(dir(ocpp_sync))
