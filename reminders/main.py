"""The entry point of the program `reminders`; it hands over to the face that was asked for."""

from reminders.cli.shell import run


def main() -> None:
    """Run the command line."""
    run()


if __name__ == "__main__":
    main()
