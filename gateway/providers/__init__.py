"""The model servers: each provider turns a `ModelRequest` into a stream of parts."""
