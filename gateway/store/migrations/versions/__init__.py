"""One file a version, named for it; written by hand and never changed once released."""
