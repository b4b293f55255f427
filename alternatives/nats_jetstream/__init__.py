"""NATS JetStream with nats-py: `defaults` as the client's README shows, `hardened` as the manual says for safety.

The manifest starts the server, which go/go.mod pins. `publish` is a sender that does without the intake.
"""
