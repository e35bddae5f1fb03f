"""What the specifications say, as tables and invariants; no fake is needed here."""
