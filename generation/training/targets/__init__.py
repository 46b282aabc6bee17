"""What other programs read: each target writes an example as the lines that one of them documents."""
