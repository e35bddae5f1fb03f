"""One file per kind of external authority, found by its file name; a leading underscore marks a part of one."""
