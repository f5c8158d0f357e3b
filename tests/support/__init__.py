"""What several tests stand on: a clock, a database, a clinic, an inbox."""
