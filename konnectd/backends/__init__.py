"""One file per user source, found by its file name; a leading underscore marks a part of one."""
