"""What more than one part of Causeway shares."""
