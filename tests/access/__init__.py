"""Who may do what, by simulation of the synthesized policies."""
