"""The variables in which each provider's own documentation keeps its key.

Named in the entry-point group `parley.keys`, apart from the providers, so that reading a
configuration loads no SDK.
"""

ANTHROPIC = "ANTHROPIC_API_KEY"
OPENAI = "OPENAI_API_KEY"
