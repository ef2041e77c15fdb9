"""What must hold of every play, whatever has gone wrong in it."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

from ocpp_sync import CallError, CallTimeout, InvalidPayload
from ocpp_sync.testing.log import Received

from .play import RETRY_INTERVAL, Play, Put, Sent, mark_of
from .schedule import INVALID

_CALL_RESULT = 3


class Verdict:
    """Judges a play that is over.

    Args:
        play: The play.
    """

    def __init__(self, play: Play) -> None:
        self.play = play
        self.version = play.schedule.version
        self.sent = sorted(play.sent.values(), key=lambda sent: sent.order)
        self.sent_by_mark: dict[int, list[Sent]] = defaultdict(list)
        for sent in self.sent:
            if sent.mark is not None:
                self.sent_by_mark[sent.mark].append(sent)
        self.received = [each for each in play.received if mark_of(each.action, each.payload) is not None]
        self.received_by_mark: dict[int, list[Received]] = defaultdict(list)
        for received in self.received:
            self.received_by_mark[mark_of(received.action, received.payload) or 0].append(received)

    def check(self) -> None:
        """Raise AssertionError if a rule was broken."""
        self.everything_came()
        self.in_order()
        self.nothing_was_invented()
        self.one_at_a_time()
        for put in self.play.puts:
            self.repeated_only_with_reason(put)
            self.given_up_only_after_all_attempts(put)
        if self.version == "1.6":
            self.transaction_ids()
        else:
            self.numbers()
            self.offline()
        self.nothing_before_the_boot()
        self.calls_are_not_repeated()
        self.deliveries_know()
        self.given_up_messages_are_told()

    def everything_came(self) -> None:
        missing = [put for put in self.play.puts if not self.received_by_mark[put.mark] and put.mark not in self.play.dead]
        assert not missing, f"D13: never received: {missing}"

    def in_order(self) -> None:
        firsts = list(dict.fromkeys(mark_of(each.action, each.payload) or 0 for each in self.received))
        assert firsts == sorted(firsts), f"D7, D8: not in the order of the puts: {firsts}"

    def nothing_was_invented(self) -> None:
        puts = {put.mark: put for put in self.play.puts}
        for received in self.received:
            put = puts.get(mark_of(received.action, received.payload) or 0)
            assert put is not None, f"never put: {received}"
            assert received.action == put.action
            assert _content(received.payload) == _content(put.payload), f"not what was put: {received}"
        unknown = [each for each in self.play.received if each.message_id not in self.play.sent]
        assert not [each for each in unknown if each.action], f"came from nowhere: {unknown}"

    def one_at_a_time(self) -> None:
        for one, next_one in pairwise(self.sent):
            if one.link == next_one.link:
                is_answered = one.answer is not None and one.answer_order < next_one.order
                assert is_answered or one.hopeless, f"B3: {next_one} went out while {one} was under way"

    def repeated_only_with_reason(self, put: Put) -> None:
        *others, last = self.sent_by_mark[put.mark]
        done = [sent for sent in others if _succeeded(sent) and not sent.is_late]
        assert not done, f"D9: {put} went out again although it was answered: {done}"
        assert _succeeded(last) or put.mark in self.play.dead, f"D13: {put} is gone though it was not answered: {last}"

    def given_up_only_after_all_attempts(self, put: Put) -> None:
        attempts, errors = self.play.schedule.attempts, 0
        for sent, again in pairwise([*self.sent_by_mark[put.mark], None]):
            assert sent is not None
            if sent.answer is not None and not _succeeded(sent) and not sent.is_late:
                errors += 1
                pause = RETRY_INTERVAL * errors
                assert again is None or again.at >= sent.answer_at + pause, f"D9: {again} came sooner than {pause:g} s after {sent}"
        assert errors <= attempts, f"D9: {put} was refused {errors} times"
        dead = self.play.dead.get(put.mark)
        if dead is not None:
            failed = [sent for sent in self.sent_by_mark[put.mark] if sent.hopeless or sent.answer is not None]
            assert dead.attempts == attempts <= len(failed), f"D9: {put} was given up too early: {failed}"

    def transaction_ids(self) -> None:
        for put in self.play.puts:
            if put.transaction in (0, put.mark):
                continue
            start = self.sent_by_mark[put.transaction][-1]
            expected = -1 if put.transaction in self.play.dead else (start.answer or [])[1]["transactionId"]
            for received in self.received_by_mark[put.mark]:
                assert received.payload["transactionId"] == expected, f"D10: it should be {expected}: {received}"

    def numbers(self) -> None:
        next_number: dict[int, int] = defaultdict(int)
        for put in self.play.puts:
            if put.transaction:
                for received in self.received_by_mark[put.mark]:
                    number = received.payload["seqNo"]
                    assert number == next_number[put.transaction], f"D11: it should be {next_number[put.transaction]}: {received}"
                next_number[put.transaction] += 1

    def offline(self) -> None:
        for put in self.play.puts:
            for received in self.received_by_mark[put.mark] if put.transaction else ():
                link = self.play.sent[received.message_id].link
                allowed = {link != each for each in put.links}
                said = received.payload.get("offline", False)
                assert said in allowed, f"D11: offline is {said}, but it was put while {put.links}, and went out by {link}"

    def nothing_before_the_boot(self) -> None:
        accepted: set[int] = set()
        for sent in self.sent if self.play.schedule.boots else ():
            if sent.action != "BootNotification":
                assert sent.link.client in accepted, f"D2: {sent} before the CSMS had accepted"
            elif sent.answer is not None and _succeeded(sent) and sent.answer[1]["status"] == "Accepted":
                accepted.add(sent.link.client)

    def calls_are_not_repeated(self) -> None:
        transfers = [each.payload for each in self.play.received if each.action == "DataTransfer"]
        calls = [each["data"] for each in transfers if each["vendorId"] == "call"]
        assert len(calls) == len(set(calls)), f"a call went out twice: {sorted(calls)}"

    def deliveries_know(self) -> None:
        for put, delivery in self.play.deliveries:
            assert delivery.done()
            last = self.sent_by_mark[put.mark][-1]
            if put.mark in self.play.dead:
                try:
                    delivery.result(0)
                except (CallError, CallTimeout, InvalidPayload):
                    continue
                raise AssertionError(f"{put} was given up, and its delivery has a result")
            assert last.answer is not None
            assert delivery.result(0) == last.answer[1]

    def given_up_messages_are_told(self) -> None:
        told = [mark_of(message.action, message.payload) for what, message, _ in self.play.told if what == "given-up"]
        assert sorted(map(str, told)) == sorted(map(str, self.play.dead)), f"D9: told {told}, given up {list(self.play.dead)}"


def _succeeded(sent: Sent) -> bool:
    return sent.answer is not None and sent.answer[0] == _CALL_RESULT and sent.answer[1] != INVALID.payload


def _content(payload: dict[str, Any]) -> dict[str, Any]:
    """What the outbox must not change."""
    return {name: value for name, value in payload.items() if name not in ("transactionId", "seqNo", "offline", "timestamp", "meterValue")}
