"""Reads the configuration, once: past this package nobody sees YAML or the environment."""

from gateway.config.load import LoadedSettings, load_settings

__all__ = ["LoadedSettings", "load_settings"]
