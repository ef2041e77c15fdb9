"""Who may charge: what is known here, and what the CSMS says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .connector import Authorization, Connector, Reason, Token
from .tokens import KnownTokens, TokenInfo

if TYPE_CHECKING:
    from .station import Station

__all__ = ["Reader"]


class Reader:
    """The reader of tokens, and what is decided there.

    Args:
        station: The station.

    Attributes:
        tokens: Who is known.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self.tokens = KnownTokens()

    def hold(self, it: Connector, token: Token, remote: Authorization | None = None) -> None:
        """A token is held to the reader, or the CSMS does as if; in the station's thread.

        Args:
            it: The connector.
            token: The token.
            remote: What the CSMS wants; None is somebody who stands there.
        """
        station = self._station
        with station.changing():
            transaction = it.transaction
            if remote is None and transaction is not None and transaction.token.id.lower() == token.id.lower():
                station.charging.end(it, Reason.LOCAL)
                return
        info = self.ask(token)
        with station.changing():
            transaction = it.transaction
            if info is None or not info.is_accepted:
                status = None if info is None else info.status
                station.note("refused", f"{token.id} is refused: {status or 'the CSMS cannot be asked'}", it.number, status=status)
            elif transaction is not None and remote is None and info.group is not None and info.group == transaction.authorization.group:
                station.charging.end(it, Reason.LOCAL)
            elif (why := self.why_not(it, token, info.group)) is not None:
                station.note("refused", f"{token.id} cannot charge: {why}", it.number)
            else:
                authorization = remote or Authorization(token)
                authorization.group = info.group
                self.grant(it, authorization)

    def ask(self, token: Token) -> TokenInfo | None:
        """What is known of a token: here, or by the CSMS. Without the lock, in the station's thread; None if nobody can say."""
        station = self._station
        config = station.configuration
        with station.changing():
            known = self.tokens.find(token, station.now(), use_list=config.flag("list"), use_cache=config.flag("cache"))
            early = config.flag("preauthorize") and known is not None and known.is_accepted
        if early:
            return known
        if token.type == "NoAuthorization":
            return TokenInfo("Accepted")
        response = station.call("Authorize", station.wording.authorize(token)) if station.uplink.is_ready else None
        with station.changing():
            if response is not None:
                info = station.wording.token_info(response)
                if info is not None:
                    self.tokens.learn(token, info)
                return info
            if known is not None and config.flag("offline authorization"):
                return known
            return TokenInfo("Accepted") if config.flag("offline unknown") else None

    def why_not(self, it: Connector, token: Token, group: str | None = None) -> str | None:
        """What keeps somebody from beginning at a connector; None is nothing."""
        if self._station.is_resetting:
            return "the station is about to start anew"
        if not it.is_free:
            return f"the connector is {it.state.value}"
        if it.car is not None and it.finished:
            return None  # another transaction of the car that is there
        if it.reservation is not None and not it.reservation.is_for(token, group):
            return "the connector is reserved"
        return None

    def remote_start(self, number: int, authorization: Authorization) -> None:
        """The CSMS wants somebody to charge."""
        it = self._station.connector(number)
        if self._station.configuration.flag("authorize remote start"):
            self._station.agenda.soon(partial(self.hold, it, authorization.token, authorization))
            return
        with self._station.changing():
            if self.why_not(it, authorization.token, authorization.group) is None:
                self.grant(it, authorization)

    # --- With the lock held

    def grant(self, connector: Connector, authorization: Authorization) -> None:
        """Somebody may begin, as soon as a car is there."""
        seconds = self._station.configuration.number("connection timeout")
        connector.authorization = authorization
        if not authorization.is_remote:
            self._station.pending_profiles.pop(connector.number, None)  # it was meant for somebody else
        if seconds > 0:
            authorization.end = self._station.agenda.after(seconds, partial(self._lapse, connector, authorization))
        self._station.note("authorized", f"{authorization.token.id} may charge", connector.number, token=authorization.token.id)
        self._station.charging.begin(connector, "RemoteStart" if authorization.is_remote else "Authorized")

    def _lapse(self, connector: Connector, authorization: Authorization) -> None:
        with self._station.changing():
            if connector.authorization is authorization:
                connector.authorization = None
                self._station.pending_profiles.pop(connector.number, None)
                self._station.note("lapsed", f"{authorization.token.id} has not plugged in", connector.number)
