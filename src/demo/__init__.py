"""An invented community: people, what they write, and what they like."""
