"""``ocpp-sync outbox list|show|retry|drop FILE``: look into an outbox, and decide about single messages, while a controller runs too."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from typing import Any

from ocpp_sync.errors import OutboxError
from ocpp_sync.outbox.store import DeadLetter, Entry, Store
from ocpp_sync.redaction import redact
from ocpp_sync.timestamps import format_time

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync outbox list /var/lib/controller/outbox.sqlite3
  ocpp-sync outbox show outbox.sqlite3 17
  ocpp-sync outbox retry outbox.sqlite3 all
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    commands = parser.add_subparsers(dest="what", required=True, metavar="list|show|retry|drop")
    for name, summary in (
        ("list", "what is queued, oldest first, and what was given up"),
        ("show", "one message, its secrets masked"),
        ("retry", "put a message that was given up back at its place in the queue"),
        ("drop", "remove a message for good"),
    ):
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        command.add_argument("file", metavar="FILE", help="the file of the outbox, which must be there")
        if name == "list":
            command.add_argument("--json", action="store_true", help="a JSON object on a line for each message")
        elif name == "show":
            command.add_argument("id", metavar="ID", type=int)
        else:
            everything = "all" if name == "retry" else "all-dead"
            command.add_argument("id", metavar=f"ID|{everything}", type=_id_or(everything), help=f"{everything}: each that was given up")


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    try:
        with closing(Store(arguments.file, exclusive=False)) as store:
            if arguments.what == "list":
                _list(store, arguments.json)
            elif arguments.what == "show":
                print(_shown(store, arguments.id))
            else:
                _change(store, arguments.what, arguments.id)
    except (OutboxError, LookupError) as error:
        print(f"ocpp-sync: {error.args[0] if isinstance(error, LookupError) else error}", file=sys.stderr)
        return 1
    return 0


def _list(store: Store, as_json: bool) -> None:
    if as_json:
        for message in _messages(store):
            print(json.dumps(_fields(message), ensure_ascii=False))
        return
    layout = "{:>8}  {:<24}  {:>8}  {:<34}  {:<36}  {}"
    print(layout.format("ID", "SINCE", "ATTEMPTS", "ACTION", "TRANSACTION", "").rstrip())
    dead = 0
    for message in _messages(store):
        fields = _fields(message)
        note = "" if isinstance(message, Entry) else f"given up: {_line(message.reason)}"
        if isinstance(message, Entry) and not message.origin.time_known:
            note = "before the clock was known"
        since = fields.get("queued", fields.get("givenUp"))
        transaction = _line(message.transaction or "-")
        print(layout.format(message.id, since, message.attempts, message.action, transaction, note).rstrip())
        dead += isinstance(message, DeadLetter)
    print(f"{store.count()} queued ({store.size()} bytes), {dead} given up")


def _shown(store: Store, number: int) -> str:
    return json.dumps(_fields(_find(store, number)), ensure_ascii=False, indent=2)


def _change(store: Store, what: str, which: int | str) -> None:
    for number in [which] if isinstance(which, int) else [letter.id for letter in store.dead_letters()]:
        oldest = store.head()
        if store.retry(number) if what == "retry" else store.drop(number):
            print(f"{number}: {'queued again' if what == 'retry' else 'dropped'}")
        elif number == which:  # of all of them, one may be gone by now
            raise LookupError(f"message {number} is not {'among those that were given up' if what == 'retry' else 'in the outbox'}")
        if what == "drop" and oldest is not None and oldest.id == number:
            print(f"{number} was the oldest: if a controller is delivering, it may be on its way already", file=sys.stderr)


def _messages(store: Store) -> Iterator[Entry | DeadLetter]:
    yield from store.entries()
    yield from store.dead_letters()


def _find(store: Store, number: int) -> Entry | DeadLetter:
    found = next((message for message in _messages(store) if message.id == number), None)
    if found is None:
        raise LookupError(f"message {number} is not in the outbox")
    return found


def _fields(message: Entry | DeadLetter) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": message.id}
    if isinstance(message, Entry):
        fields |= {"queued": _time(message.origin.time), "clockKnown": message.origin.time_known}
    else:
        fields |= {"givenUp": _time(message.given_up_at), "reason": message.reason}
    text = redact(json.dumps(message.payload, ensure_ascii=False))
    payload = json.loads(text) if text.startswith("{") else text
    return {**fields, "attempts": message.attempts, "transaction": message.transaction, "action": message.action, "payload": payload}


def _line(text: str) -> str:
    # The CSMS may have worded it: it must not write to the terminal what it likes.
    return "".join(character if character.isprintable() else "?" for character in text)


def _time(seconds: float) -> str:
    return format_time(datetime.fromtimestamp(seconds, timezone.utc))


def _id_or(word: str) -> Any:
    def parse(text: str) -> int | str:
        return text if text == word else int(text)

    parse.__name__ = f"ID or {word!r}"  # for argparse's message
    return parse
