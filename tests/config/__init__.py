"""What is read at start: good values, each bad one, generated files up to date."""
