"""The shapes of what comes in, travels inward and goes out."""
