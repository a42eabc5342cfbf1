"""What a person wants to understand before sending: why, since when, until when, what differs, who is in both."""
