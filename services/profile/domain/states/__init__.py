"""What is folded from the events of one subject. States form a commutative monoid."""
