"""Channels: webhook, Slack, Discord, e-mail, command, file. They tell people and programs of alerts."""
