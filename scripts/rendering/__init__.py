"""What messages look like on each platform, drawn from what its server was sent."""
