"""Libraries that know nothing of GopherTalk and could be published as they are."""
