"""What holds for one turn: by who speaks, and where. Pure."""

from gateway.contracts.runner import TurnOptions
from gateway.contracts.stores import Turn
from gateway.people.access import Admission


def options_for(turn: Turn, admission: Admission) -> TurnOptions:
    """Say how the turn is taken; its authority is that of its own message's sender alone."""
    message, place = turn.kept.message, admission.place
    return TurnOptions(
        turn=turn,
        speaker=None if message.address.place.is_direct else message.sender_name,
        role=admission.role,
        usual_model=place.model,
        opening=place.prompt,
        only_tools=None if place.tools is None else frozenset(place.tools),
        channel=message.address.account,
    )
