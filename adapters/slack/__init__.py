"""Slack: an app in one workspace, over a socket or by signed requests."""
