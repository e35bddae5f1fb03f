"""What every implementation of an interface must do, as test mixins."""
