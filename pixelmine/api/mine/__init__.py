"""Mining a collection, one file a finding: reads its tables, mines them, keeps what was found."""
