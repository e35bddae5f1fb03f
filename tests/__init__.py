"""The tests of konnectd; they mirror its folders."""
