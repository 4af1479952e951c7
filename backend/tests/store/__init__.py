"""What is remembered: the database as files, rows and disks of the real kind."""
