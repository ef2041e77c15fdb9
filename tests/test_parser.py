"""The arguments of all commands: options anywhere, and what is said about wrong ones."""

from __future__ import annotations

import argparse
import re
import shlex
from importlib import import_module

import pytest

from ocpp_sync.cli import COMMANDS, command_parser, main
from ocpp_sync.cli.parser import CommandParser, closest

Output = pytest.CaptureFixture[str]


def parser() -> CommandParser:
    made = CommandParser("ocpp-sync ring", "Rings.", "  ocpp-sync ring BELL     once\n  ocpp-sync ring BELL --twice\n")
    made.add_argument("bell", metavar="BELL")
    made.add_argument("notes", metavar="NOTE", nargs="*", default=[])
    made.add_argument("--twice", action="store_true")
    made.add_argument("--key", choices=("major", "minor"))
    made.add_argument("--password")
    return made


def refused(capsys: Output, *arguments: str, by: CommandParser | None = None) -> str:
    with pytest.raises(SystemExit) as stopped:
        (by or parser()).parse(arguments)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("More: ocpp-sync ring --help\n")
    return captured.err


@pytest.mark.parametrize(
    "line", ["--twice big a b --key minor", "big --twice a --key minor b", "big a b --key=minor --twice", "--key minor big a b --twice"]
)
def test_options_may_be_anywhere(line: str) -> None:
    assert vars(parser().parse(shlex.split(line))) == {
        "bell": "big",
        "notes": ["a", "b"],
        "twice": True,
        "key": "minor",
        "password": None,
    }


def test_what_begins_with_a_dash_comes_after_two(capsys: Output) -> None:
    assert parser().parse(["big", "--", "-a", "--twice"]).notes == ["-a", "--twice"]
    assert parser().parse(["big", "-", "-5", '{"a": -1}']).notes == ["-", "-5", '{"a": -1}']
    assert "unrecognized arguments: -a" in refused(capsys, "big", "-a")


def test_a_misspelt_option_is_named(capsys: Output) -> None:
    assert "unrecognized arguments: --twise; did you mean --twice?\n" in refused(capsys, "big", "--twise")
    assert "unrecognized arguments: --nothing-like-it\n" in refused(capsys, "big", "--nothing-like-it")


def test_an_abbreviation_is_no_option(capsys: Output) -> None:
    assert "unrecognized arguments: --tw" in refused(capsys, "big", "--tw")


def test_a_wrong_choice(capsys: Output) -> None:
    assert "; did you mean minor?\n" in refused(capsys, "big", "--key", "minr")


@pytest.mark.parametrize("choices", ["'major', 'minor'", "major, minor"], ids=["quoted", "as Python 3.13 has it"])
def test_the_choices_may_be_quoted_or_not(choices: str, capsys: Output) -> None:
    with pytest.raises(SystemExit):
        parser().error(f"argument --key: invalid choice: 'miner' (choose from {choices})")
    assert "; did you mean minor?\n" in capsys.readouterr().err


def test_what_is_missing_is_told_with_an_example(capsys: Output) -> None:
    assert refused(capsys) == (
        "usage: ocpp-sync ring [OPTION …] BELL [NOTE ...]\n"
        "ocpp-sync ring: the following arguments are required: BELL\n"
        "For example: ocpp-sync ring BELL\n"
        "More: ocpp-sync ring --help\n"
    )


@pytest.mark.parametrize("wrong", [["--pasword=hunter2"], ["--pasword", "hunter2"], ["--pasword", "hunter2", "--tw", "hunter2"]])
def test_what_was_to_be_a_password_is_not_shown(wrong: list[str], capsys: Output) -> None:
    said = refused(capsys, "big", *wrong)
    assert "unrecognized arguments: --pasword" in said
    assert "did you mean --password?" in said
    assert "hunter2" not in said


def test_too_many_arguments_are_shown(capsys: Output) -> None:
    made = CommandParser("ocpp-sync ring", "Rings.")
    made.add_argument("bell")
    assert "unrecognized arguments: big\n" in refused(capsys, "small", "big", by=made)


def test_a_parser_with_commands_of_its_own(capsys: Output) -> None:
    made = CommandParser("ocpp-sync ring", "Rings.")
    commands = made.add_subparsers(dest="what", required=True)
    for name in ("bell", "phone"):
        command = commands.add_parser(name, description="Rings.")
        command.add_argument("--times", type=int)
    made.add_argument("--loud", action="store_true")
    assert vars(made.parse(["--loud", "bell", "--times", "3"])) == {"what": "bell", "times": 3, "loud": True}
    assert "did you mean phone?" in refused(capsys, "phon", by=made)
    assert [argument.dest for argument in made.arguments() if argument.nargs != 0] == ["times", "times"]


def test_closest() -> None:
    assert closest("SERVE", ["serve", "call"]) == "; did you mean serve?"
    assert closest("xyz", ["serve", "call"]) == ""


# --- The commands themselves


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_examples(name: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: ocpp-sync {name} ")
    assert "examples:\n" in shown
    assert f"ocpp-sync {name}" in shown.partition("examples:\n")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_example_can_be_typed(name: str) -> None:
    for line in import_module(f"ocpp_sync.cli.{name}").EXAMPLES.splitlines():
        command = re.split(r"\s{2,}", line.strip())[0]
        found = re.search(r"ocpp-sync (\w+)\b *([^<>|)]*)", command)
        assert found is not None, f"{line!r} shows no command"
        assert isinstance(command_parser(found[1]).parse(shlex.split(found[2])), argparse.Namespace)


@pytest.mark.parametrize("arguments", [["help", "call"], ["call", "-h"], ["call", "ws://localhost:9220", "--help"]])
def test_help_of_a_command(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ocpp-sync call ")


@pytest.mark.parametrize("arguments", [["help"], ["--help"], ["-h"], ["help", "help"]])
def test_help_of_all(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^ +{name} +\w", shown, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "a command is missing"),
        (["cal"], "'cal' is no command; did you mean call?"),
        (["help", "simulat"], "'simulat' is no command; did you mean simulate?"),
        (["--versoin"], "unrecognized arguments: --versoin; did you mean --version?"),
        (["call"], "required: URL, IDENTITY, ACTION\nFor example: ocpp-sync call ws://localhost:9220 CP1 Heartbeat\n"),
        (["call", "ws://localhost:9220", "CP1"], "required: ACTION\nFor example: ocpp-sync call ws://localhost:9220 CP1 Heartbeat\n"),
        (["repl", "ws://localhost:9220"], "required: IDENTITY\nFor example: ocpp-sync repl ws://localhost:9220 CP1\n"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_type(arguments: list[str], said: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
