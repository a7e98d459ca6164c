"""What the gateway asks of its parts: adapters, providers, stores, tools and hooks."""
