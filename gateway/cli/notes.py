"""What a command notes in click's context, for the handling of errors."""

DEBUG = "parley.debug"
"""Whether `--debug` was given."""
SECRETS = "parley.secrets"
"""Secret values that must not be printed."""
