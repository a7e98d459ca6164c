"""Small stateful servers and parts that stand in for the outside world.

Servers, each its own docstring's example: `telegram` (FakeTelegram), `openai` (FakeOpenAI),
`anthropic` (FakeAnthropic); `faults` breaks any of them, `clock` is the time they live by.
"""
