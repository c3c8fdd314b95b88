"""Model releases: read, approved by two people, signed, and told to the rooms. Built on TUF, in Uptane's shape."""
