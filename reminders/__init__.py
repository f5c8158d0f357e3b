"""Reminders: tells a clinic's patients, once per step, when a follow-up consultation makes sense."""

__version__ = "0.1.0"
