"""What tests share: fakes, people, keys."""
