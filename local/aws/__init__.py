"""The embedded AWS: an emulator, bridges over what it lacks, and a Java for Spark."""
