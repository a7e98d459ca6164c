"""`/whoami`: the ids that settings and the owner's command line need."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command


class Whoami(Command):
    """Shows the person's own ids and role, and the place's id."""

    name = "whoami"
    summary = "Show who you are to me"
    is_control = True

    @override
    async def run(self, call: Call) -> Answer:
        message = call.kept.message
        lines = [
            f"- You: `{message.address.identity}`",
            f"- Role: {call.admission.role.name.lower()}",
        ]
        place = message.address.place
        if not place.is_direct:
            lines.append(f"- Place: `{message.address.place_name}`")
        if place.thread is not None:
            lines.append(f"- Thread: `{place.thread}`")
        return Answer("\n".join(lines))
