"""The fake Discord in a process of its own, steered through its control path."""

import aiohttp

from tests.fakes.test_process import running, told


async def test_discord_in_its_own_process() -> None:
    headers = {"Authorization": "Bot T.T.T"}
    async with (
        running("discord", "--token", "T.T.T") as url,
        aiohttp.ClientSession(headers=headers) as session,
    ):
        api, control = f"{url}/api/v10", f"{url}/_control"
        made = {"name": "Team", "users": [42, 43], "channels": ["general"]}
        channels = (await told(session, f"{control}/guild", made))["channels"]
        general = channels["general"]
        thread = {"channel": general, "name": "Talk", "user": 42}
        talk = await told(session, f"{control}/thread", thread)
        mine = await told(session, f"{control}/direct", {"user": 42})
        places = [general, talk, mine]
        written = [{"user": 42, "text": "hi", "channel": place} for place in places]
        assert len(await told(session, f"{control}/writes", written)) == 3
        yes = {"type": 2, "style": 1, "label": "Yes", "custom_id": "y"}
        body = {"content": "hello **END**", "components": [{"type": 1, "components": [yes]}]}
        for place in places:
            sent = await told(session, f"{api}/channels/{place}/messages", body)
            assert sent["content"] == "hello **END**"
        wait = {"messages": 3, "contains": "END", "timeout": 5}
        assert await told(session, f"{control}/wait", wait) == {"ok": True, "messages": 3}
        shown = await told(session, f"{control}/channel", {"user": 42})
        assert [(one["who"], one["text"], one["buttons"]) for one in shown] == [
            ("U42", "hi", []),
            ("bot", "hello END", ["Yes"]),
        ]
        assert await told(session, f"{control}/press", {"user": 42, "label": "Yes"})
        commands = [{"name": "new", "description": "Begins anew"}]
        app = (await (await session.get(f"{api}/applications/@me")).json())["id"]
        await session.put(f"{api}/applications/{app}/commands", json=commands)
        assert await told(session, f"{control}/use", {"user": 42, "command": "new"})
        assert await told(session, f"{control}/event", {"name": "X", "data": {}})
        assert await told(session, f"{control}/gateway", {"do": "closes", "code": 4000})
        assert "error" in await told(session, f"{control}/gateway", {"do": "dance"})
        await told(session, f"{control}/rates", {"enabled": True, "overall": 0})
        late = {"messages": 4, "timeout": 0.01}
        assert not (await told(session, f"{control}/wait", late))["ok"]
        state = await told(session, f"{control}/state")
        assert (state["connected"], state["commands"], state["calls"]) == (False, 1, 5)
        log = await told(session, f"{control}/log", {"since": 1})
        assert [one["name"] for one in log[:2]] == ["send", "send"]
        assert len(await told(session, f"{control}/channels")) == 3
